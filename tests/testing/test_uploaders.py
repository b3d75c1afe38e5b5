"""Simulated uploaders, in a reactor of memory."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from twisted.internet.testing import MemoryReactorClock

from gateway_server.errors import OperatorError
from gateway_server.testing.upload_script import Manners
from gateway_server.testing.uploaders import Uploaders, UploadOptions, simulate_upload
from tests.testing.memory import started, take_call

PASSIVE = b"227 Entering Passive Mode (127,0,0,1,195,80).\r\n"


def options(**changed: object) -> UploadOptions:
    wanted = {"meters": 3, "files": 2, "at_once": 2, "password": "secret", **changed}
    return UploadOptions("127.0.0.1:2121", **wanted)  # type: ignore[arg-type]


def serve(reactor: MemoryReactorClock, call: int, *, last: bytes = b"226 stored\r\n") -> str:
    """Plays the server to the attempt with this number; gives who logged in."""
    protocol, control = take_call(reactor, call)
    for reply in (b"220 ready\r\n", b"331 go on\r\n", b"230 welcome\r\n", b"200 fine\r\n", PASSIVE):
        protocol.dataReceived(reply)
    take_call(reactor, -1)
    for reply in (b"150 come\r\n", last, b"221 bye\r\n"):
        protocol.dataReceived(reply)
    return control.take().splitlines()[0].decode()


def controls(reactor: MemoryReactorClock) -> list[int]:
    return [number for number, call in enumerate(reactor.tcpClients) if call[1] == 2121]


def test_meters_take_turns_and_no_more_than_allowed_at_once() -> None:
    reactor = started()
    ended: list[bool] = []
    uploaders = Uploaders(reactor, options(), lambda: ended.append(True))
    uploaders.start()
    said = []
    for number in range(6):
        assert len(controls(reactor)) == min(number + 2, 6)
        said.append(serve(reactor, controls(reactor)[number]))
    assert said == [f"USER {serial}" for serial in (41203377, 41203378, 41203379)] * 2
    assert ended == [True]
    assert uploaders.statistics().line() == "6/6 files acknowledged in 6 attempts"
    assert len({one.file.data for one in uploaders.offered}) == 6


def test_failed_upload_is_tried_again_and_what_was_acknowledged_is_written(tmp_path: Path) -> None:
    reactor = started()
    place = tmp_path / "acknowledged.jsonl"
    uploaders = Uploaders(reactor, options(meters=1, files=2, acknowledged=place))
    uploaders.start()
    serve(reactor, 0, last=b"452 no room\r\n")
    assert "last failure: 452 no room" in uploaders.statistics().line()
    assert len(controls(reactor)) == 1
    reactor.advance(5)
    serve(reactor, controls(reactor)[1])
    uploaders.stop()
    first, second = (json.loads(line) for line in place.read_text("utf-8").splitlines())
    assert (first["acknowledged"], first["attempts"]) == (True, 2)
    assert first["sha256"] == sha256(uploaders.offered[0].file.data).hexdigest()
    assert (second["acknowledged"], second["name"]) == (False, uploaders.offered[1].file.name)
    assert [call for call in reactor.getDelayedCalls() if call.active()] == []


def test_time_that_is_over_ends_everything() -> None:
    reactor = started()
    said: list[str] = []
    over = simulate_upload(reactor, options(seconds=7.0), said.append)
    for _ in range(8):
        reactor.advance(1)
    assert over.called
    assert said == ["0/6 files acknowledged in 2 attempts"] * 2
    assert [call for call in reactor.getDelayedCalls() if call.active()] == []


@pytest.mark.parametrize(
    "changed", [{"meters": 0}, {"files": 0}, {"at_once": 0}, {"manners": Manners(cut="ears")}, {"form": "scroll"}]
)
def test_impossible_uploaders_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(OperatorError):
        Uploaders(started(), options(**changed))
