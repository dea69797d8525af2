"""Where the embedded Postgres has its things, under the home folder and nowhere else (the socket of a long path excepted)."""

from dataclasses import dataclass
from pathlib import Path

MAJOR = 18  # PostgreSQL's, of the wheel's binaries that are used: a data folder belongs to one major version
USER = "postgres"  # the role, and the database of the same name, as initdb makes them
SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one home."""

    home: Path

    @property
    def data(self) -> Path:
        """Postgres' data folder."""
        return self.home / "postgres"

    @property
    def new_data(self) -> Path:
        """A data folder in the making: renamed when it is whole."""
        return self.home / "postgres.new"

    @property
    def passfile(self) -> Path:
        """The password, as libpq reads it; within the data folder, so that a backup has both or neither."""
        return self.data / "fb_qbo.passfile"

    @property
    def run(self) -> Path:
        """What lives only as long as a server does: locks and the log of its start."""
        return self.home / "postgres.run"

    @property
    def users_lock(self) -> Path:
        """Each user process holds it shared; the keeper gets it alone when the last one is gone."""
        return self.run / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper for its whole life; holds the socket's folder while the server answers."""
        return self.run / "keeper.lock"

    @property
    def start_log(self) -> Path:
        """What Postgres says before its own log is open, and the keeper's own faults."""
        return self.run / "start.log"

    @property
    def socket_folder(self) -> Path:
        """The folder of the socket where the path is short enough."""
        return self.home / "postgres.socket"

    @property
    def logs(self) -> Path:
        """Postgres' own logs, a file for each day of the week."""
        return self.home / "logs" / "postgres"
