"""QuickBooks' books in the sandbox, held against those that the accountant (`oracle`) keeps from FreshBooks' records."""

from decimal import Decimal

from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline_tests.pipeline.oracle import Accountant, Books, Chart, plain
from fb_qbo_pipeline_tests.pipeline.world import World


def chart_of(company: QuickBooks) -> Chart:
    """QuickBooks' lists as they are before anything is synced."""

    def rates(side: str) -> dict[str, list[tuple[str, Decimal]]]:
        ids = {code["Name"]: [one["TaxRateRef"]["value"] for one in code[side]["TaxRateDetail"]] for code in company.rows("TaxCode")}
        rows = company.tables["TaxRate"]
        return {name: [(rows[rate]["Name"], rows[rate]["RateValue"]) for rate in found] for name, found in ids.items()}

    income = {plain(item["Name"]): item["IncomeAccountRef"]["name"] for item in company.rows("Item") if "IncomeAccountRef" in item}
    return Chart(income, rates("SalesTaxRateList"), rates("PurchaseTaxRateList"), company.country_code == "US")


def kept(world: World, chart: Chart) -> Books:
    """The books that an accountant has kept."""
    records = {name: world.freshbooks.view(name) for name in ("invoice", "payment", "expense", "item", "category")}
    return Accountant(records, world.settings, chart).keep()


def assert_agrees(world: World, books: Books) -> None:
    """Every balance, every open invoice and every exception."""
    assert world.balances() == {account: amount for account, amount in sorted(books.balances.items()) if amount}
    assert _open_invoices(world) == books.open_invoices
    assert {(row["source"], row["source_id"]): row["code"] for row in world.held()} == books.held


def _open_invoices(world: World) -> dict[int, Decimal]:
    """Each invoice's open balance in QuickBooks by its FreshBooks id."""
    standing = [row for row in world.quickbooks.rows("Invoice") if not row["PrivateNote"].startswith("Voided")]
    return {int(row["PrivateNote"].split("/")[2].split(" ")[0]): row["Balance"] for row in standing}
