"""Names in the characters that QuickBooks documents."""

import pytest

from fb_qbo_pipeline.mapping.documents import PartyRequest
from fb_qbo_pipeline.posting.plain_names import is_about_characters, plain_name, plainer_item, plainer_party
from fb_qbo_pipeline.quickbooks.faults import Fault, FaultError


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("O'Brien & Sons, Ltd.", "O'Brien & Sons, Ltd."),
        ("Café Zoë 株式会社 देव", "Café Zoë 株式会社 देव"),
        ("A/B <c> 50%", "A B c 50"),
        ("\U0001f389", ""),
    ],
)
def test_letters_of_all_scripts_and_the_listed_signs_stay(text: str, plain: str) -> None:
    assert plain_name(text) == plain


def test_a_party_keeps_its_key_and_gets_some_name() -> None:
    request = PartyRequest("Customer", "client/7", "<>", "a@b.example", {"CompanyName": "<>", "GivenName": "J/D"}, " (7)")
    plainer = plainer_party(request)
    assert plainer is not None
    assert (plainer.key, plainer.name, plainer.body) == ("client/7", "Customer (7)", {"GivenName": "J D"})
    assert plainer_party(plainer) is None


def test_items_of_different_names_do_not_become_one() -> None:
    names = [plainer_item({"Name": name, "Type": "Service"}) for name in ("A/B", "A<B", "\U0001f389", "x" * 99 + "/")]
    found = [body["Name"] for body in names if body is not None]
    assert len(set(found)) == len(names)
    assert found[0].startswith("A B #")
    assert all(len(name) <= 100 and plain_name(name) == name for name in found)
    assert plainer_item({"Name": "Design"}) is None


def test_only_complaints_about_characters_ask_for_another_name() -> None:
    assert is_about_characters(Fault(400, "ValidationFault", (FaultError("2040", "Invalid String"),)))
    assert not is_about_characters(Fault(400, "ValidationFault", (FaultError("6240", "Duplicate Name Exists Error"),)))
