"""The desk that the command line's tests sit at."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.store.records import MeterRecord
from tests.cli.desk import Desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A desk with an empty store and one meter, 41203377."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)
    (tmp_path / "gateway.toml").write_text('[store]\nurl = "sqlite:///gateway.db"\n', encoding="utf-8")
    desk = Desk(tmp_path, capsys, monkeypatch)
    with desk.store() as store:
        store.put_meter(MeterRecord("41203377", "Boiler house 4", routes=("tcp:10.8.0.17:4001",)))
    return desk
