"""The declared life: nothing may happen in a state that nobody thought of."""

from __future__ import annotations

from typing import Any

import pytest
from automat import NoTransition

from gateway_server.model import CallResult
from gateway_server.transports.modem.life import make_life
from gateway_server.transports.modem.verdict import Verdict

BUSY = Verdict(CallResult.BUSY, "busy")


class Acts:
    """Writes down what it is told to do."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.state = ""

    def enter(self, state: str, why: str = "") -> None:
        self.state = state

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **named: self.did.append(name)


def lived(*inputs: tuple[Any, ...]) -> tuple[Acts, Any]:
    acts = Acts()
    life: Any = make_life(acts)
    for name, *arguments in inputs:
        getattr(life, name)(*arguments)
    return acts, life


BIRTH = (("start",), ("opened",), ("found",), ("prepared",), ("registered",))
CALL: Any = object()


def test_modem_comes_to_life_step_by_step() -> None:
    acts, _ = lived(*BIRTH)
    assert acts.did == ["open_port", "find", "prepare", "register", "be_ready"]
    assert acts.state == "ready"


def test_call_goes_from_dial_to_rest() -> None:
    acts, _ = lived(*BIRTH, ("dial", CALL), ("connected",), ("end",), ("released",), ("rested",))
    assert acts.did[5:] == ["begin_dial", "go_online", "hang_up", "rest", "be_ready"]


def test_call_that_is_refused_goes_to_rest_without_a_hang_up() -> None:
    acts, _ = lived(*BIRTH, ("dial", CALL), ("refused", BUSY))
    assert acts.did[5:] == ["begin_dial", "give_up_call", "rest"]


@pytest.mark.parametrize(
    "before", [(), (("dial", CALL),), (("dial", CALL), ("connected",)), (("check",),), (("answer", CALL),)]
)
def test_lost_port_is_waited_for_from_everywhere(before: tuple[tuple[Any, ...], ...]) -> None:
    acts, life = lived(*BIRTH, *before, ("lost", "unplugged"))
    assert acts.did[-2:] == ["break_call", "wait_for_port"]
    assert acts.state == "waiting"
    life.again()
    assert acts.state == "opening"


def test_modem_out_of_the_pool_is_tried_again() -> None:
    acts, life = lived(*BIRTH, ("retire", "no SIM"))
    assert acts.state == "out"
    life.again()
    assert acts.state == "finding"


def test_reset_is_followed_by_finding_it_again() -> None:
    acts, _ = lived(*BIRTH, ("reset", "hung"), ("restarted",))
    assert acts.state == "finding"


def test_no_second_call_while_there_is_one() -> None:
    _, life = lived(*BIRTH, ("dial", CALL))
    with pytest.raises(NoTransition):
        life.dial(CALL)


def test_what_comes_too_late_changes_nothing() -> None:
    acts, life = lived(*BIRTH, ("dial", CALL), ("connected",), ("end",))
    before = list(acts.did)
    life.end()
    life.carrier_lost("late")
    assert acts.did == before


@pytest.mark.parametrize(
    ("before", "did"),
    [
        ((), ["close"]),
        ((("dial", CALL), ("connected",)), ["finish"]),
        ((("dial", CALL), ("connected",), ("end",)), ["linger"]),
    ],
)
def test_stop_hangs_up_first(before: tuple[tuple[Any, ...], ...], did: list[str]) -> None:
    acts, life = lived(*BIRTH, *before, ("stop",))
    assert acts.did[-1:] == did
    if did != ["close"]:
        life.stopped()
    assert acts.state == "over"
    life.stop()
