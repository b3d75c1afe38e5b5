"""kill -9 at random points during 500 uploads: what got its 226 is there, and nothing half received looks whole."""

from __future__ import annotations

import json
import random
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.end_to_end.programs import first_line, free_port, program, said_by
from tests.end_to_end.uploads import PASSWORD, Drop

pytestmark = pytest.mark.end_to_end

FIRST = 41000000
KILLS = 12
# Who uploads how: meters, files of each, manners. 500 files in all.
FLEETS = {
    "plain": (15, 20, ()),
    "cut": (10, 10, ("cut=data",)),
    "pieces": (5, 20, ("piece=1024",)),
}


@pytest.mark.timeout(240)
def test_every_upload_that_got_its_226_outlives_the_gateway_byte_for_byte(tmp_path: Path) -> None:
    port = free_port()
    drop = Drop(tmp_path, port=port)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    serials = [str(FIRST + number) for number in range(sum(meters for meters, _, _ in FLEETS.values()))]
    drop.accounts(*serials)
    order = random.Random(4)
    kills = 0
    with ExitStack() as fleets:
        running, first = {}, FIRST
        for name, (meters, files, manners) in FLEETS.items():
            arguments = ["simulate", "upload", "--call", f"127.0.0.1:{port}", "--password-file", str(password)]
            arguments += ["--serial", str(first), "--meters", str(meters), "--files", str(files), "--form", "unknown"]
            arguments += ["--at-once", "5", "--retry-seconds", "0.1", "--seconds", "200"]
            arguments += ["--acknowledged", str(tmp_path / name)]
            for manner in manners:
                arguments += ["--manner", manner]
            running[name] = fleets.enter_context(program(*arguments))
            first += meters
        while kills < KILLS and any(fleet.poll() is None for fleet in running.values()):
            with program("run", "--only", "ftp", "-c", str(drop.config)) as gateway:
                first_line(gateway)
                time.sleep(order.uniform(0.02, 0.6))  # noqa: TID251 - into the middle of the uploads
                gateway.kill()
                gateway.wait(10)
                kills += 1
        with program("run", "--only", "ftp", "-c", str(drop.config)) as gateway:
            first_line(gateway)
            for fleet in running.values():
                assert fleet.wait(120) == 0
    assert kills == KILLS, "the uploads were done before the last kill"
    said_by("store", "check", "-c", str(drop.config))
    offered = {name: [json.loads(line) for line in (tmp_path / name).read_text().splitlines()] for name in FLEETS}
    stored = drop.stored()
    whole = [one for one in stored if one.record.state.value != "incomplete"]
    assert [one for one in stored if one.record.sha256 and one.sha256 != one.record.sha256] == []
    there = {(one.record.login, one.record.name, one.sha256) for one in whole}
    told = [one for ones in offered.values() for one in ones]
    assert len(told) == 500
    acknowledged = {(one["login"], one["name"], one["sha256"]) for one in told if one["acknowledged"]}
    assert len(acknowledged) == 500
    assert acknowledged <= there, f"{len(acknowledged - there)} acknowledged uploads are lost"
    assert any(one["attempts"] > 1 for one in offered["plain"]), "no upload was in the middle of a kill"
    in_pieces = {one["login"] for one in offered["pieces"]}  # a piece that got its 226 is a whole upload
    half = {one for one in there if one[0] not in in_pieces} - acknowledged
    assert half == set(), f"{len(half)} uploads were never sent so, and are not marked incomplete"
