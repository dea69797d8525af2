"""Lines of sales forms and of purchases: what a line must have, what it may refer to, and what QuickBooks adds.

The rule that costs most integrators a rejected document is here: where Qty and UnitPrice are both given, Amount has to be
their product rounded half-up to the cent, exactly (6070).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from fb_qbo_pipeline.money import ZERO, round_half_up
from fb_qbo_pipeline.sandbox.quickbooks import tax
from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal, business, missing, unsupported
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks

SALES_ITEM, DESCRIPTION, DISCOUNT, SUBTOTAL = "SalesItemLineDetail", "DescriptionOnly", "DiscountLineDetail", "SubTotalLineDetail"
ACCOUNT_EXPENSE, ITEM_EXPENSE = "AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail"
_PRICE_PLACES = 7


@dataclass(slots=True)
class Lines:
    """The lines of a document as stored, with what its totals are made of."""

    rows: list[Json] = field(default_factory=list)
    taxable: list[tax.Taxable] = field(default_factory=list)
    subtotal: Decimal = ZERO
    discount: Decimal = ZERO


def feature(company: QuickBooks, holder: Json, key: str, entity: str, *, on: bool) -> None:
    """Check a class or location in place: it has to exist (2500), be active (610), and its feature be on (5030)."""
    if holder.get(key) is None:
        return
    if on:
        holder[key] = _named(company.require(entity, holder[key]))
    elif company.off_features == "dropped":
        del holder[key]
    else:
        raise Refusal("5030", f"Feature Not Supported : {key} is used, but the feature is not turned on for this company.", key)


def _named(row: Json) -> Json:
    return {"value": row["Id"], "name": row.get("FullyQualifiedName") or row.get("DisplayName") or row["Name"]}


def account_of(company: QuickBooks, reference: Json, allowed: Sequence[str], where: str) -> Json:
    """The active account that a reference points to; of another type: 6430."""
    account = company.require("Account", reference)
    if account["AccountType"] not in allowed:
        raise Refusal("6430", f"Invalid account type used : {where}", where)
    return account


# ---------------------------------------------------------------------------------------------------------------- sales


def sales_lines(company: QuickBooks, body: Json, customer: Json | None, previous: Json | None) -> Lines:
    """Check and complete the lines of a sales form; raises Refusal (2020, 2500, 5030, 6000, 6070, 6090, 6100, 6430…)."""
    result = Lines()
    discounts: list[Json] = []
    for line in _given(body):
        kind = line["DetailType"]
        if kind == SALES_ITEM:
            detail = _sales_item(company, line, customer)
            result.subtotal += line["Amount"]
            code = detail["TaxCodeRef"]["value"] if "TaxCodeRef" in detail else None
            result.taxable.append(tax.Taxable(line["Amount"], code, detail.get("TaxInclusiveAmt")))
            result.rows.append({**_kept(line), "Amount": line["Amount"], "DetailType": kind, kind: detail})
        elif kind == DESCRIPTION:
            result.rows.append({**_kept(line), "DetailType": kind, "DescriptionLineDetail": line.get("DescriptionLineDetail", {})})
        elif kind == DISCOUNT:
            discounts.append(line)
        elif kind == "GroupLineDetail":
            raise unsupported("GroupLineDetail")
        elif kind != SUBTOTAL:
            raise Refusal("2170", f"Invalid Enumeration : {kind}", "DetailType")
    _number(result.rows, previous)
    result.rows.append({"Amount": result.subtotal, "DetailType": SUBTOTAL, SUBTOTAL: {}})
    if discounts:
        result.discount = _discount(company, discounts, result)
    return result


def _given(body: Json) -> Iterator[Json]:
    if not body.get("Line"):
        raise missing("Line")
    for line in body["Line"]:
        if "DetailType" not in line:
            raise missing("Line.DetailType")
        yield line


def _kept(line: Json) -> Json:
    return {key: line[key] for key in ("Id", "Description") if line.get(key)}


def _sales_item(company: QuickBooks, line: Json, customer: Json | None) -> Json:
    if "Amount" not in line:
        raise missing("Line.Amount")
    detail = dict(line.get(SALES_ITEM) or {})
    item = _item(company, detail)
    _check_product(line["Amount"], detail)
    detail["ItemRef"] = _named(item)
    if "IncomeAccountRef" in item:
        detail["ItemAccountRef"] = item["IncomeAccountRef"]
    feature(company, detail, "ClassRef", "Class", on=company.class_tracking == "line")
    code = detail.pop("TaxCodeRef", {}).get("value")
    if company.is_us:
        default = bool(item.get("Taxable", True)) and (customer is None or bool(customer.get("Taxable", True)))
        code = tax.us_line_code(code, default=default and company.sales_tax)
    elif not company.sales_tax:
        code = None
    if code is not None:
        detail["TaxCodeRef"] = {"value": code}
    return detail


def _item(company: QuickBooks, detail: Json) -> Json:
    # A sales line without an item gets the company's default one, which is the first.
    reference = detail.get("ItemRef") or {"value": "1"}
    if reference["value"] in ("SHIPPING_ITEM_ID", "GRATUITY_ITEM_ID"):
        raise Refusal("5030", "Feature Not Supported : shipping and gratuity are not turned on for this company.", "ItemRef")
    item = company.require("Item", reference)
    if item["Type"] == "Category":
        detail_text = "Invalid Reference Id : An item in this transaction is set up as a category instead of a product or service."
        raise Refusal("2500", detail_text, "Reference Id")
    return item


def _check_product(amount: Decimal, detail: Json) -> None:
    quantity, price = detail.get("Qty"), detail.get("UnitPrice")
    if quantity is not None and price is not None:
        if round_half_up(quantity * price) != amount:
            raise Refusal("6070", f"Amount is not equal to UnitPrice * Qty. Supplied value:{amount:,}", "Amount")
    elif quantity:
        detail["UnitPrice"] = round_half_up(amount / quantity, _PRICE_PLACES)


def _discount(company: QuickBooks, discounts: Sequence[Json], lines: Lines) -> Decimal:
    if len(discounts) > 1:
        raise business("Only one discount line is allowed.")
    if not company.discounts:
        raise business("Discounts are not turned on for this company.")
    line = discounts[0]
    detail = dict(line.get(DISCOUNT) or {})
    if detail.get("PercentBased") and "DiscountPercent" in detail:
        amount = round_half_up(lines.subtotal * detail["DiscountPercent"] / 100)
    elif "Amount" in line and not detail.get("PercentBased"):
        amount = line["Amount"]
        detail["PercentBased"] = False
    else:
        raise Refusal("6090", "A discount line needs an amount, or a percent with PercentBased.", "DiscountLineDetail")
    if amount < 0:
        raise Refusal("2290", "Negative Amount : a discount is a positive amount", "Amount")
    if amount > max(lines.subtotal, ZERO):
        raise business("The discount amount can't be greater than the subtotal.")
    reference = detail.get("DiscountAccountRef") or {"value": company.named("Account", "Discounts given")["Id"]}
    detail["DiscountAccountRef"] = _named(account_of(company, reference, ("Income",), "DiscountAccountRef"))
    lines.rows.append({"Amount": amount, "DetailType": DISCOUNT, DISCOUNT: detail})
    return amount


def _number(rows: Sequence[Json], previous: Json | None) -> None:
    """Give lines their ids: a known id stays, everything else gets the next free one."""
    known = {line["Id"] for line in (previous or {}).get("Line", ()) if "Id" in line}
    last = max((int(line_id) for line_id in known), default=0)
    for place, row in enumerate(rows, start=1):
        if row.get("Id") in known:
            known.discard(row["Id"])
        else:
            last += 1
            row["Id"] = str(last)
        row["LineNum"] = place


# ------------------------------------------------------------------------------------------------------------ purchases


def expense_lines(company: QuickBooks, body: Json, previous: Json | None) -> Lines:
    """Check and complete the lines of a bill, vendor credit or expense; raises Refusal as `sales_lines` does."""
    result = Lines()
    for line in _given(body):
        kind = line["DetailType"]
        if kind == DESCRIPTION:
            result.rows.append({**_kept(line), "DetailType": kind, "DescriptionLineDetail": line.get("DescriptionLineDetail", {})})
            continue
        if kind not in (ACCOUNT_EXPENSE, ITEM_EXPENSE):
            raise Refusal("2170", f"Invalid Enumeration : {kind}", "DetailType")
        if "Amount" not in line:
            raise missing("Line.Amount")
        detail = dict(line.get(kind) or {})
        if kind == ACCOUNT_EXPENSE:
            _expense_account(company, detail)
        else:
            _expense_item(company, line["Amount"], detail)
        code = _expense_extras(company, detail)
        result.subtotal += line["Amount"]
        result.taxable.append(tax.Taxable(line["Amount"], code, detail.get("TaxInclusiveAmt")))
        result.rows.append({**_kept(line), "Amount": line["Amount"], "DetailType": kind, kind: detail})
    _number(result.rows, previous)
    return result


def _expense_account(company: QuickBooks, detail: Json) -> None:
    if "AccountRef" not in detail:
        raise Refusal("6440", "Transaction detail information required : an account for each split line with an amount.", "AccountRef")
    account = company.require("Account", detail["AccountRef"])
    if account["AccountType"] in ("Accounts Receivable", "Accounts Payable", "Non-Posting"):
        raise Refusal("6430", "Invalid account type used : AccountRef", "AccountRef")
    detail["AccountRef"] = _named(account)


def _expense_item(company: QuickBooks, amount: Decimal, detail: Json) -> None:
    if company.plan in ("Simple Start", "Essentials"):
        raise Refusal("5030", f"This feature is not included in your QuickBooks Online {company.plan} subscription.", "ItemRef")
    if "ItemRef" not in detail:
        raise Refusal("6440", "Transaction detail information required : an item for each split line with an amount.", "ItemRef")
    item = _item(company, detail)
    if "ExpenseAccountRef" not in item:
        raise business("The product or service has no expense account: it is not set up to be purchased.")
    _check_product(amount, detail)
    detail["ItemRef"] = _named(item)


def _expense_extras(company: QuickBooks, detail: Json) -> str | None:
    """Class, customer, billable status and tax code of an expense line; returns the tax code."""
    feature(company, detail, "ClassRef", "Class", on=company.class_tracking != "off")
    if "CustomerRef" in detail:
        detail["CustomerRef"] = _named(company.require("Customer", detail["CustomerRef"]))
    status = detail.setdefault("BillableStatus", "NotBillable")
    if status == "HasBeenBilled":
        raise Refusal("2170", "Invalid Enumeration : HAS_BEEN_BILLED", "BillableStatus")
    if status == "Billable" and "CustomerRef" not in detail:
        raise Refusal("6310", "A billable expense needs a customer.", "CustomerRef")
    code: str | None = detail.pop("TaxCodeRef", {}).get("value")
    if company.is_us:
        code = tax.us_line_code(code, default=False)
    elif not company.sales_tax:
        code = None
    if code is not None:
        detail["TaxCodeRef"] = {"value": code}
    return code


def whole_total(lines: Lines, detail: Json | None) -> Decimal:
    """TotalAmt: lines, less the discount, plus tax; a negative one is refused (6000)."""
    amount = lines.subtotal - lines.discount + (detail["TotalTax"] if detail else ZERO)
    if amount < 0:
        raise business("The amount of a transaction must be 0 or greater.")
    return amount.quantize(Decimal("0.01"))


def zeroed(lines: Sequence[Json]) -> list[Json]:
    """The lines of a voided document: no quantities, no amounts."""
    rows = []
    for line in lines:
        row = dict(line)
        if "Amount" in row:
            row["Amount"] = ZERO
        detail = row.get(SALES_ITEM)
        if detail:
            row[SALES_ITEM] = {**detail, **{key: ZERO for key in ("Qty", "UnitPrice", "TaxInclusiveAmt") if key in detail}}
        rows.append(row)
    return rows
