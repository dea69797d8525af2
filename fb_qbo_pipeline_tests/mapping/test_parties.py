import pytest

from fb_qbo_pipeline.freshbooks.records import Address
from fb_qbo_pipeline.mapping.context import Context
from fb_qbo_pipeline.mapping.documents import PartyRequest
from fb_qbo_pipeline.mapping.parties import customer_request, postal_address, reference, vendor_request
from fb_qbo_pipeline.mapping.party_decisions import Create, Parties, Use, decide_party
from fb_qbo_pipeline.quickbooks.company import Party
from fb_qbo_pipeline_tests.mapping.builders import client, company, context, expense, invoice, line, party


def customer(where: Context, currency: str = "CAD") -> PartyRequest:
    assert where.integration.sales is not None
    return customer_request(invoice(line("1.00"), currency=currency), where.integration.sales, where)


def vendor(text: str, where: Context | None = None) -> PartyRequest:
    where = where or context()
    assert where.integration.expenses is not None
    return vendor_request(expense(vendor=text), where.integration.expenses, where)


def test_a_customer_has_the_clients_names_addresses_and_numbers() -> None:
    found = customer(context(clients=(client(mobile="514 555 0101", shipping=Address("Dock 4")),)))
    assert found.body == {
        "CompanyName": "Acme Ltd",
        "GivenName": "Jane",
        "FamilyName": "Doe",
        "PrimaryEmailAddr": {"Address": "jane@acme.example"},
        "PrimaryPhone": {"FreeFormNumber": "514 555 0100"},
        "Mobile": {"FreeFormNumber": "514 555 0101"},
        "BillAddr": {
            "Line1": "1 Main Street",
            "Line2": "Suite 2",
            "City": "Montreal",
            "CountrySubDivisionCode": "QC",
            "PostalCode": "H2X 1Y4",
            "Country": "Canada",
        },
        "ShipAddr": {"Line1": "Dock 4"},
    }
    assert (found.key, found.name, found.suffix, found.email, found.aliases) == (
        "client/7",
        "Jane Doe",
        " (7)",
        "jane@acme.example",
        ("Acme Ltd",),
    )
    assert reference(found) == "@customer/client/7"


@pytest.mark.parametrize(
    ("known", "original", "organization"),
    [
        ({}, "Jane Doe", "Acme Ltd"),
        ({"first_name": "", "last_name": ""}, "Acme Ltd", "Acme Ltd"),
        ({"organization": ""}, "Jane Doe", "Jane Doe"),
        ({"organization": "", "first_name": "", "last_name": ""}, "jane@acme.example", "jane@acme.example"),
        ({"organization": ":", "first_name": "\t", "last_name": "", "email": ""}, "Client 7", "Client 7"),
        ({"first_name": "José", "last_name": "O'Neil: Jr"}, "José O'Neil Jr", "Acme Ltd"),
    ],
)
def test_the_name_falls_back_from_person_to_organization_to_email_to_number(
    known: dict[str, str], original: str, organization: str
) -> None:
    clients = (client(**known),)
    assert customer(context(clients=clients)).name == original
    by_organization = customer(context(clients=clients, sales={"customer": "organization"}))
    assert by_organization.name == organization
    assert bool(by_organization.note) is (organization != "Acme Ltd")


def test_a_client_that_is_not_known_is_taken_from_the_invoice() -> None:
    found = customer(context(clients=(client(id=8),)))
    assert (found.name, found.email, found.body["BillAddr"]["Line1"]) == ("Jane Doe", "", "1 Old Road")


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (Address("1 Main Street\r\nSuite 2", "Building B"), ["1 Main Street", "Suite 2", "Building B"]),
        (Address("", "Suite 2"), ["Suite 2"]),
        (Address("a\nb\n\nc", "d\ne"), ["a", "b", "c", "d e"]),
        (Address("x" * 3000), ["x" * 400]),
        (Address("\n"), []),
    ],
)
def test_a_street_of_several_lines_has_a_key_for_each(address: Address, lines: list[str]) -> None:
    assert postal_address(address) == {f"Line{number}": line for number, line in enumerate(lines, 1)}


def test_the_other_parts_of_an_address_are_one_line_each() -> None:
    found = postal_address(Address(city="St.\nJohn's", postal_code="A1C\t5S7" + "9" * 30))
    assert found == {"City": "St. John's", "PostalCode": ("A1C 5S7" + "9" * 30)[:30]}


def test_the_generic_customer_is_one_whoever_the_client_is() -> None:
    found = customer(context(sales={"customer": "generic", "generic_customer": "FreshBooks Sales"}))
    assert (found.key, found.name, found.email, found.body) == ("generic", "FreshBooks Sales", "", {})


def test_a_phone_number_that_is_too_long_is_left_out_rather_than_cut() -> None:
    assert "PrimaryPhone" not in customer(context(clients=(client(phone="5" * 31),))).body


def test_with_multicurrency_there_is_a_customer_and_a_vendor_for_each_currency() -> None:
    where = context(books=company(multicurrency=True))
    foreign, home = customer(where, "USD"), customer(where)
    assert (foreign.key, foreign.currency, foreign.body["CurrencyRef"], foreign.suffix) == (
        "client/7/USD",
        "USD",
        {"value": "USD"},
        " (7 USD)",
    )
    assert (home.key, home.suffix) == ("client/7/CAD", " (7)")
    assert vendor("Bakery", where).key == "vendor/bakery/CAD"


@pytest.mark.parametrize("text", ["Serano Bakery", " serano  bakery", "SERANO\tBAKERY"])
def test_spellings_of_a_vendor_that_fold_alike_are_one_vendor(text: str) -> None:
    assert vendor(text).key == "vendor/serano bakery"
    assert vendor(text).body == {}


def test_vendors_that_only_differ_beyond_the_length_limit_stay_apart() -> None:
    one, other = vendor("v" * 120 + "1"), vendor("v" * 120 + "2")
    assert one.name != other.name
    assert max(len(one.name), len(other.name)) <= 100


def request(name: str = "Jane Doe", email: str = "", *aliases: str, kind: str = "Customer", currency: str | None = None) -> PartyRequest:
    return PartyRequest(kind, "client/7", name, email, {"GivenName": "Jane"}, " (7)", aliases, currency)


MAIL = "jane@acme.example"


@pytest.mark.parametrize(
    ("one", "existing"),
    [
        (request(), party("1", "Jane Doe")),
        (request(), party("1", "jane  DOE", email="other@acme.example")),
        (request(email=MAIL), party("1", "Jane Doe")),
        (request(email=MAIL), party("1", "Jane Doe", email=MAIL.upper())),
        (request("Jane Doe", MAIL, "Acme Ltd"), party("1", "Acme Ltd", email=MAIL)),
        (request("Jane Doe", MAIL, "Acme Ltd"), party("1", "J. D.", company="ACME LTD", email=MAIL)),
        (request("Acme Ltd", MAIL, "Jane Doe"), party("1", "J. D.", company="Acme Ltd", email=MAIL)),
        (request("x" * 100, MAIL), party("1", "x" * 140, email=MAIL)),
        (request(email=MAIL), party("1", "Jane Doe", email=f"accounts@acme.example, {MAIL}")),
        (request(currency="CAD"), party("1", "Jane Doe")),
        (request(kind="Vendor"), party("1", "Jane Doe", kind="Vendor")),
    ],
)
def test_an_existing_record_is_used_where_nothing_contradicts(one: PartyRequest, existing: Party) -> None:
    assert decide_party(one, Parties([existing]), {}) == Use("1")


@pytest.mark.parametrize(
    ("one", "existing", "name"),
    [
        (request(), party("1", "Jane Doe", kind="Vendor"), "Jane Doe (7)"),
        (request(), party("1", "Jane Doe", kind="Employee"), "Jane Doe (7)"),
        (request(), party("1", "Jane Doe", active=False), "Jane Doe (7)"),
        (request(), party("1", "Jane Doe (deleted)", active=False), "Jane Doe"),
        (request(email=MAIL), party("1", "Jane Doe", email="other@acme.example"), "Jane Doe (7)"),
        (request(currency="USD"), party("1", "Jane Doe"), "Jane Doe (7)"),
        (request("x" * 100), party("1", "x" * 140), "x" * 100),
        (request("Jane Doe", "", "Acme Ltd"), party("1", "Acme Ltd"), "Jane Doe"),
        (request("Jane Doe", MAIL, "Acme Ltd"), party("1", "Acme Ltd", email="other@acme.example"), "Jane Doe"),
    ],
)
def test_otherwise_a_record_is_created_under_a_free_name(one: PartyRequest, existing: Party, name: str) -> None:
    assert decide_party(one, Parties([existing]), {}) == Create(name, {"DisplayName": name, "GivenName": "Jane"})


def test_two_clients_of_one_name_share_a_record_only_with_the_same_email() -> None:
    record = party("1", "Jane Doe", email=MAIL)
    assert decide_party(request(email=MAIL), Parties([record]), {"1": {"client/8"}}) == Use("1")
    assert decide_party(request(), Parties([record]), {"1": {"client/8"}}) == Create(
        "Jane Doe (7)", {"DisplayName": "Jane Doe (7)", "GivenName": "Jane"}
    )
    assert decide_party(request(), Parties([record]), {"1": {"client/7"}}) == Use("1")


def test_a_colleague_does_not_take_over_the_record_of_another_contact() -> None:
    record = party("1", "John Roe", company="Acme Ltd", email=MAIL)
    decision = decide_party(request("Jane Doe", MAIL, "Acme Ltd"), Parties([record]), {"1": {"client/8"}})
    assert isinstance(decision, Create)


def test_what_has_become_of_a_record_takes_the_place_of_what_was_known_of_it() -> None:
    known = Parties([party("1", "Jane Doe", company="Acme Ltd"), party("2", "John Roe")])
    known.add(party("1", "Jane Roe", company="Roe Ltd"))
    assert decide_party(request("Jane Doe"), known, {}) == Create("Jane Doe", {"DisplayName": "Jane Doe", "GivenName": "Jane"})
    assert decide_party(request("Jane Roe"), known, {}) == Use("1")
    assert known.known_as(["Acme Ltd"]) == []
    assert known.get("Customer", "1") == party("1", "Jane Roe", company="Roe Ltd")


def test_a_second_suffix_is_counted_and_long_names_make_room_for_it() -> None:
    taken = [party(str(number), name, kind="Vendor") for number, name in enumerate(["x" * 100, "x" * 96 + " (7)"])]
    decision = decide_party(request("x" * 100), Parties(taken), {})
    assert isinstance(decision, Create)
    assert decision.display_name == "x" * 94 + " (7) 2"
