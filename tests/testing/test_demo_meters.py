"""The scene of the demo."""

from __future__ import annotations

from twisted.internet.testing import MemoryReactorClock

from gateway_server.testing.demo_meters import SCENE, DemoMeters, scene
from tests.testing.memory import connect


def test_scene_has_a_meter_of_every_story() -> None:
    quirks = [meter.quirks for meter in SCENE]
    assert len({meter.model for meter in SCENE}) == 5
    assert any(one.seven_e1 for one in quirks)
    assert any(one.lock_values for one in quirks)
    assert any(one.never_answers for one in quirks)
    assert sum(not meter.registered for meter in SCENE) == 1
    assert sum(not meter.caller for meter in SCENE) == 1
    assert len({meter.serial for meter in scene(40)}) == 40


def test_listening_meter_has_its_route_before_anybody_calls() -> None:
    reactor = MemoryReactorClock()
    demo = DemoMeters(reactor)
    assert len(reactor.tcpServers) == 1
    assert reactor.tcpClients == []
    routes = {meter.serial: meter.route for meter in demo.meters}
    assert routes["28004512"].startswith("tcp:127.0.0.1:")
    assert routes["41203377"] == "caller:350000000000001"


def test_callers_call_the_gateway_with_their_registration() -> None:
    reactor = MemoryReactorClock()
    demo = DemoMeters(reactor, 7)
    demo.call("127.0.0.1", 4001)
    assert [(host, port) for host, port, *_ in reactor.tcpClients] == [("127.0.0.1", 4001)] * 6
    _, transport = connect(reactor, 0)
    assert transport.value() == b"350000000000001\r\n"
    demo.stop()
    assert transport.disconnecting
    assert demo.fake("41203377").serial == "41203377"
