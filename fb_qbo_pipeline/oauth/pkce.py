"""Proof that whoever redeems an authorization code is who asked for it (RFC 7636): a stolen code alone buys nothing.

The authorize address carries a hash of a secret, and the code is redeemed with the secret itself. A service that does not know
this has to ignore both (RFC 6749, 3.1 and 3.2); docs/decisions/0023 has what is known of ours.
"""

import base64
import hashlib
import secrets


def new_verifier() -> str:
    """A fresh secret of one authorization: 43 characters, 256 bits."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> dict[str, str]:
    """What the authorize address says about `verifier`."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return {"code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), "code_challenge_method": "S256"}
