"""How FreshBooks writes numbers, money and times into its JSON, and the care that a copy of a record needs.

Amounts and percents are strings; money has two decimals, or more where somebody entered more.
"""

import datetime as dt
from decimal import Decimal

from fb_qbo_pipeline.money import parse_decimal
from fb_qbo_pipeline.sandbox.freshbooks.clock import eastern_text, eastern_version
from fb_qbo_pipeline.sandbox.freshbooks.resources import Json

Number = Decimal | int | str


def plain(number: Number) -> str:
    """A number as FreshBooks writes percents and quantities: 13, 9.975, 0.333; never 1E+1 or 13.000."""
    value = parse_decimal(number)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(amount: Number, currency: str) -> Json:
    """`{"amount": "12.30", "code": "CAD"}`: two decimals, more where the amount has more, also for yen."""
    value = parse_decimal(amount)
    places = max(2, -int(value.as_tuple().exponent))
    return {"amount": f"{value:.{places}f}", "code": currency}


def amount_of(value: Json) -> Decimal:
    """The Decimal in a money object."""
    return parse_decimal(value["amount"])


def stamp(instant: dt.datetime) -> Json:
    """What every edit of a record changes."""
    return {"updated": eastern_text(instant)}


def version_stamp(instant: dt.datetime) -> Json:
    """What every edit of an invoice changes."""
    return {"updated": eastern_text(instant), "version": eastern_version(instant)}


def stamp_of(record: Json, instant: dt.datetime) -> Json:
    """What an edit of this record changes, whichever resource it is of."""
    if "version" in record:
        return version_stamp(instant)
    return {"updated_at": eastern_text(instant)} if "updated_at" in record else stamp(instant)


def changed(record: Json, changes: Json) -> Json:
    """The record with `changes`; raises ValueError for a key that it does not have."""
    unknown = sorted(key for key in changes if key not in record)
    if unknown:
        raise ValueError(f"no such field: {', '.join(unknown)}")
    return {**record, **changes}
