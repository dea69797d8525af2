"""The key that encrypts OAuth tokens at rest: given, or made once under the home directory.

Two processes that start together must agree on one key: whoever links the finished file first has made it, and the other
reads it. A key that cannot be read is never replaced, since the stored tokens would be lost with it.
"""

import base64
import binascii
import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from fb_qbo_pipeline.errors import ConfigurationError

FILE_NAME = "secret.key"

_KEY_BYTES = 32
# One salt for all: every machine that is given the same text must have the same key. scrypt makes guessing slow: 16 MiB and
# some 50 ms a try.
_SALT = b"fb_qbo_pipeline token key v1"


def secret_key(home: Path, given: str | None = None) -> bytes:
    """A Fernet key (url-safe base64 of 32 bytes).

    `given` (FB_QBO_SECRET_KEY) is used as it is where it is a Fernet key; any other text is stretched to one by scrypt,
    so it should be long and random. Without it: the content of `home/secret.key`, which is made with mode 0600 where it
    does not exist. Raises ConfigurationError where that file is unusable or cannot be made.
    """
    if given:
        return given.encode() if _is_fernet_key(given.encode()) else _stretched(given)
    file = home / FILE_NAME
    try:
        if not file.exists():
            _make(file)
        key = file.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"the key file {file} cannot be read or made: {error.strerror}", _REMEDY) from None
    if not _is_fernet_key(key):
        raise ConfigurationError(f"the key file {file} holds no key", "restore it from a backup, or delete it and connect again")
    return key


_REMEDY = "make FB_QBO_HOME a directory that this user may write to, or set FB_QBO_SECRET_KEY"


def _is_fernet_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == _KEY_BYTES
    except binascii.Error:
        return False


def _stretched(text: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.scrypt(text.encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=_KEY_BYTES))


def _make(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{FILE_NAME}.", dir=file.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as whole:
            whole.write(Fernet.generate_key())
            whole.flush()
            os.fsync(whole.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its key counts
            os.link(name, file)
    finally:
        Path(name).unlink()
