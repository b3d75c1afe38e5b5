from __future__ import annotations

import os
import subprocess
import sys

from gateway_server.store.owner import alive, runs, this_process


def test_this_process_lives() -> None:
    assert alive(this_process())


def test_a_process_that_ended_lives_no_more() -> None:
    program = "from gateway_server.store.owner import this_process; print(this_process(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        owner = process.stdout.readline().strip()
        assert alive(owner)
        process.communicate("\n")
    assert not alive(owner)


def test_a_process_that_ended_and_was_not_fetched_by_its_parent_lives_no_more() -> None:
    assert runs(os.getpid())
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert not runs(ended.pid)


def test_a_process_number_used_again_is_another_process() -> None:
    boot, pid, started = this_process().split(":")
    assert not alive(f"{boot}:{pid}:{int(started) + 1}")
    assert not alive(f"an earlier boot:{pid}:{started}")


def test_a_name_nobody_ever_had_lives_not() -> None:
    assert not alive("")
    assert not alive("x")
    assert not alive("a:b:c")
