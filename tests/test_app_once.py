"""Reading without a running gateway. What it does over real lines is in end_to_end and in cli/test_read.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock

from gateway_server.app_once import _pool_for
from gateway_server.codec.registry import Registry
from gateway_server.config import load_config
from gateway_server.errors import OperatorError
from gateway_server.transports.routes import parse_route
from tests.transports.hall import Hall


@pytest.fixture
def hall() -> Hall:
    return Hall()


MODEMS = "".join(f'[[modem]]\nname = "{name}"\nport = "/dev/ttyNONE-{name}"\n' for name in ("m1", "m2"))


@pytest.mark.parametrize(
    ("routes", "modems"),
    [
        (("csd:+79161234567",), ["m1", "m2"]),
        (("csd:+79161234567@m2",), ["m2"]),
        (("tcp:10.0.0.1:1", "csd:+79161234567@m1"), ["m1"]),
        (("tcp:10.0.0.1:1",), None),
    ],
)
def test_only_the_modems_that_are_needed_are_woken(
    tmp_path: Path, hall: Hall, routes: tuple[str, ...], modems: list[str] | None
) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(MODEMS)
    reactor: Any = MemoryReactorClock()
    pool = _pool_for([parse_route(route) for route in routes], reactor, load_config(path), Registry(), hall.facilities)
    assert (pool and [view.name for view in pool.views()]) == modems
    if pool is not None:
        Deferred.fromCoroutine(pool.stop())


def test_without_any_modem_there_is_no_pool(tmp_path: Path, hall: Hall) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text("")
    reactor: Any = MemoryReactorClock()
    assert _pool_for([parse_route("csd:+79161234567")], reactor, load_config(path), Registry(), hall.facilities) is None


def test_modem_that_nobody_configured_is_told_with_those_there_are(tmp_path: Path, hall: Hall) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(MODEMS)
    route = parse_route("csd:+79161234567@m3")
    with pytest.raises(OperatorError, match="there is no modem 'm3'; configured are m1, m2"):
        _pool_for([route], MemoryReactorClock(), load_config(path), Registry(), hall.facilities)
