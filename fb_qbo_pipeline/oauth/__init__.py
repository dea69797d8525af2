"""OAuth2, shared by both sides: the token endpoint, the authorizer that keeps tokens fresh, the browser's callback."""

from fb_qbo_pipeline.oauth.authorizer import Authorizer, LockedTokens, MemoryTokenStore, TokenStore
from fb_qbo_pipeline.oauth.callback import Callback, CallbackServer, parse_callback
from fb_qbo_pipeline.oauth.endpoint import AuthStyle, OAuthApp, TokenPair, authorize_url, exchange_code
from fb_qbo_pipeline.oauth.pkce import new_verifier

__all__ = [
    "AuthStyle",
    "Authorizer",
    "Callback",
    "CallbackServer",
    "LockedTokens",
    "MemoryTokenStore",
    "OAuthApp",
    "TokenPair",
    "TokenStore",
    "authorize_url",
    "exchange_code",
    "new_verifier",
    "parse_callback",
]
