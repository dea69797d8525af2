"""Makes text from outside safe for where it goes: terminals, Markdown, spreadsheets, mails, chats. One function a target.

Names, numbers and descriptions are typed by strangers: a FreshBooks client names himself. They are shown, never obeyed: no
markup, no link, no formula, no command to a terminal, no further header. What a reader could not see (control characters,
marks that turn the direction of writing) becomes U+FFFD, so that it is seen to be there; line ends become blanks where a text
has one line. Where a character cannot be escaped, a word joiner (U+2060, invisible) or a look-alike parts what would act.
JSON keeps every value exactly.
"""

import re

_GONE = "\ufffd"
_JOINER = "\u2060"
_LONGEST_SUBJECT = 200

# Control characters but tab and line feed; marks of direction and other invisible ones (not the two joiners that Persian,
# Hindi and emoji are written with); halves of surrogate pairs and what is no character, which neither UTF-8 nor XML can hold.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_SEPARATORS = {0x2028: "\n", 0x2029: "\n"}
_MARKDOWN = re.compile(r"[\\`*\[\]<>&~|!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_MARKDOWN_START = re.compile(r"^(?:\d{1,9}(?=[.)](?:\s|$))|(?=[=#]|[-+](?:[-\s]|$)|:-))")  # lists, headings, rules, tables
_LINKS = re.compile(r"(?i)(?<=[a-z0-9]:)(?=//)|(?<=www)(?=\.)|(?=@)")
_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[-+]?[\d,]+(\.\d+)?")
_LOOK_ALIKE = str.maketrans({"<": "‹", ">": "›", "*": "∗", "`": "ˋ", "~": "∼"})
_CHAT = re.compile(r"(?<=\])(?=[(:\[])|(?<=@)|(?<=&)(?=#?\w+;)")
_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def terminal(text: str) -> str:
    """Text for a terminal or a log: lines and tabs stay, what a terminal would obey does not."""
    return text if text.isprintable() else _UNSEEN.sub(_GONE, text.replace("\r\n", "\n").translate(_SEPARATORS))


def one_line(text: str) -> str:
    """As `terminal`, on one line."""
    return text if text.isprintable() else _UNSEEN.sub(_GONE, _LINE_ENDS.sub(" ", text))


def markdown(text: str) -> str:
    """Text for Markdown, also in a cell of a table: one line, no link, image, HTML or format.

    The Dagster UI renders GitHub's Markdown, which also makes links of bare addresses; it looks for them after escapes are
    resolved, so that a word joiner has to part them.
    """
    escaped = _MARKDOWN.sub(r"\\\g<0>", one_line(text).strip())
    return _unlinked(_MARKDOWN_START.sub(lambda found: f"{found[0]}\\", escaped))


def spreadsheet(text: str) -> str:
    """Text for a cell that is written as text (openpyxl: `data_type = "s"`): any character that a workbook can hold."""
    return terminal(text)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would compute this text once somebody edits the cell or opens it as CSV."""
    return bool(_FORMULA.match(text)) and not _NUMBER.fullmatch(text)


def csv_cell(text: str) -> str:
    """Text for a cell of a CSV file: one line, with an apostrophe before what a spreadsheet would compute."""
    line = one_line(text)
    return f"'{line}" if is_formula(line) else line


def mail_subject(text: str) -> str:
    """Text for a mail's header: one line of bounded length."""
    return one_line(text)[:_LONGEST_SUBJECT]


def mail_body(text: str) -> str:
    """Text for a mail's plain body."""
    return terminal(text)


def chat(text: str, ui: str = "") -> str:
    """A whole message for a chat (Slack, Mattermost, Rocket.Chat, Google Chat): no mention, no format, no link but into `ui`.

    Their markups have no common escape, so what acts is replaced by what looks alike.
    """
    cleaned = terminal(text)
    if not ui:
        return _plain_chat(cleaned)
    own = re.compile(rf"({re.escape(ui)}(?:[/?][\w/.?=&%-]*)?)(?![^\s),;])", re.ASCII)
    return "".join(part if place % 2 else _plain_chat(part) for place, part in enumerate(own.split(cleaned)))


def json_on_screen(document: str) -> str:
    r"""A JSON document for a terminal: the same values, with what a terminal would obey written as \u escapes."""
    return _UNSEEN.sub(_as_escape, document)


def _as_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def _unlinked(text: str) -> str:
    return _LINKS.sub(_JOINER, text)


def _plain_chat(text: str) -> str:
    return _unlinked(_UNDERSCORE.sub("ˍ", _CHAT.sub(_JOINER, text.translate(_LOOK_ALIKE))))
