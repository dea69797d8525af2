import pytest

from fb_qbo_pipeline.mapping.text import distinct_name, legal_email, legal_name, legal_text, plain_number
from fb_qbo_pipeline_tests.mapping.builders import D


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Acme   Ltd ", "Acme Ltd"),
        ("Acme:East", "Acme East"),
        ("Acme\tEast\nNorth", "Acme East North"),
        ("株式会社アクメ", "株式会社アクメ"),
        ("L'Été & Fils (QC)", "L'Été & Fils (QC)"),
        ("Zero\u200bwidth\ufeff", "Zerowidth"),
        ("\u0007", ""),
        ("x" * 99 + " y", "x" * 99),
    ],
)
def test_a_legal_name_keeps_letters_of_all_scripts_and_drops_what_is_refused(text: str, name: str) -> None:
    assert legal_name(text) == name


@pytest.mark.parametrize("text", ["Acme Ltd", "x" * 100, "Été"])
def test_a_name_that_is_legal_is_its_own_distinct_name(text: str) -> None:
    assert distinct_name(f" {text} ") == text


def test_a_text_keeps_line_breaks_and_loses_control_characters() -> None:
    assert legal_text("one\r\ntwo\u0007\tthree ", 20) == "one\ntwo  three"
    assert legal_text("x" * 30, 20) == "x" * 20


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" a@b.example ", "a@b.example"),
        ("O'Neil+tag_1.x@mail-1.b.co.uk", "O'Neil+tag_1.x@mail-1.b.co.uk"),
        ("a@b.example,c@d.example", ""),
        ("a b@c.example", ""),
        ("a@b", ""),
        ("a..b@c.example", ""),
        (".a@c.example", ""),
        ("a@-c.example", ""),
        ("a@c..example", ""),
        ("a@c.example.", ""),
        ("zoë@c.example", ""),
        ("a@127.0.0.1", ""),
    ],
)
def test_an_email_is_one_plausible_address_or_nothing(text: str, email: str) -> None:
    assert legal_email(text) == email


@pytest.mark.parametrize(("number", "text"), [("4.000", "4"), ("1E+2", "100"), ("0.50", "0.5"), ("-0.00", "0"), ("100", "100")])
def test_a_number_is_written_without_trailing_zeros_or_exponent(number: str, text: str) -> None:
    assert str(plain_number(D(number))) == text
