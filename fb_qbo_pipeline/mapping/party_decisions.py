"""Which QuickBooks customer or vendor answers a request: one that exists, or a new one under a free name.

Two mistakes are possible: making a second record of somebody who is there, and putting two people's documents on one
record. The second is worse, so a record is only used where name, e-mail and currency do not contradict.
Customers, vendors and employees share one set of names (6240), inactive ones included.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
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
_Key = tuple[str, str]  # kind and id


class Parties:
    """All customers, vendors and employees of a company, inactive ones too, found by name: a company may have ten thousand."""

    def __init__(self, parties: Iterable[Party] = ()) -> None:
        self._members: dict[_Key, Party] = {}
        self._called: defaultdict[str, set[_Key]] = defaultdict(set)
        self._known_as: defaultdict[str, set[_Key]] = defaultdict(set)
        self._places: dict[_Key, int] = {}
        for party in parties:
            self.add(party)

    def get(self, kind: str, party_id: str) -> Party | None:
        """The record with this id."""
        return self._members.get((kind, party_id))

    def add(self, party: Party) -> None:
        """Take in a record, in place of what was known of it."""
        key = party.kind, party.id
        before = self._members.get(key)
        if before is not None:
            self._called[fold(before.display_name)].discard(key)
            for name in _known_names(before):
                self._known_as[name].discard(key)
        self._members[key] = party
        self._places.setdefault(key, len(self._places))
        self._called[fold(party.display_name)].add(key)
        for name in _known_names(party):
            self._known_as[name].add(key)

    def called(self, name: str) -> list[Party]:
        """The records that are displayed under a name, in the order in which they were taken in."""
        return self._ordered(self._called.get(fold(name), ()))

    def known_as(self, names: Iterable[str]) -> list[Party]:
        """The records that have one of these names as their own or their company's, also where it was cut to be legal."""
        return self._ordered({key for name in names for key in self._known_as.get(fold(name), ())})

    def _ordered(self, keys: Collection[_Key]) -> list[Party]:
        return [self._members[key] for key in sorted(keys, key=self._places.__getitem__)]


def _known_names(party: Party) -> set[str]:
    """A name in QuickBooks may be longer than the one that is asked for, which was cut."""
    return {fold(legal_name(name)) for name in (party.display_name, party.company_name)} - {""}


def decide_party(request: PartyRequest, parties: Parties, users: Mapping[str, Collection[str]]) -> PartyDecision:
    """Decide about a request that has no link yet.

    `users` has the keys of the requests of the same kind that use a record, by QuickBooks id. An inactive record is never
    used; its name may still block a new one.
    """
    for party in parties.called(request.name):
        if _usable(request, party) and _compatible(request, party, users):
            return Use(party.id)
    for party in parties.known_as((request.name, *request.aliases)):
        if _usable(request, party) and _same_email(request, party) and not _used_by_others(request, party, users):
            return Use(party.id)
    name = free_name(request, parties)
    return Create(name, {"DisplayName": name, **request.body})


def free_name(request: PartyRequest, parties: Parties) -> str:
    """The wished name, or it with the suffix (and a counter), that no customer, vendor or employee has."""
    if not parties.called(request.name):
        return request.name
    ending, counter = request.suffix, 1
    while True:
        name = request.name[: NAME_LENGTH - len(ending)].rstrip() + ending
        if not parties.called(name):
            return name
        counter += 1
        ending = f"{request.suffix} {counter}"


def _usable(request: PartyRequest, party: Party) -> bool:
    return party.active and party.kind == request.kind and _same_currency(request, party)


def _same_currency(request: PartyRequest, party: Party) -> bool:
    return request.currency is None or party.currency.upper() == request.currency.upper()


def _same_email(request: PartyRequest, party: Party) -> bool:
    return bool(_emails(request.email) & _emails(party.email))


def _compatible(request: PartyRequest, party: Party, users: Mapping[str, Collection[str]]) -> bool:
    """Equal e-mails, or one of them unknown while no other client or vendor uses the record."""
    if _same_email(request, party):
        return True
    return not _used_by_others(request, party, users) and (not _emails(request.email) or not _emails(party.email))


def _used_by_others(request: PartyRequest, party: Party, users: Mapping[str, Collection[str]]) -> bool:
    return any(key != request.key for key in users.get(party.id, ()))


def _emails(text: str) -> set[str]:
    """The addresses of a field, to compare: QuickBooks takes several with commas."""
    return set(text.replace(",", " ").replace(";", " ").casefold().split())
