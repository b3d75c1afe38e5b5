"""Wild dialogues over the command channel: the server answers each in form, and afterwards serves as before.

How many is ``GATEWAY_WILD_DIALOGUES``, from which seed ``GATEWAY_WILD_SEED``; a release is tried with 100 000 and more.
"""

from __future__ import annotations

import ftplib
import io
import os
import re
import socket
import struct
import time
from pathlib import Path

import pytest

from benchmarks.processes import cpu_s
from gateway_server.transports.ftp.doors import MOST_IDLE
from tests.end_to_end import wild_ftp
from tests.end_to_end.programs import said_by
from tests.end_to_end.uploads import LOGIN, PASSWORD, Drop, wait_until
from tests.end_to_end.wild_ftp import PROBES, Wild, Wildness, dialogues

pytestmark = pytest.mark.end_to_end

DIALOGUES = int(os.environ.get("GATEWAY_WILD_DIALOGUES", "2000"))
SEED = int(os.environ.get("GATEWAY_WILD_SEED", "2"))
WARM_UP = 400
PATIENCE_S = 120.0  # with a server that answers nobody any more
MOST_GROWTH_KB = 40_000
# The limits are tested elsewhere; here nobody is to be shut out, or the dialogues would end at the door.
MORE = """
data_timeout = 3.0
failed_login_delay = 0.0
failed_logins = 1000000
failed_logins_per_address = 1000000
uploads_per_account = 1000
quota_mb_per_day = 1000000
quota_files_per_day = 1000000
"""


def resident_kb(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def visit(port: int) -> float:
    """What an ordinary client does, and one with a wrong password; gives how long a reply took on the average."""
    began = time.monotonic()
    with ftplib.FTP(timeout=PATIENCE_S) as client:
        client.connect("127.0.0.1", port)
        client.sendcmd(f"USER {LOGIN}")
        with pytest.raises(ftplib.error_perm, match="530"):
            client.sendcmd("PASS wrong")
        client.login(LOGIN, PASSWORD)
        assert client.storbinary("STOR visit.dat", io.BytesIO(b"(1)(2)\r\n")).startswith("226")
        assert client.size("visit.dat") == 8
        assert client.quit().startswith("221")
    return (time.monotonic() - began) / 11


def test_client_that_hangs_up_behind_its_quit_costs_nothing_while_its_file_is_waited_for(tmp_path: Path) -> None:
    drop = Drop(tmp_path, more="data_timeout = 6.0")
    drop.accounts(LOGIN)
    with drop.gateway() as (port, pid):
        for _ in range(5):
            line = socket.create_connection(("127.0.0.1", port), 60)
            line.sendall(f"USER {LOGIN}\r\nPASS {PASSWORD}\r\nPASV\r\nSTOR day.dat\r\nQUIT\r\n".encode())
            said = b""
            while b"150 " not in said:
                said += line.recv(1000)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()  # by a reset
        before = cpu_s(pid)
        time.sleep(2)  # noqa: TID251 - the processor time of a while is measured
        assert cpu_s(pid) - before < 0.5
        wait_until(lambda: [one["outcome"] for one in drop.lists("session", "list")] == ["line_lost"] * 5)


@pytest.mark.parametrize("answered", [0, 2])
def test_silence_counts_only_against_a_server_that_goes_round(answered: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wild_ftp, "PROBE_EVERY_S", 0.0)
    visits: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def visited() -> float:
            visits.append(visits[0] if visits else listening.accept()[0])
            if len(visits) == 1:
                visits[0].sendall(b"220 ready\r\n")
            if len(visits) == answered:
                visits[0].sendall(b"221 Goodbye.\r\n")
                visits[0].close()
            return 0.0

        farewell = Wildness([b"QUIT\r\n"], False, "quit", None, True)
        wild = Wild(listening.getsockname()[1], iter([farewell]), visited, patience_s=0.0)
        wild.run()
        visits[0].close()
    assert wild.done == 1
    assert wild.unanswered == ([] if answered else [(b"QUIT\r\n", b"220 ready")])
    assert len(visits) >= (answered or PROBES)


@pytest.mark.timeout(60 + DIALOGUES // 20)
def test_server_answers_wild_dialogues_in_form_and_serves_on(tmp_path: Path) -> None:
    drop = Drop(tmp_path, more=MORE)
    drop.accounts(LOGIN)
    with drop.gateway() as (port, pid):
        open_before = descriptors(pid)
        wild = Wild(port, dialogues(1, WARM_UP), lambda: visit(port))
        wild.run()
        before = resident_kb(pid)
        wild = Wild(port, dialogues(SEED, DIALOGUES), lambda: visit(port))
        wild.run()
        assert wild.done == DIALOGUES
        assert wild.strange == []
        assert wild.unanswered == []
        assert {b"220", b"221", b"226", b"230", b"331", b"500", b"501", b"530", b"550"} <= set(wild.codes)
        wait_until(lambda: descriptors(pid) <= open_before + MOST_IDLE + 4, PATIENCE_S)
        assert resident_kb(pid) - before < MOST_GROWTH_KB
        with ftplib.FTP(timeout=PATIENCE_S) as client:
            client.connect("127.0.0.1", port)
            client.login(LOGIN, PASSWORD)
            assert client.storbinary("STOR after.dat", io.BytesIO(b"still here")).startswith("226")
    log = (tmp_path / "log").read_text("utf-8", "replace")
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]
    assert " ERROR " not in log, log[log.index(" ERROR ") :][:3000]
    assert PASSWORD not in log
    assert {place.name for place in tmp_path.iterdir()} <= {"gateway.toml", "gateway.db", "gateway.db.key", "log"}
    said_by("store", "check", "-c", str(drop.config))
    stored = drop.stored()
    assert {one.record.login for one in stored} == {LOGIN}
    assert [one for one in stored if one.sha256 != one.record.sha256] == []
    assert stored[-1].record.size == len(b"still here")
