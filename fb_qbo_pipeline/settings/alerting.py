"""What the environment says about alerts, checked: where they go, how often, and who sends them.

A webhook's address and a mail server's hold secrets, so no message quotes a value.
"""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")
_PORTS = {"smtp": 587, "smtps": 465}


class WrongValue(ValueError):
    """A variable's value cannot be used: what is wrong, what to do."""

    def __init__(self, wrong: str, remedy: str) -> None:
        super().__init__(wrong)
        self.remedy = remedy


def webhook(text: str) -> str:
    """An address with http or https, as given: its path or query is the secret."""
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or any(character.isspace() for character in text):
        raise WrongValue("is not a web address", "copy the webhook's address from the service, or unset it")
    return text


def secrets_of_webhook(address: str) -> list[str]:
    """What of a checked address lets its owner post: the values of its query (Google Chat), else the end of its path (Slack)."""
    parts = urlsplit(address)
    return [value for _name, value in parse_qsl(parts.query)] or [parts.path.rpartition("/")[2]]


def email_address(text: str) -> str:
    """One address, without a name around it."""
    if not _ADDRESS.fullmatch(text):
        raise WrongValue("is not an e-mail address", "write name@company.com alone")
    return text


def email_addresses(text: str) -> tuple[str, ...]:
    """Addresses separated by commas; none at all is allowed."""
    return tuple(email_address(part.strip()) for part in text.split(",") if part.strip())


def hour_of_day(text: str) -> int:
    """0 to 23."""
    if not (text.isascii() and text.isdigit() and int(text) < 24):
        raise WrongValue(f"{text[:40]!r} is not an hour of the day", "write 0 to 23")
    return int(text)


def smtp_server(text: str) -> str:
    """smtp://USER:PASSWORD@HOST:PORT or smtps://…; user, password and port are optional."""
    try:
        parts = urlsplit(text)
        valid = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0 and parts.path in ("", "/")
    except ValueError:
        valid = False
    if not valid:
        raise WrongValue("is not the address of a mail server", "write smtp://USER:PASSWORD@HOST:587, reserved characters percent-encoded")
    return text


def smtp_parts(address: str) -> tuple[bool, str, int, str, str]:
    """Whether it is TLS from the first byte; host, port, user and password ('' where there is none) of a checked address."""
    parts = urlsplit(address)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return parts.scheme == "smtps", parts.hostname or "", parts.port or _PORTS[parts.scheme], user, password
