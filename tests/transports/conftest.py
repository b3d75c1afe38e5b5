"""A listener's settings over a store in memory."""

from __future__ import annotations

import pytest

from tests.transports.hall import Hall


@pytest.fixture
def hall() -> Hall:
    return Hall()
