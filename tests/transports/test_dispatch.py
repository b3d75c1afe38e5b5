"""Which routes this gateway can open, and what becomes of errands."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock

from gateway_server.model import Outcome
from gateway_server.session.endings import Ending
from gateway_server.transports.dispatch import Dispatch
from gateway_server.transports.errand import Errand
from gateway_server.transports.routes import parse_route
from gateway_server.transports.tcp import KeepAlive
from tests.session.conversations import ToyCodec
from tests.transports.hall import SERIAL, Hall


def sent(hall: Hall, route: str, reactor: Any = None) -> tuple[Dispatch, list[Ending]]:
    endings: list[Ending] = []
    dispatch = Dispatch(reactor or MemoryReactorClock(), hall.facilities, KeepAlive(), 30.0)
    errand = Errand((ToyCodec(),), hall.store.meter(SERIAL), hall.store.known_meter(SERIAL), ended=endings.append)
    dispatch.send(parse_route(route), errand)
    return dispatch, endings


@pytest.mark.parametrize(
    ("route", "hindrance"),
    [
        ("tcp:192.0.2.1:4001", ""),
        ("serial:/dev/ttyACM0", ""),
        ("caller:7", "has to call in by itself"),
        ("csd:+79161234567", "need a [[modem]]"),
        ("ftp:meter7", "cannot be asked"),
    ],
)
def test_route_that_cannot_be_opened_says_why(hall: Hall, route: str, hindrance: str) -> None:
    dispatch = Dispatch(MemoryReactorClock(), hall.facilities, KeepAlive(), 30.0)
    said = dispatch.can_open(parse_route(route))
    assert hindrance in said
    assert bool(said) == bool(hindrance)


def test_errand_over_a_route_that_cannot_be_opened_ends(hall: Hall) -> None:
    _, endings = sent(hall, "csd:+79161234567")
    assert [ending.outcome for ending in endings] == [Outcome.LINE_LOST]
    assert "need a [[modem]]" in endings[0].detail


def test_errand_over_a_port_that_is_not_there_ends(hall: Hall) -> None:
    _, endings = sent(hall, "serial:/dev/ttyNONE7")
    assert "is the cable plugged in" in endings[0].detail
    assert endings[0].serial == SERIAL


def test_visits_end_with_the_gateway(hall: Hall) -> None:
    dispatch, endings = sent(hall, "tcp:192.0.2.1:4001")
    dispatch.end_all("the gateway stops")
    assert endings == []  # still connecting: nothing to end
