"""A disk that fails in the middle of uploads: never a 226 for a file that is not there when the gateway starts again.

The kernel's answers are made up by strace, at each of many calls in turn (`reliability` T5): a sync that fails, a write
for which there is no room, a write that is not whole.
"""

from __future__ import annotations

import ftplib
import io
import random
import shutil
import subprocess
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from tests.end_to_end.programs import first_line, said_by
from tests.end_to_end.uploads import LOGIN, PASSWORD, Drop, wait_until

pytestmark = pytest.mark.end_to_end

MOST = 40  # uploads of one run
SIZE = 20_000


def tracer(call: str, *options: str) -> list[str]:
    """The command that traces one kind of call, and disturbs nothing else."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    command = ["strace", "-D", "-f", "--seccomp-bpf", "-qqq", "-e", f"trace={call}", *options]
    tried = subprocess.run([*command, "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    if tried.returncode or tried.stderr:
        pytest.skip(f"processes cannot be traced here: {tried.stderr.strip()}")
    return command


def of_the_start(drop: Drop, call: str) -> int:
    """How many of these calls the store's thread makes until the gateway is ready."""
    told = drop.folder / "calls"
    with drop.running(under=[*tracer(call), "-o", str(told)]) as running:
        first_line(running)
        made = Counter(line.split()[0] for line in told.read_text().splitlines())
    return max(made.values(), default=0)


def failing(drop: Drop, call: str, error: str, which: int) -> list[str]:
    """The command under which one of these calls fails, counted from when the gateway is ready."""
    at = of_the_start(drop, call) + which
    return [*tracer(call, "-e", f"inject={call}:error={error}:when={at}"), "-o", "/dev/null"]


def store(port: int, number: int) -> tuple[str, str]:
    """Uploads one file; gives the server's last word, empty if it had none, and the content's hash."""
    content = random.Random(number).randbytes(SIZE)
    said = ""
    try:
        with ftplib.FTP(timeout=60) as client:
            client.connect("127.0.0.1", port)
            client.login(LOGIN, PASSWORD)
            said = client.storbinary(f"STOR {number}.dat", io.BytesIO(content))
    except ftplib.Error as refused:
        said = said or str(refused)
    except (OSError, EOFError):
        pass  # the gateway has ended: whoever has not heard 226 knows nothing
    return said, sha256(content).hexdigest()


def outlived(drop: Drop, acknowledged: set[str]) -> None:
    """What holds after the next start, whatever happened before."""
    with drop.gateway() as (port, _):
        said, content = store(port, MOST)
        assert said.startswith("226")
    said_by("store", "check", "-c", str(drop.config))
    stored = drop.stored()
    assert acknowledged | {content} <= {one.sha256 for one in stored if one.record.state.value != "incomplete"}
    assert [one for one in stored if one.record.sha256 and one.sha256 != one.record.sha256] == []


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("call", [1, 2, 3, 5, 20])
def test_sync_that_fails_is_no_226_and_ends_the_gateway(tmp_path: Path, error: str, call: int) -> None:
    drop = Drop(tmp_path)
    drop.accounts(LOGIN)
    acknowledged: set[str] = set()
    with drop.running(under=failing(drop, "fdatasync", error, call)) as running:
        port = int(first_line(running).rpartition(":")[2])
        for number in range(MOST):
            said, content = store(port, number)
            if not said.startswith("226"):
                assert said == "" or said.startswith(("421 ", "451 ")), said
                break
            acknowledged.add(content)
        else:
            raise AssertionError("nothing failed")
        # To try the sync again proves nothing: the kernel may have dropped what it could not write.
        assert running.wait(60) == 1
    log = (tmp_path / "log").read_text()
    assert "the store's files failed" in log
    assert "Traceback" not in log
    outlived(drop, acknowledged)


@pytest.mark.parametrize("call", [1, 2, 30, 31, 300])
def test_write_without_room_is_452_and_on_it_goes(tmp_path: Path, call: int) -> None:
    drop = Drop(tmp_path)
    drop.accounts(LOGIN)
    acknowledged: set[str] = set()
    said = []
    with drop.running(under=failing(drop, "pwrite64", "ENOSPC", call)) as running:
        port = int(first_line(running).rpartition(":")[2])
        for number in range(MOST):
            word, content = store(port, number)
            said.append(word[:3])
            if word.startswith("226"):
                acknowledged.add(content)
        assert "452" in said, "nothing failed"
        wait_until(lambda: store(port, number + 1)[0].startswith("226"))
        assert running.poll() is None
    assert set(said) <= {"226", "452"}
    log = (tmp_path / "log").read_text()
    assert "the store's disk is full" in log
    assert "has room again" in log
    outlived(drop, acknowledged)
