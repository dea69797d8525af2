"""QuickBooks' own arithmetic, as the tests check documents with it: written from its rules, apart from the mapping."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from fb_qbo_pipeline.mapping.documents import Document, Json
from fb_qbo_pipeline.quickbooks.company import Company

CENT = Decimal("0.01")


def item_lines(document: Document) -> list[Json]:
    return [one for one in document.body["Line"] if one["DetailType"] != "DescriptionOnly"]


def detail(line: Json) -> Json:
    found: Json = line[line["DetailType"]]
    return found


def tax_by_rate(document: Document) -> dict[str, Decimal]:
    lines = document.body.get("TxnTaxDetail", {}).get("TaxLine", [])
    ids = [one["TaxLineDetail"]["TaxRateRef"]["value"] for one in lines]
    assert len(ids) == len(set(ids)), "every rate is listed once"
    return {one["TaxLineDetail"]["TaxRateRef"]["value"]: one["Amount"] for one in lines}


def book(document: Document, company: Company) -> tuple[Decimal, Decimal]:
    """(TotalAmt, TotalTax) that QuickBooks gives; AssertionError where it would refuse the document."""
    net = Decimal(0)
    base: dict[str, Decimal] = defaultdict(Decimal)
    taxed = company.preferences.uses_sales_tax and not company.is_us
    for line in item_lines(document):
        amount = line["Amount"]
        assert amount == amount.quantize(CENT), "amounts have two decimals"
        if "Qty" in detail(line):
            product = (detail(line)["Qty"] * detail(line)["UnitPrice"]).quantize(CENT, ROUND_HALF_UP)
            assert amount == product, "6070: Amount is not equal to UnitPrice * Qty"
        net += amount
        if taxed:
            code = company.codes_by_id[detail(line)["TaxCodeRef"]["value"]]
            for one in code.sales if document.entity.value in {"Invoice", "SalesReceipt"} else code.purchase:
                base[one.rate_id] += amount
        elif not company.is_us:
            assert "TaxCodeRef" not in detail(line)
    tax_detail = document.body.get("TxnTaxDetail", {})
    if taxed:
        assert document.body["GlobalTaxCalculation"] == "TaxExcluded"
        taxes = tax_by_rate(document)
        assert set(taxes) == set(base), "every rate of every used code, and no other"
        for one in tax_detail.get("TaxLine", []):
            assert one["TaxLineDetail"]["NetAmountTaxable"] == base[one["TaxLineDetail"]["TaxRateRef"]["value"]]
        assert sum(taxes.values(), Decimal(0)) == tax_detail["TotalTax"]
    tax = tax_detail.get("TotalTax", Decimal(0))
    return net + tax, tax
