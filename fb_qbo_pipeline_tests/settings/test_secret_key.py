"""The key for tokens at rest: made once, agreed on by all, never replaced."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.fernet import Fernet

from fb_qbo_pipeline.errors import ConfigurationError
from fb_qbo_pipeline.settings.secret_key import FILE_NAME, secret_key


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
