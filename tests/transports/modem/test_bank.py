"""Opening ports for real, and the operator's command that cuts a modem's power."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# A reactor of its own: a process that ends is heard by signal, which only a real one does.
PROGRAM = """
import sys
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from gateway_server.errors import LineError
from gateway_server.transports.modem.bank import ModemBank

async def work():
    bank = ModemBank(reactor)
    try:
        await bank.power_cycle(tuple(sys.argv[1:]))
        print("done")
    except LineError as failed:
        print(failed)
    try:
        await bank.open_port("socket://127.0.0.1:1", 9600, None)
    except LineError as failed:
        print(failed)
    reactor.stop()

reactor.callWhenRunning(lambda: Deferred.fromCoroutine(work()))
reactor.run()
"""


def ran(*argv: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *argv], capture_output=True, text=True, timeout=60, cwd=ROOT, check=True
    )
    return done.stdout.splitlines()


ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.end_to_end
def test_command_is_run_with_its_words_and_no_shell(tmp_path: Path) -> None:
    mark = tmp_path / "a file; $(true)"
    assert ran("/usr/bin/touch", str(mark))[0] == "done"
    assert mark.exists()


@pytest.mark.end_to_end
def test_command_that_fails_is_said_and_so_is_a_server_that_is_not_there() -> None:
    failed, unreachable = ran("/bin/false")
    assert failed.startswith("the power-cycle command /bin/false failed")
    assert unreachable.startswith("socket://127.0.0.1:1: no connection")
