"""The key that encrypts OAuth tokens at rest: given, or made once under the home directory.

It can be given in four ways, of which at most one may be used: as text in the environment, as a file, as the output of a command (a
password manager, a cloud's secret store), or as a systemd credential. Only a key that is kept apart from the home protects the
tokens from whoever reads the home or a backup of it.

Two processes that start together must agree on one key: whoever links the finished file first has made it, and the other
reads it. A key that cannot be read is never replaced, since the stored tokens would be lost with it.
"""

import base64
import binascii
import contextlib
import functools
import hashlib
import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from fb_qbo_pipeline.errors import ConfigurationError

FILE_NAME = "secret.key"
CREDENTIAL = "fb_qbo_secret_key"  # its name in systemd's LoadCredential

_COMMAND_SECONDS = 60
_OURS = ("FB_QBO_", "FRESHBOOKS_", "QUICKBOOKS_")  # what the command has no use for

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


@dataclass(frozen=True, slots=True)
class KeySources:
    """Where the environment says that the key is. `chosen` names the ways that are used; more than one is a contradiction."""

    text: str | None = field(default=None, repr=False)
    file: Path | None = None
    command: str | None = field(default=None, repr=False)
    credentials_directory: Path | None = None

    def chosen(self) -> tuple[str, ...]:
        """The variables that give a key. A credentials directory counts where it has ours."""
        given = {
            "FB_QBO_SECRET_KEY": self.text,
            "FB_QBO_SECRET_KEY_FILE": self.file,
            "FB_QBO_SECRET_KEY_COMMAND": self.command,
            "CREDENTIALS_DIRECTORY": self._credential(),
        }
        return tuple(name for name, value in given.items() if value)

    def read(self) -> str | None:
        """The key's text; None where none is given. Raises ConfigurationError, which never quotes what was read."""
        if self.text:
            return self.text
        if self.file is not None:
            return _content("FB_QBO_SECRET_KEY_FILE", self.file)
        if self.command:
            return _output(self.command)
        credential = self._credential()
        return _content("CREDENTIALS_DIRECTORY", credential) if credential is not None else None

    def _credential(self) -> Path | None:
        file = self.credentials_directory / CREDENTIAL if self.credentials_directory is not None else None
        return file if file is not None and file.exists() else None


def _content(variable: str, file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        wrong = error.strerror if isinstance(error, OSError) else "it is not text"
        remedy = "write the key into it, readable for this user only, or correct the variable"
        raise ConfigurationError(f"the key file {file} that {variable} names cannot be read: {wrong}", remedy) from None
    if not text:
        raise ConfigurationError(f"the key file {file} that {variable} names is empty", "write the key into it")
    return text


@functools.cache  # asked once a process: a password manager may want a person's touch
def _output(command: str) -> str:
    """What the command prints, and nothing that it says when it fails: that may quote the key."""
    remedy = "run it by hand as this user; it must print the key and end with status 0"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=environment,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"FB_QBO_SECRET_KEY_COMMAND did not end within {_COMMAND_SECONDS} seconds", remedy) from None
    except (OSError, ValueError, IndexError) as error:  # no such program, quotes that do not match, not text
        wrong = error.strerror if isinstance(error, OSError) else "it is no command line, or what it prints is not text"
        raise ConfigurationError(f"FB_QBO_SECRET_KEY_COMMAND cannot be run: {wrong}", remedy) from None
    if done.returncode != 0:
        raise ConfigurationError(f"FB_QBO_SECRET_KEY_COMMAND ended with status {done.returncode}", remedy)
    if not done.stdout.strip():
        raise ConfigurationError("FB_QBO_SECRET_KEY_COMMAND printed nothing", remedy)
    return done.stdout.strip()


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
