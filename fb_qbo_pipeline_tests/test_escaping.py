"""Names from outside are text wherever they go: each target's own reader sees the text, and nothing that acts."""

import csv
import io
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from openpyxl import Workbook, load_workbook

from fb_qbo_pipeline.escaping import (
    chat,
    csv_cell,
    is_formula,
    json_on_screen,
    mail_body,
    mail_subject,
    markdown,
    one_line,
    spreadsheet,
    terminal,
)

NASTY = [
    r"7\[/x]",
    "[red]paid[/red] :warning:",
    "\x1b[2J\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "\x9b31mred\x9d0;title\x9c",
    "abc\u202egpj.exe\u2066\u200f",
    "one\ntwo\r\nthree\rfour\u2028five\x85six",
    "[pay here](https://evil.example) ![x](https://evil.example/p.png)",
    "<img src=x onerror=alert(1)><script>alert(1)</script> <https://evil.example>",
    "https://evil.example www.evil.example a@evil.example HTTPS://EVIL.example",
    "a|b \\| c \\\\| `code` ```fence``` ~~gone~~ **bold** _it_ __b__",
    "# heading",
    "1. list",
    "- item",
    "+ item",
    "=====",
    "---",
    "1) x",
    ":--|:--",
    "snake_case _a_ __b__ a_",
    "    indented",
    "[x]: https://evil.example 'title'",
    "&lt;b&gt; &#60; &copy; &",
    '=HYPERLINK("https://evil.example")',
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "＝1",
    "\t=1",
    "#N/A",
    "Bcc: everyone@evil.example",
    "a\r\nBcc: everyone@evil.example\r\n\r\nbody",
    "<!channel> <!here> <@U123> <users/all> <https://evil.example|your bank> @channel @all @here",
    "trailing \\",
    "\ud800 lone \udfff \ufffe \uffff \x00",
    "Zoë & Söhne – 中文 🧾 می‌خواهم",
    "",
]
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
pieces = st.sampled_from([*NASTY, "[", "](", "!", "<", ">", "|", "\\", "`", "*", "_", "~", "@", "&", "://", "www.", "http", "\n", "\x1b"])
texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(alphabet=st.characters(codec=None), max_size=40),
    st.lists(st.one_of(pieces, st.text(max_size=5)), max_size=6).map("".join),
)

# What the UI's Markdown makes links of, even where the characters were escaped: it searches the text after that.
LINKS_IN_TEXT = [re.compile(r"(https?://|www(?=\.))[-.\w]+", re.I), re.compile(r"[-.\w+]+@[-\w]+\.[-\w]+")]


def inline(source: str) -> list[tuple[str, str]]:
    """What a Markdown parser sees in `source`: kinds of tokens and their text."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found: list[tuple[str, str]] = []
    for token in parser.parse(source):
        found += [(child.type, child.content) for child in token.children or ()] if token.type == "inline" else [(token.type, "")]
    return found


@given(texts)
def test_nothing_reaches_a_terminal_that_it_obeys_and_lines_stay_where_they_are_ours(text: str) -> None:
    assert not UNSEEN.search(terminal(text))
    assert not UNSEEN.search(one_line(text))
    assert len(one_line(text).splitlines()) <= 1
    terminal(text).encode()


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "M"])))
def test_ordinary_text_stays_as_it_is_on_a_terminal_and_in_a_spreadsheet(text: str) -> None:
    assert terminal(text) == one_line(text) == spreadsheet(text) == mail_body(text) == text


@given(texts)
def test_markdown_shows_the_text_and_no_link_image_html_or_format(text: str) -> None:
    tokens = inline(markdown(text))
    assert {kind for kind, _content in tokens} <= {"paragraph_open", "paragraph_close", "text"}
    shown = "".join(content for _kind, content in tokens)
    assert not any(pattern.search(shown) for pattern in LINKS_IN_TEXT)
    assert shown.replace("\u2060", "").split() == one_line(text).split()


@given(st.lists(texts, min_size=1, max_size=4))
def test_a_cell_of_a_markdown_table_stays_one_cell(cells: list[str]) -> None:
    source = "\n".join(["| a " * len(cells) + "|", "|---" * len(cells) + "|", "| " + " | ".join(map(markdown, cells)) + " |"])
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    assert sum(token.type == "td_open" for token in tokens) == len(cells)
    shown = [token.content for token in tokens if token.type == "inline"][len(cells) :]
    assert len(shown) == len(cells)


@given(texts)
def test_a_spreadsheet_takes_every_text(text: str) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    cell = sheet.cell(1, 1)
    cell.value = spreadsheet(text)
    cell.data_type = "s"
    file = io.BytesIO()
    book.save(file)
    read = load_workbook(file).active
    assert read is not None
    assert (read.cell(1, 1).value or "") == spreadsheet(text)
    assert read.cell(1, 1).data_type != "f"


@given(texts)
def test_a_csv_cell_is_no_formula_and_reads_back_as_one_cell(text: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([csv_cell(text), "end"])
    ((cell, end),) = csv.reader(io.StringIO(file.getvalue()))
    assert end == "end"
    assert not is_formula(cell)
    assert cell == csv_cell(text)
    assert cell in (one_line(text), f"'{one_line(text)}")


@pytest.mark.parametrize("formula", ["=1+1", "+cmd|x", "-1+1", "@SUM(A1)", " =1", "\t=1", "＝1", "=-1"])
def test_a_text_that_a_spreadsheet_would_compute_is_known(formula: str) -> None:
    assert is_formula(formula)
    assert csv_cell(formula).startswith("'")


@pytest.mark.parametrize("number", ["-12.50", "+3", "-1,234.00", "12"])
def test_a_number_in_a_csv_cell_stays_a_number(number: str) -> None:
    assert csv_cell(number) == number


@given(texts, texts)
def test_a_mail_has_the_headers_that_we_gave_it_and_one_body(subject: str, body: str) -> None:
    message = EmailMessage()
    message["Subject"], message["To"] = mail_subject(subject), "books@example.com"
    message.set_content(mail_body(body))
    read = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert set(read.keys()) == {"Subject", "To", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert not UNSEEN.search(read["Subject"])
    assert len(mail_subject(subject)) <= 200


UI = "https://dagster.example:3000"


@given(texts, st.sampled_from(["", f" {UI}/runs/1?view=checks", f"{UI}/assets/a/b"]))
def test_a_chat_mentions_nobody_and_links_only_to_our_own_ui(text: str, link: str) -> None:
    sent = chat(f"{text} {link}", UI)
    assert not re.search(r"[<>]|@\w|www\.|\]\(", sent)
    assert sent.endswith(link)
    assert re.findall(r"https?://\S+", sent.replace(UI, "")) == []
    kinds = {kind for kind, _content in inline(sent)}
    assert not kinds & {"link_open", "image", "html_inline", "html_block", "code_inline", "fence", "em_open", "strong_open", "s_open"}


@pytest.mark.parametrize("foreign", [f"{UI}@evil.example/", f"{UI}.evil.example/", f"{UI}1/x"])
def test_an_address_that_only_begins_like_our_uis_is_no_link_in_a_chat(foreign: str) -> None:
    assert "://" not in chat(foreign, UI)


@given(texts)
def test_json_on_a_screen_holds_the_exact_text_and_nothing_that_a_terminal_obeys(text: str) -> None:
    written = json_on_screen(simplejson.dumps({"name": text}, ensure_ascii=False))
    assert simplejson.loads(written) == {"name": text}
    assert not UNSEEN.search(written)
    written.encode()


def test_every_page_of_the_ui_that_shows_markdown_finds_links_in_text() -> None:
    """Where this fails, the UI's Markdown has changed: look again at what `markdown` has to break."""
    import dagster_webserver

    chunks = Path(dagster_webserver.__file__).parent / "webapp" / "build" / "_next" / "static" / "chunks"
    bundle = [file.read_text(encoding="utf-8") for file in chunks.glob("*.js")]
    assert any("www(?=" in text and "https?:" in text for text in bundle)
    assert not any("rehypeRaw" in text for text in bundle)
