"""Who is signed in, and the account's own record.

`users/me` has no `result` layer. One membership has `account_id` null, as for a user who is also somebody's client, and stands
first: the order of memberships means nothing.
"""

from fb_qbo_pipeline.sandbox.freshbooks.resources import Json
from fb_qbo_pipeline.sandbox.freshbooks.state import FreshBooks

_IDENTITY = 12001
_SYSTEM = 654001


def me(account: FreshBooks) -> Json:
    """`GET /auth/api/v1/users/me`."""
    own = _membership(140130, "owner", account.business_id, account.business_name, account.account_id, account.country)
    other = _membership(140135, "client", account.business_id + 1, "A Supplier", None, account.country)
    return {
        "response": {
            "id": _IDENTITY,
            "identity_id": _IDENTITY,
            "first_name": "Sandbox",
            "last_name": "Owner",
            "email": "owner@example.com",
            "language": "en",
            "confirmed_at": "2020-01-01T05:57:24Z",
            "created_at": "2020-01-01T05:42:42Z",
            "setup_complete": True,
            "phone_numbers": [{"title": "", "phone_number": None}],
            "addresses": [None],
            "permissions": {account.account_id: {}},
            "groups": [
                {
                    "id": 1,
                    "group_id": 2,
                    "role": "owner",
                    "identity_id": _IDENTITY,
                    "business_id": account.business_id,
                    "active": True,
                }
            ],
            "subscription_statuses": {account.account_id: "active"},
            "integrations": {},
            "business_memberships": [other, own],
            "roles": [
                {
                    "id": 61270,
                    "role": "admin",
                    "systemid": _SYSTEM,
                    "userid": 1,
                    "accountid": account.account_id,
                    "created_at": "2020-01-01T05:57:02Z",
                    "links": {"destroy": "/service/auth/api/v1/users/role/61270"},
                }
            ],
        }
    }


def system(account: FreshBooks) -> Json:
    """The `system` record: base currency and country."""
    return {
        "accountid": account.account_id,
        "id": _SYSTEM,
        "systemid": _SYSTEM,
        "name": account.business_name,
        "currency_code": account.currency,
        "country": account.country,
        "province": "",
        "city": "",
        "code": "",
        "street": "",
        "timezone": account.timezone,
        "timezoneid": 1,
        "dst": True,
        "business_type": None,
        "vat_name": None,
        "vat_number": "",
        "active": True,
        "modern_system": True,
        "email": "owner@example.com",
    }


def _membership(membership_id: int, role: str, business_id: int, name: str, account_id: str | None, country: str) -> Json:
    address = {"id": business_id, "street": "", "city": "", "province": "", "country": country, "postal_code": ""}
    business = {
        "id": business_id,
        "business_uuid": f"00000000-0000-4000-8000-{business_id:012}",
        "name": name,
        "account_id": account_id,
        "date_format": "dd/mm/yyyy",
        "active": True,
        "address": address,
        "phone_number": {"id": business_id, "phone_number": ""},
        "business_clients": [],
    }
    return {"id": membership_id, "role": role, "unacknowledged_change": False, "business": business}
