"""Which QuickBooks customer or vendor answers a request: one that exists, or a new one under a free name.

Two mistakes are possible: making a second record of somebody who is there, and putting two people's documents on one
record. The second is worse, so a record is only used where name, e-mail and currency do not contradict.
Customers, vendors and employees share one set of names (6240), inactive ones included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fb_qbo_pipeline.mapping.documents import Json, PartyRequest
from fb_qbo_pipeline.mapping.text import NAME_LENGTH, legal_name
from fb_qbo_pipeline.quickbooks.company import Party, fold


@dataclass(frozen=True, slots=True)
class Use:
    """An existing record answers the request."""

    id: str


@dataclass(frozen=True, slots=True)
class Create:
    """A record has to be created; `body` is the whole create request, DisplayName included."""

    display_name: str
    body: Json = field(repr=False)


PartyDecision = Use | Create


def decide_party(request: PartyRequest, parties: Sequence[Party], linked: Mapping[str, str]) -> PartyDecision:
    """Decide about a request that has no link yet.

    `parties` are all customers, vendors and employees, inactive ones too. `linked` maps request keys of the same kind to
    the QuickBooks ids that they already use. An inactive record is never used; its name may still block a new one.
    """
    used = {party_id for key, party_id in linked.items() if key != request.key}
    candidates = [party for party in parties if party.active and party.kind == request.kind and _same_currency(request, party)]
    for party in candidates:
        if fold(party.display_name) == fold(request.name) and _compatible(request, party, used):
            return Use(party.id)
    names = {fold(name) for name in (request.name, *request.aliases)}
    for party in candidates:
        # A name in QuickBooks may be longer than the one that is asked for, which was cut.
        known_as = {fold(legal_name(name)) for name in (party.display_name, party.company_name)} - {""}
        if names & known_as and _same_email(request, party) and party.id not in used:
            return Use(party.id)
    name = free_name(request, parties)
    return Create(name, {"DisplayName": name, **request.body})


def free_name(request: PartyRequest, parties: Sequence[Party]) -> str:
    """The wished name, or it with the suffix (and a counter), that no customer, vendor or employee has."""
    taken = {fold(party.display_name) for party in parties}
    if fold(request.name) not in taken:
        return request.name
    ending, counter = request.suffix, 1
    while True:
        name = request.name[: NAME_LENGTH - len(ending)].rstrip() + ending
        if fold(name) not in taken:
            return name
        counter += 1
        ending = f"{request.suffix} {counter}"


def _same_currency(request: PartyRequest, party: Party) -> bool:
    return request.currency is None or party.currency.upper() == request.currency.upper()


def _same_email(request: PartyRequest, party: Party) -> bool:
    return bool(_emails(request.email) & _emails(party.email))


def _compatible(request: PartyRequest, party: Party, used: set[str]) -> bool:
    """Equal e-mails, or one of them unknown while no other client or vendor uses the record."""
    if _same_email(request, party):
        return True
    return party.id not in used and (not _emails(request.email) or not _emails(party.email))


def _emails(text: str) -> set[str]:
    """The addresses of a field, to compare: QuickBooks takes several with commas."""
    return set(text.replace(",", " ").replace(";", " ").casefold().split())
