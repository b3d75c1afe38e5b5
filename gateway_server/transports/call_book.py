"""The record of one call in the store: opened at the dial, so that a killed gateway leaves a trace of it."""

from __future__ import annotations

import logging
from dataclasses import replace

from gateway_server.errors import StoreError
from gateway_server.store.records import CallRecord, SessionKey
from gateway_server.store.store import Store, Writer

logger = logging.getLogger(__name__)


class CallBook:
    """Writes one call down. What is lost of it is said in the log and is no reason to lose the call."""

    def __init__(self, writer: Writer, key: SessionKey, record: CallRecord) -> None:
        self._writer = writer
        self._key = key
        self._id = 0  # the store's thread sets it, and nobody else uses it
        self.record = record

        def work(store: Store) -> None:
            self._id = store.open_call(replace(record, session=key.id))

        writer.call(work, self._heard)

    def connected(self, at_ms: int, *, bearer: str, signal: int | None, operator: str) -> None:
        """The modem is on line."""
        self.record = replace(self.record, connected_ms=at_ms, bearer=bearer, signal=signal, operator=operator)
        self._write(self.record)

    def close(self, record: CallRecord) -> None:
        """The call is over."""
        self.record = record
        self._write(record)

    def _write(self, record: CallRecord) -> None:
        key = self._key

        def work(store: Store) -> None:
            whole = replace(record, session=key.id)
            if not self._id:  # the store had no room when the call began
                self._id = store.open_call(whole)
            store.close_call(replace(whole, id=self._id))

        self._writer.call(work, self._heard)

    def _heard(self, failed: StoreError | None) -> None:
        if failed is not None:
            logger.warning("a call by modem %s could not be noted: %s", self.record.modem, failed)
