"""A disk that fills up under uploads: 452, nothing half acknowledged, and on it goes when there is room again."""

from __future__ import annotations

import ftplib
import io
import random
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.end_to_end.programs import said_by
from tests.end_to_end.uploads import LOGIN, PASSWORD, Drop, wait_until

pytestmark = pytest.mark.end_to_end

SIZE = 100_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def store(port: int, number: int) -> tuple[str, str]:
    """Uploads one file; gives the server's last word and the content's hash."""
    content = random.Random(number).randbytes(SIZE)
    with ftplib.FTP(timeout=60) as client:
        client.connect("127.0.0.1", port)
        client.login(LOGIN, PASSWORD)
        try:
            return client.storbinary(f"STOR {number}.dat", io.BytesIO(content)), sha256(content).hexdigest()
        except ftplib.Error as refused:
            return str(refused), sha256(content).hexdigest()


def test_full_disk_refuses_politely_loses_nothing_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    drop = Drop(small_disk)
    drop.accounts(LOGIN)
    ballast, spare = small_disk / "ballast", small_disk / "spare"
    for one in (ballast, spare):
        one.write_bytes(bytes(1_500_000))
    acknowledged: set[str] = set()
    with drop.gateway() as (port, _):
        for number in range(60):
            said, content = store(port, number)
            if not said.startswith("226"):
                break
            acknowledged.add(content)
        assert said.startswith("452"), said
        assert acknowledged
        assert {one.sha256 for one in drop.stored() if one.record.state.value != "incomplete"} == acknowledged
        ballast.unlink()
        wait_until(lambda: store(port, 100)[0].startswith("226"))
        acknowledged.add(store(port, 101)[1])
    spare.unlink()
    said_by("store", "check", "-c", str(drop.config))
    assert [one for one in drop.lists("session", "list") if one["ended"] is None] == []
    assert acknowledged <= {one.sha256 for one in drop.stored() if one.record.state.value != "incomplete"}


def test_disk_that_fills_up_under_a_file_is_told_to_its_client_at_once(small_disk: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    large = tmp_path / "large.dat"
    large.write_bytes(random.Random(1).randbytes(40_000_000))
    drop = Drop(small_disk)
    drop.accounts(LOGIN)
    spare = small_disk / "spare"
    spare.write_bytes(bytes(1_500_000))
    with drop.gateway() as (port, _):
        url = f"ftp://{LOGIN}:{PASSWORD}@127.0.0.1:{port}/"
        command = ["curl", "-sS", "-v", "-T", str(large), url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert "< 452 The disk is full; nothing was stored. Try again later." in done.stderr
        assert done.returncode == 18, done.stderr[-300:]  # curl: the server did not report that it is whole
        spare.unlink()
    assert [one.record.name for one in drop.stored() if one.record.state.value != "incomplete"] == []
