"""YAML as text with lines: no value changes by YAML's guesses, and every syntax error is explained."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_qbo_pipeline.settings.yaml_reader import read_yaml


@pytest.mark.parametrize("scalar", ["NO", "on", "1", "9341452000000000", "0.05", "20.0", "2025-01-01", "1e3", ".5", "20.0% S", "-1"])
def test_a_value_is_the_text_that_stands_in_the_file(scalar: str) -> None:
    assert read_yaml(f"key: {scalar}\n").data == {"key": scalar}


@pytest.mark.parametrize("key", ["NO", "on", "20", "9.975", "2025-01-01", "none", "GST + QST"])
def test_a_key_is_the_text_that_stands_in_the_file(key: str) -> None:
    assert read_yaml(f"{key}: value\n").data == {key: "value"}


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="﻿￾￿"), max_size=40))
def test_text_in_single_quotes_is_read_unchanged(text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    assert read_yaml(f"key: {quoted}\n").data == {"key": text}


@pytest.mark.parametrize("nothing", ["", "~", "null"])
def test_nothing_is_none(nothing: str) -> None:
    assert read_yaml(f"key: {nothing}\n").data == {"key": None}


@pytest.mark.parametrize("scalar", ["0123", "007", "0x1F", "0b11", "1_000", "12:30", "09", "+012"])
def test_a_number_that_yaml_reads_in_its_own_way_is_refused_unless_in_quotes(scalar: str) -> None:
    (mistake,) = read_yaml(f"a: 1\nkey: {scalar}\n").mistakes
    assert (mistake.line, mistake.path) == (2, ("key",))
    assert f'"{scalar}"' in mistake.remedy
    assert read_yaml(f'key: "{scalar}"\n').data == {"key": scalar}


def test_a_key_twice_is_refused_with_both_lines() -> None:
    (mistake,) = read_yaml("taxes:\n  HST: a\n  GST: b\n  HST: c\n").mistakes
    assert (mistake.line, mistake.path) == (4, ("taxes", "HST"))
    assert "first on line 2" in mistake.wrong


@pytest.mark.parametrize("key", ["null", "~", "?"])
def test_a_key_of_nothing_is_refused_and_none_is_offered(key: str) -> None:
    document = read_yaml(f"taxes:\n  {key}: Exempt\n  HST: HST ON\n" if key != "?" else "taxes:\n  ? \n  : Exempt\n  HST: HST ON\n")
    (mistake,) = document.mistakes
    assert mistake.line == 2
    assert "write none" in mistake.remedy
    assert document.data == {"taxes": {"HST": "HST ON"}}


def test_each_key_and_list_member_knows_its_line() -> None:
    document = read_yaml("sales:\n  statuses:\n    - sent\n    - paid\n  due_date: {type: days,\n    days: 3}\n")
    paths = [("sales",), ("sales", "statuses"), ("sales", "statuses", 1), ("sales", "due_date", "days")]
    assert [document.line(path) for path in paths] == [1, 2, 4, 6]


def test_a_key_that_is_absent_has_the_line_of_its_section() -> None:
    document = read_yaml("a: 1\nsales:\n  x: 1\n")
    assert document.line(("sales", "products", "create")) == 2
    assert document.line(("payments",)) == 1


def test_an_alias_gives_the_values_of_its_anchor() -> None:
    assert read_yaml("a: &taxes {HST: HST ON}\nb: *taxes\n").data == {"a": {"HST": "HST ON"}, "b": {"HST": "HST ON"}}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: &x {c: *x}\n", 2, "contains itself"),
        ("a: &x {c: d}\nb:\n  <<: *x\n", 3, "merge keys"),
        ("a: !secret x\n", 1, "the tag !secret"),
        ("a: 1\n[b, c]: d\n", 2, "where a key should be"),
        ("", 1, "the file is empty"),
        ("# only a comment\n", 1, "the file is empty"),
        ("- a\n- b\n", 1, "not a mapping"),
        ("just text\n", 1, "not a mapping"),
        ("sales:\n\tpost_as: invoice\n", 2, "a tab character"),
        ("a: b: c\n", 1, "a second “: ”"),
        ("a:\n  b: 1\n c: 2\n", 3, "the indentation does not fit"),
        ("a: 1\nb: @home\n", 2, "no value may begin with"),
        ("a: 1\ncron: * * * * *\n", 2, "begins with *"),
        ("a: *nothing\n", 1, "begins with *"),
        ('a: 1\nb: "open\nc: 2\n', 2, "never closed"),
        ("a: 1\nb: [x, y\nc: 2\n", 2, "a bracket or brace"),
        ("a: 1\nb: {x: y\nc: 2}\n", 2, "a bracket or brace"),
        ("a: 1\nword\nc: 2\n", 3, "a key without a colon"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: 1\nb: \x07\n", 2, "a control character"),
        ("%YAML 9\na: 1\n", 1, "not valid YAML"),
    ],
)
def test_what_cannot_be_read_is_explained_with_its_line(text: str, line: int, words: str) -> None:
    (mistake,) = read_yaml(text).mistakes
    assert (mistake.line, words in mistake.wrong) == (line, True), mistake
    assert mistake.remedy


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`,? \n\t01", max_size=60))
def test_any_text_is_read_or_explained_and_nothing_is_raised(text: str) -> None:
    document = read_yaml(text)
    assert document.data is not None or document.mistakes


def _laughs(levels: int) -> str:
    """Aliases of lists of aliases: nine to the power of `levels` values."""
    lines = ["a0: &a0 [" + ", ".join(["lol"] * 9) + "]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "line", "wrong"),
    [
        (_laughs(9), 5, "more than 20,000 values"),
        ("name: acme\nsales: " + "[" * 5000 + "]" * 5000 + "\n", 2, "more than 20 levels"),
        ("name: acme\nsales: " + "{a: " * 5000 + "1" + "}" * 5000 + "\n", 2, "more than 20 levels"),
        ("name: acme\n" + "".join(f"{' ' * n}k:\n" for n in range(60)), 22, "more than 20 levels"),
        ("name: acme\n" + "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60)), 21, "more than 20 levels"),
        ("taxes:\n" + "".join(f"  k{n}: v\n" for n in range(21_000)), 10_000, "more than 20,000 values"),
    ],
    ids=["aliases of aliases", "lists in lists", "mappings in mappings", "indented", "depth by aliases", "keys"],
)
def test_a_file_without_bounds_is_refused_with_its_line_and_a_remedy(text: str, line: int, wrong: str) -> None:
    started = time.process_time()
    document = read_yaml(text)
    (mistake,) = document.mistakes
    assert (document.data, mistake.line) == (None, line)
    assert wrong in mistake.wrong
    assert mistake.remedy
    assert time.process_time() - started < 20


def test_a_list_that_is_used_twice_by_an_alias_is_read_twice() -> None:
    assert read_yaml("a: &x [1, 2]\nb: *x\n").data == {"a": ["1", "2"], "b": ["1", "2"]}
