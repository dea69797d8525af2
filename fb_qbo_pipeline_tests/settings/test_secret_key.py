"""The key for tokens at rest: made once, agreed on by all, never replaced."""

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.fernet import Fernet

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.settings.environment import Environment
from fb_qbo_pipeline.settings.secret_key import CREDENTIAL, FILE_NAME, KeySources, secret_key


def test_a_key_is_made_once_and_found_again(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    key = secret_key(home)
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"token")) == b"token"
    assert secret_key(home) == key


def test_only_its_owner_may_read_the_key_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    secret_key(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_all_who_start_together_agree_on_one_key(tmp_path: Path) -> None:
    workers = 8
    together = Barrier(workers)

    def start(_: int) -> bytes:
        together.wait()
        return secret_key(tmp_path)

    with ThreadPoolExecutor(workers) as pool:
        assert len(set(pool.map(start, range(workers)))) == 1


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 44, b"\xff" * 44])
def test_a_file_without_a_key_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(ConfigurationError, match="holds no key"):
        secret_key(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_home_that_is_a_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")
    with pytest.raises(ConfigurationError, match="cannot be read or made") as caught:
        secret_key(home)
    assert "FB_QBO_HOME" in caught.value.remedy


def test_a_given_fernet_key_is_used_as_it_is_and_no_file_is_made(tmp_path: Path) -> None:
    given = Fernet.generate_key()
    assert secret_key(tmp_path, given.decode()) == given
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["correct horse battery staple", "pässwörd", "x" * 44])
def test_any_other_text_is_stretched_to_the_same_key_everywhere(tmp_path: Path, text: str) -> None:
    key = secret_key(tmp_path / "one", text)
    assert key == secret_key(tmp_path / "other", text)
    assert key != secret_key(tmp_path, text + ".")
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"token")) == b"token"


def test_stretching_gives_the_same_key_in_every_version() -> None:
    # Another salt or another cost would make every stored token unreadable.
    assert secret_key(Path("unused"), "correct horse battery staple") == b"36TZRKDi0gVf6XtGKFFD82xKxI1za1KxqRKahIQnwE8="


LONG = "a long text of the tests, which is no secret"


def test_a_key_may_lie_in_a_file_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{LONG}\n")
    environment = Environment.read({"FB_QBO_HOME": str(tmp_path / "home"), "FB_QBO_SECRET_KEY_FILE": str(file)})
    assert environment.token_key() == secret_key(tmp_path, LONG)
    assert not (tmp_path / "home" / FILE_NAME).exists()


def test_a_key_may_be_printed_by_a_command_that_runs_once_and_sees_none_of_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICKBOOKS_CLIENT_SECRET", "hunter2")
    monkeypatch.setenv("VAULT_TOKEN", "theirs")
    shown = "os.environ.get('QUICKBOOKS_CLIENT_SECRET'), os.environ['VAULT_TOKEN']"
    program = f"import os; open({str(tmp_path / 'runs')!r}, 'a').write('1'); print({shown})"
    sources = KeySources(command=f'{sys.executable} -c "{program}"')
    assert [sources.read(), sources.read()] == ["None theirs"] * 2
    assert (tmp_path / "runs").read_text() == "1"


def test_a_key_may_be_a_credential_of_systemd(tmp_path: Path) -> None:
    variables = {"FB_QBO_HOME": str(tmp_path / "home"), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert Environment.read(variables).key_sources().read() is None  # a directory with the credentials of others
    (tmp_path / CREDENTIAL).write_text(LONG)
    assert Environment.read(variables).token_key() == secret_key(tmp_path, LONG)


def test_two_ways_at_once_are_a_contradiction(tmp_path: Path) -> None:
    (tmp_path / CREDENTIAL).write_text(LONG)
    variables = {"FB_QBO_SECRET_KEY": LONG, "FB_QBO_SECRET_KEY_COMMAND": "pass show fb_qbo", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    with pytest.raises(ConfigurationError) as raised:
        Environment.read(variables)
    assert "FB_QBO_SECRET_KEY: and FB_QBO_SECRET_KEY_COMMAND, CREDENTIALS_DIRECTORY each give the key" in str(raised.value)
    assert LONG not in str(raised.value)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-program-anywhere", "cannot be run: No such file"),
        ("'unfinished", "cannot be run: it is no command line"),
        (f"{sys.executable} -c 'import sys; sys.exit(\"hunter2\")'", "ended with status 1"),
        (f"{sys.executable} -c 'print()'", "printed nothing"),
    ],
)
def test_a_command_that_gives_no_key_is_told_without_what_it_said(command: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        KeySources(command=command).read()
    assert "hunter2" not in str(raised.value)
    assert "by hand" in raised.value.remedy


@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), (b"", "is empty"), (b"\xff\xfe", "it is not text")])
def test_a_key_file_without_a_key_is_told(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=words):
        KeySources(file=file).read()
