"""Change data capture: what was created, changed or deleted since a moment, for a list of entities.

Thirty days back and a thousand objects at most, without pages; deleted transactions appear only as stubs. Tax lists are not
part of it.
"""

import datetime as dt

from fb_qbo_pipeline.sandbox.quickbooks.refusals import Json, Refusal
from fb_qbo_pipeline.sandbox.quickbooks.state import QuickBooks
from fb_qbo_pipeline.sandbox.quickbooks.store import LISTS, TRANSACTIONS

LOOK_BACK = dt.timedelta(days=30)
MOST_OBJECTS = 1000
CAPTURED = (frozenset(TRANSACTIONS) | frozenset(LISTS)) - {"TaxCode", "TaxRate", "TaxAgency", "CompanyCurrency"}


def changed_since(company: QuickBooks, entities: str, since: str) -> Json:
    """The CDCResponse for `entities` (names with commas) since an ISO time; raises Refusal 2000, 2020, 2060."""
    with company.lock:
        company.counters.reads += 1
        names = [name.strip() for name in entities.split(",") if name.strip()]
        if not names:
            raise Refusal("2020", "Required parameter entities is missing in the request", "entities")
        for name in names:
            if name not in CAPTURED:
                raise Refusal("2000", f"Invalid or unsupported object name : {name}", "entities")
        moment = _moment(company, since)
        room = MOST_OBJECTS
        answers: list[Json] = []
        for name in names:
            found = _changed(company, name, moment)[:room]
            room -= len(found)
            answers.append({name: found, "startPosition": 1, "maxResults": len(found)} if found else {})
        return {"QueryResponse": answers}


def _moment(company: QuickBooks, since: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(since)
    except ValueError:
        raise Refusal("2060", "Invalid Date Format : changedSince has to be an ISO time", "changedSince") from None
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).replace(microsecond=0)  # MetaData counts in seconds
    if moment < company.clock() - LOOK_BACK:
        raise Refusal("2070", "Invalid Date : changedSince may be at most 30 days ago", "changedSince")
    return moment


def _changed(company: QuickBooks, entity: str, moment: dt.datetime) -> list[Json]:
    rows = [row for row in company.tables[entity].values() if dt.datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"]) >= moment]
    for row_id, when in company.deleted[entity].items():
        if dt.datetime.fromisoformat(when) >= moment:
            rows.append({"domain": "QBO", "status": "Deleted", "Id": row_id, "MetaData": {"LastUpdatedTime": when}})
    return rows
