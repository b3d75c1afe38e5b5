"""A store for the time of a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway_server.store.open import open_store
from gateway_server.store.sql import SqlStore


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = open_store(":memory:")
    yield store
    store.close()
