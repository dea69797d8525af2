"""Whose books the FreshBooks connection reaches: the proof of a new connection, and the first step of the preflight.

Two records tell: the login's list of businesses, and the account's own record. An OAuth app's scopes, or the login's role,
may hide either of them, so one is enough.
"""

from dataclasses import dataclass

from fb_qbo_pipeline.errors import ConfigurationError, RemoteRefusal
from fb_qbo_pipeline.freshbooks.reader import FreshBooksReader


@dataclass(frozen=True, slots=True)
class Business:
    """A FreshBooks account as people know it. `currency` is its base currency, '' where FreshBooks does not say."""

    account_id: str
    name: str
    currency: str


def freshbooks_business(reader: FreshBooksReader) -> Business:
    """The business behind the reader's account.

    Raises ConfigurationError where the login has no such account (and names those that it has), RemoteRefusal where
    neither record may be read, ConnectionRequired or Unreachable.
    """
    account_id = reader.client.account_id
    known = _accounts_of_login(reader)
    try:
        system = reader.system()
    except RemoteRefusal:
        if account_id not in known:
            raise
        return Business(account_id, known[account_id], "")
    except ConfigurationError as unknown:
        if account_id in known:
            return Business(account_id, known[account_id], "")
        if not known:
            raise
        raise ConfigurationError(unknown.message, f"this login has: {', '.join(sorted(known))}; {unknown.remedy}") from None
    return Business(account_id, str(system.get("name") or known.get(account_id, "")), str(system.get("currency_code") or "").upper())


def _accounts_of_login(reader: FreshBooksReader) -> dict[str, str]:
    """Account id → business name; nothing where the login may not be read. A business without books has no account id."""
    try:
        memberships = reader.me().get("business_memberships")
    except RemoteRefusal:
        return {}
    businesses = [one.get("business") or {} for one in memberships or () if isinstance(one, dict)]
    return {str(one["account_id"]): str(one.get("name") or "") for one in businesses if one.get("account_id")}
