"""Dagster's own storage in PostgreSQL: a server of the test's own, and a small reef brought up to date over it."""

import importlib.util
import os
import pwd
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from megafish_assets_tests.conftest import FORCED, REPOSITORY, bring_up_to_date, collection_environment

SUPERUSER, DATABASE, SERVER_ACCOUNT = "fisher", "megafish", "postgres"
STARTUP_SECONDS = 60
"""The server starts in a second on an idle core."""


def newest_binaries() -> Path | None:
    """The folder of the newest server's programs, where Debian puts them: not on PATH."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((program.parent for program in found), key=lambda folder: float(folder.parent.name), default=None)


def what_is_lacking() -> str | None:
    """Why no test of PostgreSQL can run here."""
    lacking = [name for name in ("dagster_postgres", "psycopg2") if importlib.util.find_spec(name) is None]
    if lacking:
        return f"not installed: {', '.join(lacking)}; pip install -c constraints.txt -e '.[postgres]'"
    if newest_binaries() is None:
        return "no PostgreSQL server: apt-get install postgresql"
    return None


class Server:
    """A PostgreSQL server on loopback whose data lie in a folder of its own."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder, self.binaries, self.password = folder, binaries, secrets.token_hex(16)
        # The server refuses to run as root, as CI's container does; Debian's package brings an account for it.
        self.account = pwd.getpwnam(SERVER_ACCOUNT) if os.geteuid() == 0 else None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def call(self, program: str, *arguments: object) -> None:
        """Runs one of the server's programs over its data."""
        done = subprocess.run(
            [str(self.binaries / program), "-D", str(self.folder / "data"), *map(str, arguments)],
            cwd=self.folder,  # the repository may be closed to the server's account
            user=self.account and self.account.pw_uid,
            group=self.account and self.account.pw_gid,
            extra_groups=self.account and [],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * STARTUP_SECONDS,
        )
        log = self.folder / "server.log"
        said = log.read_text() if log.exists() else ""
        assert done.returncode == 0, f"{program} {arguments}: {done.stdout}{done.stderr}{said}"

    def start(self) -> None:
        """Makes the data folder and starts the server; returns once it takes connections."""
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        for path in (self.folder, password_file) if self.account else ():
            os.chown(path, self.account.pw_uid, self.account.pw_gid)
        # --locale: the server's account may have none. --no-sync, fsync: nothing here outlives the test.
        superuser = ("--username", SUPERUSER, "--pwfile", password_file, "--auth", "scram-sha-256")
        self.call("initdb", *superuser, "--encoding", "UTF8", "--locale", "C", "--no-sync")
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder}
        options = " ".join(f"-c {name}={value}" for name, value in {**settings, "fsync": "off"}.items())
        self.call("pg_ctl", "start", "-w", "-t", STARTUP_SECONDS, "-l", self.folder / "server.log", "-o", options)

    def stop(self) -> None:
        """Ends the server if it was started, without waiting for anybody's connections."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.call("pg_ctl", "stop", "-w", "-m", "immediate")

    def connect(self, database: str):
        """A connection that stands outside the platform."""
        import psycopg2

        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user=SUPERUSER, password=self.password, dbname=database
        )
        connection.autocommit = True  # CREATE DATABASE runs in no transaction
        return connection

    def ask(self, question: str, database: str = DATABASE) -> list[tuple]:
        """The answer's rows; none for a statement that has no answer."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchall() if cursor.description else []

    @property
    def url(self) -> str:
        """What MEGAFISH_POSTGRES is set to."""
        return f"postgresql+psycopg2://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A running server with one empty database."""
    lacking = what_is_lacking()
    if lacking:
        pytest.fail(lacking) if FORCED else pytest.skip(lacking)
    # Not in tmp_path, whose parents are closed to the server's account; and a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="megafish-pg-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), newest_binaries())
        try:
            server.start()
            server.ask(f"CREATE DATABASE {DATABASE}", database="postgres")
            yield server
        finally:
            server.stop()


def test_with_an_address_of_postgres_runs_and_events_lie_there_and_nowhere_else(server: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "megafish_assets.reef", str(tmp_path)]
    subprocess.run(
        [*command, "--videos", "2", "--frames", "30", "--size", "320x180"],
        cwd=REPOSITORY,
        env=collection_environment(tmp_path),
        capture_output=True,
        check=True,
    )
    finished = bring_up_to_date(tmp_path, backbones="reef_tiny", postgres=server.url)
    assert finished.returncode == 0, finished.stdout + finished.stderr

    assert {status for (status,) in server.ask("SELECT status FROM runs")} == {"SUCCESS"}
    events = server.ask("SELECT count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION'")
    assert events[0][0] >= 11  # one an asset, and more for those with partitions
    assert ('["raw_detections"]',) in server.ask("SELECT asset_key FROM asset_keys")
    videos = server.ask("SELECT count(*) FROM dynamic_partitions WHERE partitions_def_name = 'videos'")
    assert videos == [(2,)]
    home = tmp_path / "dagster"
    assert (home / "dagster.yaml").is_file() and not list(home.rglob("*.db")), "SQLite was used beside PostgreSQL"

    n_runs = server.ask("SELECT count(*) FROM runs")
    again = bring_up_to_date(tmp_path, backbones="reef_tiny", postgres=server.url)
    assert again.returncode == 0, again.stdout + again.stderr
    assert server.ask("SELECT count(*) FROM runs") == n_runs, again.stdout  # what was made is read back from there
