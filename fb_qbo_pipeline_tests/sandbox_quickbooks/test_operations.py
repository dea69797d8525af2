import pytest

from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, update


def test_a_full_update_clears_what_is_left_out_and_a_sparse_one_keeps_it(api: Api) -> None:
    customer = api.customer()
    invoice = api.write("Invoice", api.invoice(customer, PrivateNote="note", DocNumber="7"))
    sparse = api.write("Invoice", update(invoice, CustomerMemo={"value": "hi"}))
    assert (sparse["PrivateNote"], sparse["DocNumber"], sparse["SyncToken"]) == ("note", "7", "1")
    full = api.write("Invoice", {**api.invoice(customer), "Id": invoice["Id"], "SyncToken": "1"})
    assert not {"PrivateNote", "DocNumber", "CustomerMemo"} & full.keys()
    assert full["MetaData"]["CreateTime"] == invoice["MetaData"]["CreateTime"]


def test_a_null_in_a_sparse_update_clears_the_property(api: Api) -> None:
    invoice = api.write("Invoice", api.invoice(api.customer(), PrivateNote="note"))
    assert "PrivateNote" not in api.write("Invoice", update(invoice, PrivateNote=None))


def test_an_update_with_an_old_sync_token_is_stale(api: Api) -> None:
    invoice = api.write("Invoice", api.invoice(api.customer()))
    api.write("Invoice", update(invoice, PrivateNote="first"))
    error = api.refuse("Invoice", update(invoice, PrivateNote="second"))
    assert error["code"] == "5010"
    assert "Entity=Invoice" in error["Detail"]


@pytest.mark.parametrize(
    ("body", "operation", "code"),
    [
        ({"Id": "99", "SyncToken": "0"}, "", "610"),
        ({"Id": "1"}, "", "2020"),
        ({"SyncToken": "0"}, "delete", "2020"),
        ({"Id": "1", "SyncToken": "5"}, "delete", "5010"),
        ({"Id": "1", "SyncToken": "5"}, "void", "5010"),
        ({"Id": "1", "SyncToken": "0"}, "merge", "500"),
    ],
)
def test_an_update_names_an_object_that_exists_and_its_token(api: Api, body: dict[str, str], operation: str, code: str) -> None:
    api.write("Invoice", api.invoice(api.customer()))
    assert api.refuse("Invoice", body, operation=operation)["code"] == code


@pytest.mark.parametrize("entity", ["TaxCode", "TaxRate"])
def test_tax_lists_can_not_be_written(api: Api, entity: str) -> None:
    assert api.refuse(entity, {"Name": "x"})["code"] == "500"


def test_a_refused_write_leaves_no_trace(api: Api) -> None:
    customer = api.customer()
    invoice = api.write("Invoice", api.invoice(customer, DocNumber="7"))
    api.refuse("Invoice", update(invoice, DocNumber="8", Line=[api.line(item="Products")]))
    assert api.send("GET", f"invoice/{invoice['Id']}").json["Invoice"] == invoice
    api.write("Invoice", api.invoice(customer, DocNumber="8"))


@pytest.mark.parametrize("state", ["CANCELLED", "EXPIRED", "SUSPENDED"])
def test_a_lapsed_subscription_still_reads_but_does_not_write(api: Api, state: str) -> None:
    api.company.subscription = state
    assert api.refuse("Customer", {"DisplayName": "A"})["code"] == "6190"
    assert api.query("select * from Item")["maxResults"] == 4


@pytest.mark.parametrize(("path", "code"), [("invoice/99", "610"), ("invoice/abc", "2030")])
def test_reading_what_does_not_exist_is_refused(api: Api, path: str, code: str) -> None:
    reply = api.send("GET", path)
    assert (reply.status, reply.error["code"]) == (400, code)


def test_an_inactive_member_can_still_be_read(api: Api) -> None:
    item = api.ref("Item", "Rounding")
    api.company.deactivate("Item", item["value"])
    assert api.send("GET", f"item/{item['value']}").json["Item"]["Name"] == "Rounding (deleted)"


def test_names_and_transactions_count_their_ids_apart(api: Api) -> None:
    vendor, customer = api.vendor(), api.customer()
    invoice = api.write("Invoice", api.invoice(customer))
    bill = api.write("Bill", api.bill(vendor))
    assert (vendor["value"], customer["value"]) == ("2", "3")  # the employee is the first name
    assert (invoice["Id"], bill["Id"]) == ("1", "2")


def test_what_a_user_changes_in_quickbooks_moves_the_token(api: Api) -> None:
    invoice = api.write("Invoice", api.invoice(api.customer()))
    edited = api.company.edit("Invoice", invoice["Id"], PrivateNote="by hand")
    assert edited["SyncToken"] == "1"
    assert api.refuse("Invoice", update(invoice, PrivateNote="x"))["code"] == "5010"
