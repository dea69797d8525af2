"""A finding of the preflight: one thing that does not fit, and what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`key` is the setting ("payments.by_method.PayPal"). `fatal`: nothing may be posted until it is changed."""

    key: str
    message: str
    remedy: str
    fatal: bool
