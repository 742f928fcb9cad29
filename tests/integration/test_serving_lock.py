"""One process a database: the second is refused before it has changed anything, and a kill lets go."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from contracts.terms.errors import Unavailable
from serving.database import Database, DatabaseInUse, DatabaseReader

pytestmark = pytest.mark.sqlite

HOLDER = """
import sys
from pathlib import Path
from sqlalchemy import text
from serving.database import Database

database = Database(Path(sys.argv[1]))
database.write(lambda connection: connection.execute(text("CREATE TABLE numbers (number INTEGER)")))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "books.sqlite"


@pytest.fixture
def holder(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the database."""
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_and_told_who_has_it(file: Path, holder: subprocess.Popen[str]) -> None:
    side = file.with_name(file.name + ".generation")
    before = side.read_bytes(), file.read_bytes()
    with pytest.raises(DatabaseInUse) as refused:
        Database(file)
    assert isinstance(refused.value, Unavailable)
    assert str(file) in refused.value.detail
    if Path("/proc/locks").exists():
        assert refused.value.detail.endswith(f" {holder.pid}")
    assert (side.read_bytes(), file.read_bytes()) == before


def test_kill_9_lets_go(file: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    with closing(Database(file)) as database:
        assert not database.restored


def test_one_process_has_it_once_and_lets_go_when_it_closes(file: Path) -> None:
    with closing(Database(file)), pytest.raises(DatabaseInUse, match=str(os.getpid())):
        Database(file)
    Database(file).close()


def test_a_file_that_does_not_open_is_not_held(file: Path) -> None:
    file.mkdir()
    with pytest.raises(Exception, match="unable to open"):
        Database(file)
    file.rmdir()
    Database(file).close()


def test_whoever_only_reads_may_look_meanwhile(file: Path, holder: subprocess.Popen[str]) -> None:
    with closing(DatabaseReader(file)) as reader, reader.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM numbers")).scalar_one() == 0
