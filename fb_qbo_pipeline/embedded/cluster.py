"""The data folder of the embedded Postgres: made, or taken over as an earlier edition left it; entered with its password only.

The password is random, lies in the data folder with mode 0600 and is read by libpq (`passfile`), so that it is in no address, log or
list of processes. A folder without one (the first edition let every local user in) gets one before its server starts, in
Postgres' single-user mode, which no other process can reach.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fb_qbo_pipeline.embedded import failures, sockets
from fb_qbo_pipeline.embedded.account import Account, candidates, end_with_parent
from fb_qbo_pipeline.embedded.layout import MAJOR, USER, Layout

# Nothing of the pipeline's environment: Postgres has no use for its secrets. Messages in English, since some are recognised.
_INHERITED = ("PATH", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
_WHO_MAY_ENTER = """# Written by fb_qbo_pipeline at each start: the password in fb_qbo.passfile lets in, and nothing else.
local all all scram-sha-256
"""
_NO_STATEMENTS = (
    "log_min_messages=log",  # what a statement did wrong is told to who sent it; here it would quote customers' data
    "log_min_error_statement=panic",
    "log_statement=none",
    "log_min_duration_statement=-1",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    "log_error_verbosity=terse",
)
_LOG_FILES = (
    "logging_collector=on",
    "log_filename=postgres-%a.log",  # a file for each day of the week, begun anew when the day comes round
    "log_file_mode=0600",
    "log_rotation_age=1d",
    "log_rotation_size=0",
    "log_truncate_on_rotation=on",
    "log_checkpoints=off",
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One home's Postgres: its folders, the programs and whom they run as."""

    layout: Layout
    programs: Path
    account: Account
    socket_folder: Path

    def prepare(self) -> None:
        """Make the data folder, or take over the one that is there. Only while no server runs."""
        data = self.layout.data
        if not (data / "PG_VERSION").exists():
            self._make()
        version = (data / "PG_VERSION").read_text().strip()
        if version != str(MAJOR):
            raise failures.CannotStart(
                f"{data} is of PostgreSQL {version}, and the embedded server is {MAJOR}",
                "dump it with the edition that made it, move it away, and restore the dump into the new one",
            )
        self._own(data)
        data.chmod(0o700)
        self._close(data)
        (data / ".handle_pids.json").unlink(missing_ok=True)  # the first edition's list of users
        if not self.layout.passfile.is_file():
            self._set_password()

    def start_command(self) -> list[str]:
        """The server's command line."""
        settings = (
            "listen_addresses=",
            f"unix_socket_directories={_quoted(self.socket_folder)}",
            "unix_socket_permissions=0700",
            f"log_directory={self.layout.logs}",
            *_LOG_FILES,
            *_NO_STATEMENTS,
        )
        return [str(self.programs / "postgres"), "-D", str(self.layout.data), *(part for one in settings for part in ("-c", one))]

    def _make(self) -> None:
        new = self.layout.new_data
        if new.exists():  # a process was killed while it made it
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        self._own(new)
        password = secrets.token_urlsafe(32)
        with self._for_its_eyes(password) as file:
            self._run(
                "initdb",
                *("-D", str(new), "-U", USER, f"--pwfile={file}", "--auth-local=scram-sha-256", "--auth-host=reject"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums"),
                *("--no-instructions", "--set=scram_iterations=1"),  # stretching is for passwords that can be guessed
            )
        self._close(new)
        self._keep(new, password)
        if self.layout.data.exists():
            self.layout.data.rmdir()  # an empty one is no loss; another is not touched
        new.rename(self.layout.data)

    def _set_password(self) -> None:
        password = secrets.token_urlsafe(32)
        settings = ("scram_iterations=1", "password_encryption=scram-sha-256", "exit_on_error=on", "listen_addresses=", *_NO_STATEMENTS)
        options = [part for one in settings for part in ("-c", one)]
        statement = f"ALTER ROLE {USER} LOGIN PASSWORD '{password}'\n"
        self._run("postgres", "--single", "-D", str(self.layout.data), *options, USER, given=statement)
        self._keep(self.layout.data, password)

    def _keep(self, data: Path, password: str) -> None:
        descriptor, name = tempfile.mkstemp(prefix=".passfile.", dir=data)  # mode 0600
        with os.fdopen(descriptor, "w") as file:
            file.write(f"*:*:*:{USER}:{password}\n")
            file.flush()
            os.fsync(file.fileno())
        self._own(Path(name))
        Path(name).rename(data / self.layout.passfile.name)

    def _close(self, data: Path) -> None:
        """Only the password lets anybody in, whatever the file said before."""
        file = data / "pg_hba.conf"
        if not file.is_file() or file.read_text() != _WHO_MAY_ENTER:
            file.unlink(missing_ok=True)
            file.touch(mode=0o600)
            file.write_text(_WHO_MAY_ENTER)
            self._own(file)

    def _own(self, path: Path) -> None:
        """Give a file or folder to the account, with all that is in it, where it is somebody else's."""
        if not self.account.changes or path.lstat().st_uid == self.account.uid:
            return
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(folder) / name, self.account.uid, self.account.gid, follow_symlinks=False)
        os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)  # last: it says that all is done

    @contextlib.contextmanager
    def _for_its_eyes(self, text: str) -> Iterator[str]:
        descriptor, name = tempfile.mkstemp(dir=self.socket_folder)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{text}\n")
            self._own(Path(name))
            yield name
        finally:
            Path(name).unlink()

    def _run(self, program: str, *arguments: str, given: str = "") -> None:
        done = _ran([str(self.programs / program), *arguments], self.account, given)
        if done.returncode != 0:
            print(done.stderr, file=sys.stderr, flush=True)  # noqa: T201 - into the log of the start
            raise failures.of_output(done.stderr, self.layout.home, self.layout.start_log)


def find(layout: Layout, programs: Path) -> Cluster:
    """The cluster with the first account that can run the programs and reach the folders. Only while no server runs."""
    tried: list[str] = []
    for account in candidates(layout.data):
        try:
            folder = sockets.prepare(layout, account.uid, account.gid)
            layout.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
            cluster = Cluster(layout, programs, account, folder)
            cluster._own(layout.logs)
            if not account.changes:
                return cluster
            seen = _ran([str(programs / "postgres"), "--version"], account, "", must_list=(folder, layout.logs))
        except (OSError, subprocess.SubprocessError) as error:  # an id that this container does not have, a folder it cannot pass
            if not account.changes:
                raise
            tried.append(str(error))
            continue
        if seen.returncode == 0:
            return cluster
        tried.append(seen.stderr.strip())
    raise failures.CannotStart(
        "Postgres does not run as root, and no other account of this machine can reach the folders of the database",
        "run this as an ordinary user, set FB_QBO_HOME to a folder that “nobody” can reach, or set FB_QBO_DATABASE_URL" + _why(tried),
    )


def _why(tried: Sequence[str]) -> str:
    return f" ({tried[-1]})" if tried else ""


def environment() -> dict[str, str]:
    """What Postgres' programs get of the environment."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | {"LC_ALL": "C"}


def _ran(command: Sequence[str], account: Account, given: str, must_list: Sequence[Path] = ()) -> subprocess.CompletedProcess[str]:
    bind = end_with_parent(signal.SIGTERM)

    def as_the_account() -> None:
        account.become()
        bind()
        for folder in must_list:
            list(folder.iterdir())

    return subprocess.run(  # noqa: S603 - our own programs
        command,
        input=given,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=environment(),
        cwd="/",
        preexec_fn=as_the_account,  # the keeper has one thread while it prepares
        check=False,
    )


def _quoted(folder: Path) -> str:
    """As one entry of a list of folders."""
    text = str(folder).replace('"', '""')
    return f'"{text}"'
