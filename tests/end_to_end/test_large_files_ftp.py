"""A file of 200 MB: refused in time where it is over the limit, else whole, and never all of it in memory."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from tests.end_to_end.uploads import LOGIN, PASSWORD, Drop

pytestmark = pytest.mark.end_to_end

SIZE = 200 << 20
MOST_MEMORY_KB = 220_000  # more than the gateway has when nothing goes on: the store's cache, and what waits for it


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    place = tmp_path_factory.mktemp("large") / "large.dat"
    piece = random.Random(1).randbytes(1 << 20)
    with place.open("wb") as file:
        for number in range(SIZE >> 20):
            file.write(number.to_bytes(4, "big") + piece[4:])
    return place


def upload(port: int, file: Path) -> subprocess.CompletedProcess[str]:
    command = ["curl", "-sS", "-v", "-T", str(file), f"ftp://{LOGIN}:{PASSWORD}@127.0.0.1:{port}/"]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def peak_kb(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def test_file_of_200_mb_over_the_limit_is_refused_and_the_next_one_taken(tmp_path: Path, large: Path) -> None:
    drop = Drop(tmp_path)  # 100 MB are the default
    drop.accounts(LOGIN)
    small = tmp_path / "small.dat"
    small.write_bytes(b"(1)(2)\r\n")
    with drop.gateway() as (port, pid):
        before = peak_kb(pid)
        done = upload(port, large)
        assert "< 552 Refused: the file is larger than 104857600 bytes." in done.stderr
        assert done.returncode == 70  # curl: the server has no room
        assert upload(port, small).returncode == 0
        assert peak_kb(pid) - before < MOST_MEMORY_KB
    states = {one.record.name: one.record.state.value for one in drop.stored()}
    assert states.pop("small.dat") != "incomplete"
    assert set(states.values()) <= {"incomplete"}
    (refused,) = [one for one in drop.lists("session", "list") if one["outcome"] != "read"]
    assert (refused["outcome"], refused["detail"]) == ("partial", "the file is larger than 104857600 bytes")
    assert refused["bytes_received"] < SIZE * 0.6


@pytest.mark.timeout(180)
def test_file_of_200_mb_within_the_limit_is_there_byte_for_byte(tmp_path: Path, large: Path) -> None:
    drop = Drop(tmp_path, more="largest_file_mb = 250")
    drop.accounts(LOGIN)
    with drop.gateway() as (port, pid):
        before = peak_kb(pid)
        done = upload(port, large)
        assert done.returncode == 0, done.stderr[-500:]
        assert peak_kb(pid) - before < MOST_MEMORY_KB
    (one,) = drop.stored()
    with large.open("rb") as file:
        content = sha256(file.read()).hexdigest()
    assert (one.sha256, one.record.size) == (content, SIZE)
    assert one.record.state.value != "incomplete"
