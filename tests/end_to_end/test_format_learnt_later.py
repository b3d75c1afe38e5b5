"""What was received yesterday in a format nobody knew is read today, without asking the meter again."""

from __future__ import annotations

import ftplib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.programs import said_by
from tests.end_to_end.uploads import LOGIN, PASSWORD, Drop, wait_until

pytestmark = pytest.mark.end_to_end

REPORT = (
    "Отчёт за сутки;узел 7\r\n"
    "Дата;Время;Vст, м3;P, кПа;T\r\n"
    "14.03.2026;09:00;1 042,50;512,3;8,1\r\n"
    "14.03.2026;10:00;1 043,75;512,1;-0,4\r\n"
).encode("cp1251")
MAPPING = """\
reads: table_file
source: capture
about: what came on 14 March 2026, compared with the corrector's display
encoding: cp1251
skip_lines: 1
decimal: ","
time: {value: [Дата, Время], format: "%d.%m.%Y %H:%M"}
values:
  - {value: "Vст, м3", quantity: base_volume_total}
  - {value: "P, кПа", quantity: pressure_mean, unit: bar, scale: SCALE}
  - {value: "T", quantity: temperature_mean}
"""


def answer(drop: Drop, *arguments: str) -> Any:
    return json.loads(said_by(*arguments, "--json", "-c", str(drop.config)))


def test_upload_in_an_unknown_format_becomes_readings_after_a_mapping_is_added(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.config.write_text(f'{drop.config.read_text()}\n[plugins]\nfolders = ["plugins.d"]\n')
    plugins = tmp_path / "plugins.d"
    plugins.mkdir()
    drop.accounts(LOGIN)

    with drop.gateway() as (port, _):
        with ftplib.FTP() as client:
            client.connect("127.0.0.1", port)
            client.login(LOGIN, PASSWORD)
            assert client.storbinary("STOR SUTKI.CSV", io.BytesIO(REPORT)).startswith("226")
        wait_until(lambda: [one.record.state.value for one in drop.stored()] == ["unknown"])

    (file,) = answer(drop, "file", "list")
    assert (file["state"], file["meter"], file["readings"], file["size"]) == ("unknown", LOGIN, 0, len(REPORT))
    shown = answer(drop, "file", "show", str(file["id"]))
    assert "separated text: semicolons" in shown["looks_like"]
    assert answer(drop, "reading", "list") == []

    mapping = plugins / "sutki.yaml"
    mapping.write_text(MAPPING.replace("SCALE", "0.1"), "utf-8")
    assert answer(drop, "file", "reprocess", "--dry-run")["files"][0]["new"] == 2
    assert answer(drop, "reading", "list") == []

    (read,) = answer(drop, "file", "reprocess")["files"]
    assert (read["new"], read["codec"], read["state"]) == (2, "sutki", "decoded")
    assert told(drop) == [
        ("base_volume_total", "1042.50", "m3", "2026-03-14T06:00:00Z"),
        ("base_volume_total", "1043.75", "m3", "2026-03-14T07:00:00Z"),
        ("pressure_mean", "51.23", "bar", "2026-03-14T06:00:00Z"),
        ("pressure_mean", "51.21", "bar", "2026-03-14T07:00:00Z"),
        ("temperature_mean", "8.1", "°C", "2026-03-14T06:00:00Z"),
        ("temperature_mean", "-0.4", "°C", "2026-03-14T07:00:00Z"),
    ]
    (again,) = answer(drop, "file", "reprocess")["files"]
    assert (again["no_change"], again["same"]) == (True, 2)

    mapping.write_text(MAPPING.replace("SCALE", "0.01"), "utf-8")  # a kilopascal is a hundredth of a bar
    (corrected,) = answer(drop, "reprocess")["sessions"][-1:]
    assert corrected["changed"] == 2
    assert {(one["old"], one["new"]) for one in corrected["changes"]} == {
        ("51.23 bar", "5.123 bar"),
        ("51.21 bar", "5.121 bar"),
    }
    assert [value for quantity, value, _, _ in told(drop) if quantity == "pressure_mean"] == ["5.123", "5.121"]
    assert answer(drop, "reprocess")["sessions"][-1]["no_change"]


def told(drop: Drop) -> list[tuple[str, str, str, str]]:
    return sorted(
        ((one["quantity"], one["value"], one["unit"], one["measured_at"]) for one in answer(drop, "reading", "list")),
        key=lambda one: (one[0], one[3]),
    )
