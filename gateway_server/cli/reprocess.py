"""``reprocess``: stored raw bytes decoded again by today's codec."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_server.cli.invocation import zone
from gateway_server.codec.registry import Registry
from gateway_server.store.records import Filter, SessionKey
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.replay import replay


@dataclass(slots=True)
class ReadAgain:
    sessions: int = 0
    new: int = 0


def read_again(store: SqlStore, codecs: Registry, serial: str) -> ReadAgain:
    found = ReadAgain()
    meter = store.meter(serial)
    assert meter is not None
    for session in list(store.sessions(Filter(serials=(serial,)))):
        found.sessions += 1
        if session.codec not in codecs:
            continue
        for told in replay(
            codecs.get(session.codec),
            store.session_log(session.id),
            zone(meter.time_zone),
            meter=store.known_meter(serial),
        ):
            saved = store.save(SessionKey(session.id), told.serial or serial, told.rows, told.events)
            found.new += saved.new
    return found
