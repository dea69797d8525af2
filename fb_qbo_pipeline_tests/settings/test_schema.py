"""The keys that the models know, by the names that stand in the file."""

from fb_qbo_pipeline.settings.models import Integration, Sales
from fb_qbo_pipeline.settings.schema import field_at, keys_at, keys_of, section_of


def test_a_key_is_named_as_in_the_file() -> None:
    assert "class" in keys_of(Sales)
    assert "class_" not in keys_of(Sales)


def test_a_section_is_found_behind_its_optional_type() -> None:
    assert section_of(Integration.model_fields["sales"].annotation) is Sales
    assert section_of(Integration.model_fields["name"].annotation) is None


def test_keys_are_found_at_any_depth() -> None:
    assert keys_at(("sales", "due_date")) == ("type", "days")
    assert "realm_id" in keys_at(("quickbooks",))
    assert keys_at(())[0] == "name"


def test_a_path_into_a_map_or_nowhere_has_neither_field_nor_keys() -> None:
    for path in (("sales", "taxes", "HST"), ("nowhere",), ("sales", "statuses", 0)):
        assert field_at(path) is None
        assert keys_at(path) == ()
