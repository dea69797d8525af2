"""The comparison: invoices through python-quickbooks, one by one or by its batch manager. Runs in a virtual environment of its own.

Usage: run.py loop|batch, with a JSON object on standard input: url, realm, token, customer, item, tax_code, count.
"""

import json
import os
import sys
from typing import Any

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the sandbox speaks plain HTTP

from quickbooks import QuickBooks
from quickbooks.batch import batch_create
from quickbooks.objects.base import Ref
from quickbooks.objects.detailline import SalesItemLine, SalesItemLineDetail
from quickbooks.objects.invoice import Invoice
from requests_oauthlib import OAuth2Session

AT_ONCE = 300  # documents handed to the batch manager, which cuts them into batches of 30


class Sandbox(QuickBooks):
    """python-quickbooks with another address."""

    address = ""

    @property
    def api_url(self) -> str:
        return f"{self.address}/v3"


def reference(value: str) -> Ref:
    """A reference by id."""
    found = Ref()
    found.value = value
    return found


def without_placeholders(thing: Any) -> Any:
    """Without the library's "" and 0 for what is not set: the sandbox refuses empty dates. None is not sent."""
    for name, value in vars(thing).items():
        if hasattr(value, "__dict__"):
            without_placeholders(value)
        elif not value:
            setattr(thing, name, None)
    return thing


def invoice(number: int, given: dict[str, str]) -> Invoice:
    """An invoice of two lines with tax."""
    document = Invoice()
    document.DocNumber = f"PQ{number}"
    document.CustomerRef = reference(given["customer"])
    document.TxnDate = "2026-03-20"
    document.GlobalTaxCalculation = "TaxExcluded"
    for amount in (100 + number % 50, 20):
        line = SalesItemLine()
        line.Amount = amount
        line.SalesItemLineDetail = SalesItemLineDetail()
        line.SalesItemLineDetail.Qty = 1
        line.SalesItemLineDetail.UnitPrice = amount
        line.SalesItemLineDetail.ItemRef = reference(given["item"])
        line.SalesItemLineDetail.TaxCodeRef = reference(given["tax_code"])
        document.Line.append(without_placeholders(line))
    return without_placeholders(document)


def main() -> None:
    """Post until all are posted, or until the measuring program ends it."""
    given = json.load(sys.stdin)
    client = Sandbox(company_id=given["realm"], minorversion=75)
    client.address = given["url"]
    client.session = OAuth2Session("sandbox-client", token={"access_token": given["token"]})
    count = int(given["count"])
    if sys.argv[1] == "loop":
        for number in range(count):
            invoice(number, given).save(qb=client)
    else:
        for start in range(0, count, AT_ONCE):
            answer = batch_create([invoice(number, given) for number in range(start, start + AT_ONCE)], qb=client)
            if answer.faults:
                raise SystemExit(f"{len(answer.faults)} refused: {answer.faults[0].Error[0]}")


if __name__ == "__main__":
    main()
