import pytest

from fb_qbo_pipeline_tests.sandbox_quickbooks.asgi import Api, Json, update


@pytest.mark.parametrize("entity", ["Customer", "Vendor", "Employee"])
@pytest.mark.parametrize("name", ["Acme", "ACME", " acme "])
def test_customers_vendors_and_employees_share_one_set_of_names(api: Api, entity: str, name: str) -> None:
    api.customer("Acme")
    error = api.refuse(entity, {"DisplayName": name})
    assert error["code"] == "6240"
    assert "Another customer, vendor or employee is already using this \nname" in error["Detail"]


def test_an_inactive_name_blocks_unless_it_carries_the_suffix(api: Api) -> None:
    customer = api.write("Customer", {"DisplayName": "Acme"})
    api.company.edit("Customer", customer["Id"], Active=False)  # made inactive long ago: no suffix
    assert api.refuse("Vendor", {"DisplayName": "Acme"})["code"] == "6240"
    other = api.write("Customer", {"DisplayName": "Beta"})
    gone = api.write("Customer", update(other, Active=False))
    assert (gone["Active"], gone["DisplayName"]) == (False, "Beta (deleted)")
    assert api.write("Vendor", {"DisplayName": "Beta"})["DisplayName"] == "Beta"


def test_a_customer_comes_back_with_what_quickbooks_fills_in(api: Api) -> None:
    customer = api.write("Customer", {"GivenName": "Ann", "FamilyName": "Lee", "CompanyName": "Lee Ltd"})
    assert customer["DisplayName"] == customer["FullyQualifiedName"] == "Ann Lee"
    assert customer["PrintOnCheckName"] == "Lee Ltd"
    assert (customer["Active"], customer["Balance"], customer["Taxable"], customer["Job"]) == (True, 0, True, False)
    assert customer["CurrencyRef"]["value"] == "CAD"


def test_a_name_of_some_kind_is_needed(api: Api) -> None:
    assert api.refuse("Customer", {"CompanyName": "Only a company"})["code"] == "6080"


def test_delivery_by_email_needs_an_address(api: Api) -> None:
    assert api.refuse("Customer", {"DisplayName": "A", "PreferredDeliveryMethod": "Email"})["code"] == "6420"


def test_a_sub_customer_is_called_by_its_parent_too(api: Api) -> None:
    parent = api.customer("Parent")
    child = api.write("Customer", {"DisplayName": "Child", "ParentRef": parent, "Job": True})
    assert child["FullyQualifiedName"] == "Parent:Child"


def test_a_customer_with_an_open_balance_can_not_be_made_inactive(api: Api) -> None:
    customer = api.customer()
    api.write("Invoice", api.invoice(customer))
    current = api.send("GET", f"customer/{customer['value']}").json["Customer"]
    assert api.refuse("Customer", update(current, Active=False))["code"] == "6220"


def test_list_members_are_not_deleted(api: Api) -> None:
    customer = api.customer()
    assert api.refuse("Customer", {"Id": customer["value"], "SyncToken": "0"}, operation="delete")["code"] == "500"


def test_the_currency_of_a_name_is_set_once(world: Api) -> None:
    customer = world.write("Customer", {"DisplayName": "Euro", "CurrencyRef": {"value": "EUR"}})
    assert customer["CurrencyRef"]["value"] == "EUR"
    assert world.write("Customer", update(customer, CurrencyRef={"value": "USD"}))["CurrencyRef"]["value"] == "EUR"
    assert world.refuse("Customer", {"DisplayName": "B", "CurrencyRef": {"value": "XXX"}})["code"] == "2220"


def test_a_vendors_currency_may_silently_become_the_home_currency(world: Api) -> None:
    assert world.write("Vendor", {"DisplayName": "A", "CurrencyRef": {"value": "USD"}})["CurrencyRef"]["value"] == "USD"
    world.company.vendors_in_home_currency = True
    assert world.write("Vendor", {"DisplayName": "B", "CurrencyRef": {"value": "USD"}})["CurrencyRef"]["value"] == "CAD"


def item(api: Api, kind: str, **accounts: str) -> Json:
    return {"Name": "New", "Type": kind, **{f"{key}AccountRef": api.ref("Account", name) for key, name in accounts.items()}}


@pytest.mark.parametrize(
    ("kind", "accounts", "code"),
    [
        ("Service", {"Income": "Services"}, None),
        ("NonInventory", {"Income": "Sales of Product Income", "Expense": "Cost of Goods Sold"}, None),
        ("Service", {"Expense": "Other"}, None),
        ("Service", {}, "2020"),
        ("Service", {"Income": "Chequing"}, "6430"),
        ("Service", {"Income": "Services", "Expense": "Services"}, "6430"),
        ("Inventory", {"Income": "Sales of Product Income", "Expense": "Cost of Goods Sold"}, "2020"),
        ("Inventory", {"Income": "Services", "Expense": "Other", "Asset": "Inventory Asset"}, "6430"),
        ("Inventory", {"Income": "Services", "Expense": "Cost of Goods Sold", "Asset": "Chequing"}, "6430"),
    ],
)
def test_an_item_needs_accounts_of_the_right_types(api: Api, kind: str, accounts: dict[str, str], code: str | None) -> None:
    stock: Json = {"TrackQtyOnHand": True, "QtyOnHand": 0, "InvStartDate": "2025-01-01"} if kind == "Inventory" else {}
    body = {**item(api, kind, **accounts), **stock}
    if code:
        assert api.refuse("Item", body)["code"] == code
    else:
        assert api.write("Item", body)["FullyQualifiedName"] == "New"


@pytest.mark.parametrize("gone", ["TrackQtyOnHand", "QtyOnHand", "InvStartDate"])
def test_an_inventory_item_needs_its_start(api: Api, gone: str) -> None:
    accounts = {"Income": "Services", "Expense": "Cost of Goods Sold", "Asset": "Inventory Asset"}
    body = {**item(api, "Inventory", **accounts), "TrackQtyOnHand": True, "QtyOnHand": 0, "InvStartDate": "2025-01-01"}
    assert api.write("Item", {**body, "Name": "Whole"})["TrackQtyOnHand"] is True
    del body[gone]
    assert api.refuse("Item", body)["element"] == gone


@pytest.mark.parametrize(
    ("entity", "body"),
    [
        ("Item", {"Name": "services", "Type": "Service", "IncomeAccountRef": {"value": "1"}}),
        ("Account", {"Name": "CHEQUING", "AccountType": "Bank"}),
        ("Class", {"Name": "retail"}),
        ("Department", {"Name": "toronto"}),
        ("PaymentMethod", {"Name": "cash"}),
        ("Term", {"Name": "net 30", "DueDays": 30}),
    ],
)
def test_names_are_unique_in_every_list(api: Api, entity: str, body: Json) -> None:
    assert api.refuse(entity, body)["code"] == "6240"


def test_an_item_in_a_category_is_called_by_it_and_needs_a_type(api: Api) -> None:
    body = {**item(api, "Service", Income="Services"), "SubItem": True, "ParentRef": api.ref("Item", "Products")}
    assert api.write("Item", body)["FullyQualifiedName"] == "Products:New"
    assert api.refuse("Item", {"Name": "X", "IncomeAccountRef": {"value": "1"}})["element"] == "Type"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Name": "A"}, "6010"),
        ({"AccountType": "Bank"}, "2020"),
        ({"Name": "A", "AccountType": "Till"}, "2170"),
        ({"Name": 'A"', "AccountType": "Bank"}, "2040"),
    ],
)
def test_an_account_needs_a_legal_name_and_type(api: Api, body: Json, code: str) -> None:
    assert api.refuse("Account", body)["code"] == code


def test_a_sub_account_is_called_by_its_parent_too(api: Api) -> None:
    body = {"Name": "Parking", "AccountType": "Expense", "ParentRef": api.ref("Account", "Automobile")}
    account = api.write("Account", body)
    assert (account["FullyQualifiedName"], account["Classification"]) == ("Automobile:Parking", "Expense")


def test_names_can_be_reused_in_another_place_of_a_tree(api: Api) -> None:
    parent = api.ref("Class", "Retail")
    assert api.write("Class", {"Name": "Wholesale", "ParentRef": parent})["FullyQualifiedName"] == "Retail:Wholesale"
