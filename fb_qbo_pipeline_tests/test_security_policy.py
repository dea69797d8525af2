"""SECURITY.md stays true in what can be checked of it: every test, benchmark and page that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_promise_names_tests_that_are_there_and_test_something() -> None:
    section = TEXT.partition("## What is promised")[2].partition("\n## ")[0]
    promises = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert promises
    for promise in promises:
        named = re.findall(r"`((?:\w+/)*test_\w+\.py)`", promise)
        assert named, promise
        for name in named:
            assert re.search(r"^def test_", (Path(__file__).parent / name).read_text(encoding="utf-8"), re.MULTILINE), name


def test_every_benchmark_word_and_page_that_it_names_is_there() -> None:
    for module in re.findall(r"python -m ([\w.]+)", TEXT):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file()
    words = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"\bmake (\w+)", TEXT)) <= set(words)
    for page, heading in re.findall(r"\]\(([^)#]+)#?([^)]*)\)", TEXT):
        headings = re.findall(r"^#+ (.+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert not heading or heading in {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
