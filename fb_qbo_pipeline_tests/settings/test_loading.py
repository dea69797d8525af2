"""`integration.yaml`: what is right is read to the letter, and every mistake is shown with file, line, key and remedy."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.settings.loading import load_integration, load_integrations
from fb_qbo_pipeline.settings.models import DueDate, DueDateType, Integration
from fb_qbo_pipeline.settings.schema import keys_of, section_of

EXAMPLE = Path(__file__).parents[2] / "integration.example.yaml"

TOP = """\
name: acme
timezone: America/Toronto
start_date: 2025-01-01
freshbooks: {account_id: ABC123}
quickbooks: {realm_id: "9341452000000000"}
"""  # five lines


def _write(folder: Path, text: str, name: str = "integration.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def _load(folder: Path, text: str) -> Integration:
    return load_integration(_write(folder, text))


def _mistakes(folder: Path, text: str) -> list[str]:
    """The lines of the error, without the file's folder."""
    with pytest.raises(ConfigurationError) as caught:
        _load(folder, text)
    assert caught.value.exit_status == 2
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def test_the_example_is_read_with_every_value(tmp_path: Path) -> None:
    integration = load_integration(EXAMPLE)
    assert integration.sales is not None
    assert integration.payments is not None
    assert integration.expenses is not None
    assert integration.start_date == dt.date(2025, 1, 1)
    assert integration.quickbooks.realm_id == "9341452000000000"
    assert integration.sales.class_ == "Retail"
    assert integration.sales.due_date == DueDate(type=DueDateType.DAYS, days=30)
    assert integration.sales.rounding_limit == Decimal("0.05")
    assert integration.sales.taxes["VAT 20%"] == "20.0% S"
    assert integration.payments.by_method == {"PayPal": "PayPal Clearing", "Credit Card": "Stripe Clearing"}
    assert integration.expenses.categories["Car & Truck Expenses/Gas"] == "Automobile:Fuel"
    assert integration.schedule.cron == "0 * * * *"


def test_the_example_shows_every_key_of_the_top_level_sections() -> None:
    integration = load_integration(EXAMPLE)
    for name, field in keys_of(Integration).items():
        section = section_of(field.annotation)
        if section is not None:
            present = getattr(integration, name).model_fields_set
            assert set(section.model_fields) == present, name


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    integration = _load(tmp_path, TOP + "sales: {}\n")
    assert integration.sales is not None
    assert integration.sales.post_as == "invoice"
    assert integration.sales.rounding_limit == Decimal("0.05")
    assert integration.expenses is None
    assert integration.on_delete == "void"
    assert integration.schedule.enabled is True


@pytest.mark.parametrize("realm_id", ["9341452000000000", '"9341452000000000"', "'9341452000000000'"])
def test_a_realm_id_is_the_same_with_and_without_quotes(tmp_path: Path, realm_id: str) -> None:
    integration = _load(tmp_path, TOP.replace('"9341452000000000"', realm_id) + "sales: {}\n")
    assert integration.quickbooks.realm_id == "9341452000000000"


def test_a_realm_id_with_a_leading_zero_needs_quotes(tmp_path: Path) -> None:
    (line,) = _mistakes(tmp_path, TOP.replace('"9341452000000000"', "0123") + "sales: {}\n")
    assert line.startswith("integration.yaml:5: quickbooks.realm_id: '0123' is a number")
    assert 'put it in quotes, "0123"' in line


@pytest.mark.parametrize("date", ["2025-01-01", '"2025-01-01"'])
def test_a_date_is_read_as_a_date_or_as_text(tmp_path: Path, date: str) -> None:
    assert _load(tmp_path, TOP.replace("2025-01-01", date) + "sales: {}\n").start_date == dt.date(2025, 1, 1)


@pytest.mark.parametrize("date", ["20250101", "2025-13-01", "2025-02-30", "01/02/2025", "2025-01-01 10:00:00", "1735689600", "soon"])
def test_what_is_no_date_is_refused(tmp_path: Path, date: str) -> None:
    (line,) = _mistakes(tmp_path, TOP.replace("2025-01-01", date) + "sales: {}\n")
    assert line.startswith("integration.yaml:3: start_date: ")
    assert "write YYYY-MM-DD" in line


def test_names_that_yaml_takes_for_something_else_stay_names(tmp_path: Path) -> None:
    integration = _load(tmp_path, TOP + "sales:\n  class: 2025\n  location: On\n  taxes: {NO: NO, 20: 20.0, none: 0.10}\n")
    assert integration.sales is not None
    assert (integration.sales.class_, integration.sales.location) == ("2025", "On")
    assert integration.sales.taxes == {"NO": "NO", "20": "20.0", "none": "0.10"}


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("off", False), ("True", True), ('"false"', False)])
def test_a_switch_is_read_in_all_of_yamls_spellings(tmp_path: Path, text: str, value: bool) -> None:
    integration = _load(tmp_path, TOP + f"sales: {{allow_credit_card: {text}}}\n")
    assert integration.sales is not None
    assert integration.sales.allow_credit_card is value


# What stands below the five lines of TOP; the mistake's line, key, words about what is wrong, and the remedy's.
MISTAKES: Sequence[tuple[str, int, str, str, str]] = [
    ("sales: {post_as: invoce}", 6, "sales.post_as", "must be invoice or sales_receipt, not 'invoce'", "did you mean invoice?"),
    ("sales: {customer: nobody}", 6, "sales.customer", "must be original, organization or generic, not 'nobody'", "write one of"),
    ("sales: {customer: }", 6, "sales.customer", "is empty", "write a value"),
    ("sales: {post_az: invoice}", 6, "sales.post_az", "is not a known key", "did you mean post_as?"),
    ("sales: {}\nsalez: {}", 7, "salez", "is not a known key", "did you mean sales?"),
    ("sales: {}\nqqqq: 1", 7, "qqqq", "is not a known key", "known here are name, timezone"),
    ("sales: {}\na.b: 1", 7, '"a.b"', "is not a known key", "known here are"),
    ("sales:", 6, "sales", "is empty", "a workflow without a section is off"),
    ("sales:\n  due_date:", 7, "sales.due_date", "is empty", "write its keys"),
    ("sales: true", 6, "sales", "must be a section, not 'true'", "write its keys below it"),
    ("sales: []", 6, "sales", "must be a section, not a list", "write its keys below it"),
    ("sales:\n  statuses: sent", 7, "sales.statuses", "must be a list, not 'sent'", "write [FIRST, SECOND]"),
    ("sales:\n  statuses: []", 7, "sales.statuses", "is empty", "write a value"),
    ("sales:\n  statuses: [sent, payed]", 7, "sales.statuses", "unknown status 'payed'", "did you mean paid?"),
    ("sales:\n  statuses: [zzz]", 7, "sales.statuses", "unknown status 'zzz'", "known are autopaid, created"),
    ("sales:\n  statuses: [{a: b}]", 7, "sales.statuses[1]", "must be text, not a section", "write a name"),
    ("sales: {auto_number: maybe}", 6, "sales.auto_number", "must be true or false, not 'maybe'", "write true or false"),
    ("sales: {rounding_limit: abc}", 6, "sales.rounding_limit", "must be a number, not 'abc'", "such as 0.05"),
    ("sales: {rounding_limit: .inf}", 6, "sales.rounding_limit", "must be a number, not '.inf'", "such as 0.05"),
    ("sales: {rounding_limit: 2}", 6, "sales.rounding_limit", "2 is too large", "write at most 1"),
    ("sales: {rounding_limit: -1}", 6, "sales.rounding_limit", "-1 is too small", "write at least 0"),
    ("sales: {number_prefix: FRESHBOOKS-INVOICE-NR-}", 6, "sales.number_prefix", "is longer than 20 characters", "shorten it"),
    ("sales: {class: ''}", 6, "sales.class", "is empty", "write a value"),
    ("sales: {taxes: HST}", 6, "sales.taxes", "must be a map, not 'HST'", "write NAME: NAME"),
    ("sales:\n  taxes:\n    HST:", 8, "sales.taxes.HST", "is empty", "write a value"),
    ("sales:\n  taxes:\n    VAT 20%: [a]", 8, 'sales.taxes."VAT 20%"', "must be text, not a list", "write a name"),
    ("sales: {due_date: {type: days, days: soon}}", 6, "sales.due_date.days", "must be a whole number, not 'soon'", "digits only"),
    ("sales: {due_date: {type: days, days: 1.5}}", 6, "sales.due_date.days", "must be a whole number, not '1.5'", "digits only"),
    ("sales: {due_date: {type: days}}", 6, "sales.due_date.days", "is missing", "add days: the number of days"),
    (
        "sales: {due_date: {type: weeks, days: 1}}",
        6,
        "sales.due_date.type",
        "must be days, days_after_month_end or",
        "write one of",
    ),
    ("sales:\n  due_date: {type: day_of_next_month,\n    days: 0}", 8, "sales.due_date.days", "not a day of a month", "write 1 to 31"),
    ("sales: {customer: generic}", 6, "sales.generic_customer", "is needed with customer: generic", "name the one QuickBooks customer"),
    ("sales:\n  auto_number: true\n  number_prefix: FB", 8, "sales.number_prefix", "has no effect with auto_number: true", "remove one"),
    (
        "sales:\n  products:\n    create: true",
        7,
        "sales.products.income_account",
        "is needed to create service items",
        "name an income",
    ),
    ("payments: {deposit_account: Cash}\nexpenses: {}", 6, "payments", "payments are a part of sales", "add a sales section"),
    ("on_delete: keep", 1, "sales", "nothing to sync", "add a sales section, an expenses section, or both"),
    ("sales: {}\npayments: {}", 7, "payments.deposit_account", "is missing", "add deposit_account: bank or"),
    ('sales: {}\nschedule: {cron: "0 25 * * *"}', 7, "schedule.cron", "hour of the cron expression: 25", "write minute, hour"),
    ("sales: {}\nschedule:", 7, "schedule", "is empty", "write its keys below it"),
]


@pytest.mark.parametrize(("below", "line", "key", "wrong", "remedy"), MISTAKES)
def test_a_mistake_is_shown_with_line_key_and_remedy(tmp_path: Path, below: str, line: int, key: str, wrong: str, remedy: str) -> None:
    (shown,) = _mistakes(tmp_path, TOP + below + "\n")
    place, _, rest = shown.partition(f": {key}: ")
    assert place == f"integration.yaml:{line}"
    said, _, advice = rest.partition(" → ")
    assert wrong in said
    assert remedy in advice


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("name: acme", "name: Acme Ltd", 1, "name: 'Acme Ltd' does not fit → use lower-case letters"),
        ("name: acme\n", "", 1, "name: is missing → add name: prefix of the asset keys"),
        ("America/Toronto", "America/Torronto", 2, "timezone: unknown time zone 'America/Torronto' → did you mean America/Toronto?"),
        ("America/Toronto", "EST5", 2, "timezone: unknown time zone 'EST5' → "),
        ("America/Toronto", "qqqq", 2, "timezone: unknown time zone 'qqqq' → write an IANA name"),
        ('"9341452000000000"', "9341 4520", 5, "quickbooks.realm_id: '9341 4520' does not fit → write the company id"),
        ("ABC123", "", 4, "freshbooks.account_id: is empty → "),
        ("{account_id: ABC123}", "ABC123", 4, "freshbooks: must be a section, not 'ABC123' → "),
        ("freshbooks: {account_id: ABC123}\n", "", 1, "freshbooks: is missing → add freshbooks and its keys"),
    ],
)
def test_a_mistake_at_the_top_is_shown_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    (shown,) = _mistakes(tmp_path, TOP.replace(old, new) + "sales: {}\n")
    assert shown.startswith(f"integration.yaml:{line}: {words}")


def test_all_mistakes_are_shown_at_once_and_one_hides_no_other(tmp_path: Path) -> None:
    below = """\
sales:
  post_as: invoce
  auto_number: true
  number_prefix: FB
  customer: generic
  due_date: {type: day_of_next_month, days: 40}
  products: {create: true, type: inventory}
  taxes:
    HST: a
    HST: b
payments: {deposit_account: }
schedule: {cron: hourly, enabled: maybe}
"""
    keys = [line.split(": ")[1] for line in _mistakes(tmp_path, TOP.replace("acme", "Acme") + below)]
    assert sorted(keys) == sorted(
        [
            "name",
            "sales.post_as",
            "sales.number_prefix",
            "sales.generic_customer",
            "sales.due_date.days",
            "sales.products.income_account",
            "sales.products.expense_account",
            "sales.products.asset_account",
            "sales.taxes.HST",
            "payments.deposit_account",
            "schedule.cron",
            "schedule.enabled",
        ]
    )


def test_mistakes_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    lines = _mistakes(tmp_path, TOP.replace("acme", "Acme") + "sales:\n  post_as: x\n  foo: 1\nqqqq: 1\n")
    numbers = [int(line.split(":")[1]) for line in lines]
    assert numbers == [1, 7, 8, 9]


def test_a_misspelt_key_is_not_also_called_missing(tmp_path: Path) -> None:
    (line,) = _mistakes(tmp_path, TOP.replace("account_id", "acount_id") + "sales: {}\n")
    assert line == "integration.yaml:4: freshbooks.acount_id: is not a known key → did you mean account_id?"
    (line,) = _mistakes(tmp_path, TOP + "sales: {customer: generic, generic_custmer: All}\n")
    assert "did you mean generic_customer?" in line


def test_no_message_speaks_the_library_s_language(tmp_path: Path) -> None:
    for below, *_ in MISTAKES:
        for line in _mistakes(tmp_path, TOP + below + "\n"):
            assert not any(word in line for word in ("Input", "pydantic", "tuple", "dict", "string", "ctx", "None", "validat"))


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "integration.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + (TOP + "sales: {}\n").encode())
    assert load_integration(file).name == "acme"


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no configuration file") as caught:
        load_integration(tmp_path / "nowhere.yaml")
    assert "integration.example.yaml" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="there is no configuration file"):
        load_integrations(tmp_path / "nowhere.yaml")


def test_a_folder_instead_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is a folder"):
        load_integration(tmp_path)


def test_a_file_that_is_no_utf8_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "integration.yaml"
    file.write_bytes(TOP.encode() + b"sales: {class: \xff}\n")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_integration(file)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "integration.yaml"
    file.symlink_to(file)  # refused for every user, root too
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_integration(file)


def test_a_broken_file_of_a_folder_does_not_take_the_others_down(tmp_path: Path) -> None:
    _write(tmp_path, TOP + "sales: {}\n", "a.yaml")
    _write(tmp_path, "name: [", "b.yml")
    _write(tmp_path, TOP.replace("acme", "other").replace("ABC123", "XYZ") + "sales: {}\n", "c.yaml")
    _write(tmp_path, "not ours", "notes.txt")
    _write(tmp_path, "not ours", ".hidden.yaml")
    first, second, third = load_integrations(tmp_path)
    assert first.integration is not None
    assert first.integration.name == "acme"
    assert first.error is None
    assert second.integration is None
    assert second.error is not None
    assert f"{second.path}:1: not valid YAML" in str(second.error)
    assert third.integration is not None
    assert third.integration.name == "other"


def test_a_single_file_gives_one_result(tmp_path: Path) -> None:
    (good,) = load_integrations(_write(tmp_path, TOP + "sales: {}\n"))
    assert good.integration is not None
    (bad,) = load_integrations(_write(tmp_path, TOP))
    assert bad.error is not None


def test_two_files_with_one_name_are_both_refused_and_name_each_other(tmp_path: Path) -> None:
    _write(tmp_path, TOP + "sales: {}\n", "a.yaml")
    _write(tmp_path, "\n" + TOP.replace("ABC123", "XYZ") + "sales: {}\n", "b.yaml")
    first, second = load_integrations(tmp_path)
    assert f"{first.path}:1: name: the same name as in b.yaml" in str(first.error)
    assert f"{second.path}:2: name: the same name as in a.yaml" in str(second.error)
    assert first.integration is None
    assert second.integration is None


def test_two_files_with_the_same_pair_of_accounts_are_both_refused(tmp_path: Path) -> None:
    _write(tmp_path, TOP + "sales: {}\n", "a.yaml")
    _write(tmp_path, TOP.replace("acme", "other") + "expenses: {}\n", "b.yaml")
    results = load_integrations(tmp_path)
    assert all("posted twice" in str(result.error) for result in results)


def test_one_freshbooks_account_may_go_to_two_companies(tmp_path: Path) -> None:
    _write(tmp_path, TOP + "sales: {}\n", "a.yaml")
    _write(tmp_path, TOP.replace("acme", "other").replace("9341452000000000", "42") + "sales: {}\n", "b.yaml")
    assert all(result.error is None for result in load_integrations(tmp_path))


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"holds no \*.yaml file"):
        load_integrations(tmp_path)


def test_a_file_that_is_too_large_to_be_settings_is_refused_before_it_is_read_in_whole(tmp_path: Path) -> None:
    file = _write(tmp_path, TOP)
    with file.open("ab") as out:
        out.truncate(3 * 2**30)
    with pytest.raises(ConfigurationError, match=r"integration.yaml is larger than 512 KB\n  → "):
        load_integration(file)


def test_a_folder_goes_on_without_the_file_that_has_no_bounds(tmp_path: Path) -> None:
    _write(tmp_path, EXAMPLE.read_text(), "good.yaml")
    _write(tmp_path, TOP + "sales: " + "[" * 5000 + "\n", "laughs.yaml")
    results = {result.path.name: result for result in load_integrations(tmp_path)}
    assert results["good.yaml"].integration is not None
    assert f"{tmp_path}/laughs.yaml:6: not valid: more than 20 levels" in str(results["laughs.yaml"].error)
