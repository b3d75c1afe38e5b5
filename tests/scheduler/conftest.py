"""What tests of whole nights share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def failed_calls_are_no_news(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Keeps the warnings of simulated nights, which are many, out of the log."""
    with caplog.at_level(logging.ERROR):
        yield
