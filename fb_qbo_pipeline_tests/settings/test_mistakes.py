"""How mistakes are worded: key paths, quoted values, near misses."""

from pathlib import Path

from fb_qbo_pipeline.settings.mistakes import Fault, Mistake, SettingRefused, closest, configuration_error, listed, name_of, shown


def test_a_path_is_named_as_people_write_it() -> None:
    assert name_of(("sales", "products", "create")) == "sales.products.create"
    assert name_of(("sales", "statuses", 1)) == "sales.statuses[2]"
    assert name_of(("sales", "taxes", "VAT 20%")) == 'sales.taxes."VAT 20%"'


def test_a_quoted_value_is_short_and_on_one_line() -> None:
    assert shown("a\n  b") == "'a b'"
    assert len(shown("x" * 500)) < 70


def test_a_near_miss_is_recognised_without_regard_to_case() -> None:
    assert closest("Sale", ("sales", "payments")) == "sales"
    assert closest("zzz", ("sales", "payments")) is None


def test_choices_are_listed_as_in_a_sentence() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b or c"


def test_a_mistake_covers_what_lies_inside_and_what_was_meant() -> None:
    mistake = Mistake(1, ("sales", "classs"), "is not a known key", "did you mean class?", ("sales", "class"))
    assert mistake.covers(("sales", "classs", "x"))
    assert mistake.covers(("sales", "class"))
    assert not mistake.covers(("sales",))


def test_an_error_has_a_line_for_each_mistake_in_the_order_of_the_file() -> None:
    error = configuration_error(Path("f.yaml"), [Mistake(7, ("b",), "is bad", "mend it"), Mistake(2, (), "is torn", "sew it")])
    assert str(error) == "f.yaml:2: is torn → sew it\nf.yaml:7: b: is bad → mend it"


def test_a_refusal_by_a_model_is_readable_on_its_own() -> None:
    assert str(SettingRefused(Fault("days", "40 is not a day", "write 1 to 31"))) == "days 40 is not a day: write 1 to 31"
