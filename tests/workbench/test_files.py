"""Uploaded files become readings: at once, or whenever somebody can read them."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import pytest

from gateway_server.codec.buffer import LineFramer
from gateway_server.codec.codec import Field, Frame
from gateway_server.codec.dialogue import Findings
from gateway_server.codec.files import FileReading, OtherKind, UploadedFile
from gateway_server.codec.registry import load_codecs
from gateway_server.errors import CodecError, OperatorError
from gateway_server.model import INTERVAL, Column, Event, Identify, MeterState, Row, Span
from gateway_server.store.open import open_store
from gateway_server.store.records import FileState, Filter
from gateway_server.store.sql import SqlStore
from gateway_server.workbench.containers import ContainerLimits
from gateway_server.workbench.files import decode_file, examine, keep, look_up
from tests.workbench.uploads import CAME_MS, SERIAL, hourly, in_care, registry_of, uploaded

LIS200 = load_codecs()
NOBODY = registry_of([])
VOLUME = Column("base_volume_total", "m3", cumulative=True)
REPORT = b"S41203377\n7 1042.5\n8 1043\nE9 0x2504\n"


class Report:
    """``S41``: serial number; ``<hour> <volume>``: a row; ``E<hour> <code>``: an event."""

    framer = LineFramer

    def __init__(
        self, name: str = "report", version: str = "1", *, scale: str = "1", shift: int = 0, utc: bool = False
    ) -> None:
        self.name = name
        self.version = version
        self._scale = Decimal(scale)
        self._shift = shift
        self._utc = utc

    def dissect(self, frame: Frame) -> list[Field]:
        return [Field("line", 0, len(frame.data))]

    def read_file(self, file: UploadedFile) -> FileReading | None:
        rows, events, identity, at = [], [], None, 0
        for line in file.data.splitlines(keepends=True):
            text, span = line.decode().strip(), Span(at, at + len(line))
            at += len(line)
            if text.startswith("S"):
                identity = Identify(text[1:])
            elif text.startswith("E"):
                events.append(Event(text[3:], "", datetime(2026, 3, 14, int(text[1])), span=span))
            elif text == "broken":
                raise CodecError(f"line at byte {span.start} is broken")
            elif text[:1].isdigit():
                hour, volume = text.split()
                moment = datetime(2026, 3, 14, int(hour) + self._shift)
                rows.append(Row((VOLUME,), (Decimal(volume) * self._scale,), INTERVAL, moment, int(hour), span=span))
        if not rows:
            raise OtherKind("no line is a row")
        return FileReading(Findings(tuple(rows), tuple(events)), identity, utc=self._utc)


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = open_store(":memory:")
    yield store
    store.close()


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


# the line of issue: received today, understood tomorrow


def test_upload_in_an_unknown_format_becomes_readings_when_a_codec_for_it_is_there(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    first = decode_file(store, NOBODY, file)
    assert (first.state, store.file(file).state) == (FileState.UNKNOWN, FileState.UNKNOWN)  # type: ignore[union-attr]
    assert "no codec reads it; it looks like text of 4 lines" in first.detail

    later = decode_file(store, registry_of([Report()]), file)
    assert (later.state, later.new, later.codec, later.meter) == (FileState.DECODED, 3, "report", SERIAL)
    record = store.file(file)
    assert record is not None
    assert (record.state, record.readings, record.codec, record.detail) == (FileState.DECODED, 2, "report", "")
    assert b"".join(store.file_bytes(file)) == REPORT
    assert [one.value for one in store.readings()] == ["1042.5", "1043"]
    assert [one.code for one in store.events()] == ["0x2504"]


def test_decoding_twice_changes_nothing(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), file)
    before = (list(store.readings()), store.file(file))
    again = decode_file(store, registry_of([Report()]), file)
    assert (again.no_change, again.same, again.skipped) == (True, 3, "")
    assert (list(store.readings()), store.file(file)) == before


def test_row_knows_the_bytes_it_came_from(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), file)
    (first, second) = store.rows()
    assert REPORT[first.row.span_start : first.row.span_end] == b"7 1042.5\n"
    assert REPORT[second.row.span_start : second.row.span_end] == b"8 1043\n"


def test_newer_codec_replaces_what_the_older_one_read_and_says_how(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), file)
    newer = registry_of([Report(version="2", scale="10")])
    tried = decode_file(store, newer, file, dry_run=True)
    assert (tried.changed, tried.same, tried.new) == (2, 1, 0)
    assert [(change.old, change.new) for change in tried.changes] == [
        ("1042.5 m3", "10425.0 m3"),
        ("1043 m3", "10430 m3"),
    ]
    assert [one.value for one in store.readings()] == ["1042.5", "1043"]

    done = decode_file(store, newer, file)
    assert (done.changed, done.old_version, done.codec_version) == (2, "1", "2")
    assert [one.value for one in store.readings()] == ["10425.0", "10430"]
    assert {one.codec_version for one in store.readings()} == {"2"}
    assert decode_file(store, newer, file).no_change


def test_rows_whose_time_was_read_wrongly_move(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), file)
    moved = decode_file(store, registry_of([Report(version="2", shift=10)]), file)
    assert (moved.changed, moved.new, moved.gone) == (2, 0, 0)
    assert [one.order_number for one in store.readings()] == [7, 8]


def test_dry_run_of_a_first_decoding_leaves_no_trace(store: SqlStore) -> None:
    file = uploaded(store, "DAY.TXT", REPORT)
    told = decode_file(store, registry_of([Report()]), file, dry_run=True)
    assert "nobody has claimed meter 41203377" in told.skipped
    assert store.meters() == []
    assert store.file(file).state is FileState.STORED  # type: ignore[union-attr]


# whose it is


def test_file_in_a_shared_account_belongs_to_the_meter_it_names(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT)
    assert decode_file(store, registry_of([Report()]), file).meter == SERIAL
    assert store.file(file).meter == SERIAL  # type: ignore[union-attr]
    assert decode_file(store, registry_of([Report()]), file).no_change


def test_meter_nobody_knows_is_registered_and_its_file_waits_for_the_claim(store: SqlStore) -> None:
    file = uploaded(store, "DAY.TXT", REPORT)
    first = decode_file(store, registry_of([Report()]), file)
    assert (first.state, store.file(file).meter) == (FileState.UNKNOWN, SERIAL)  # type: ignore[union-attr]
    assert [(meter.serial, meter.state) for meter in store.meters()] == [(SERIAL, MeterState.UNCLAIMED)]
    assert list(store.readings()) == []
    store.claim(SERIAL)
    assert decode_file(store, registry_of([Report()]), file).new == 3


def test_file_of_another_meter_than_the_accounts_is_not_read(store: SqlStore) -> None:
    in_care(store, "77000001")
    file = uploaded(store, "DAY.TXT", REPORT, login="m1", serial="77000001")
    told = decode_file(store, registry_of([Report()]), file)
    assert told.state is FileState.FAILED
    assert "tells of meter 41203377, but it came for meter 77000001" in told.detail
    assert list(store.readings()) == []


def test_leading_zeros_are_no_other_meter(store: SqlStore) -> None:
    in_care(store, f"00{SERIAL}")
    file = uploaded(store, "DAY.TXT", REPORT, serial=f"00{SERIAL}")
    assert decode_file(store, registry_of([Report()]), file).meter == f"00{SERIAL}"


def test_name_tells_whose_a_file_is_when_its_content_does_not(store: SqlStore) -> None:
    in_care(store)
    in_care(store, "77000001")
    file = uploaded(store, f"/in/EK{SERIAL}202603142105000900.abl", hourly())
    told = decode_file(store, LIS200, file)
    assert (told.meter, told.new, told.state) == (SERIAL, 24, FileState.DECODED)


def test_name_that_fits_no_meter_or_several_is_said(store: SqlStore) -> None:
    file = uploaded(store, f"EK{SERIAL}202603142105000900.abl", hourly())
    assert "its name says 41203377 or EK41203377, which is no meter" in decode_file(store, LIS200, file).detail
    in_care(store, f"EK{SERIAL}")
    in_care(store)
    assert "which is several meters" in decode_file(store, LIS200, file).detail


def test_zeros_in_front_of_a_number_in_the_name_may_be_missing_in_the_register(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, f"00000{SERIAL}202603142105000900.abl", hourly())
    assert decode_file(store, LIS200, file).meter == SERIAL


def test_file_that_says_nothing_of_its_meter_waits_until_somebody_says_it(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DATA.TXT", hourly())
    first = decode_file(store, LIS200, file)
    assert first.state is FileState.UNKNOWN
    assert "does not say of which meter" in first.detail
    assert decode_file(store, LIS200, file, serial=SERIAL).new == 24
    assert "not in the register" in decode_file(store, LIS200, file, serial="5").skipped


def test_meter_that_is_switched_off_gets_no_readings(store: SqlStore) -> None:
    in_care(store)
    store.set_meter_state(SERIAL, MeterState.DISABLED)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    assert "switched off" in decode_file(store, registry_of([Report()]), file).detail


# which codec


def test_of_two_codecs_that_could_read_it_none_is_guessed(store: SqlStore) -> None:
    in_care(store)
    both = registry_of([Report("one"), Report("two", scale="10")])
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    told = decode_file(store, both, file)
    assert told.state is FileState.UNKNOWN
    assert "several codecs can read it (one, two)" in told.detail
    assert [(one.codec, one.said, one.reads) for one in told.tried] == [
        ("one", "2 rows, 1 events", True),
        ("two", "2 rows, 1 events", True),
    ]
    in_care(store, profile="two")
    assert decode_file(store, both, file).codec == "two"


def test_codec_of_the_place_is_asked_behind_the_meters_own(store: SqlStore) -> None:
    in_care(store, codec="one")
    both = registry_of([Report("one"), Report("two"), Report("three")])
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    assert decode_file(store, both, file, prefer=("two",), dry_run=True).codec == "one"
    in_care(store, codec="gone")
    assert decode_file(store, both, file, prefer=("two",), dry_run=True).codec == "two"
    assert decode_file(store, both, file, codec="three", dry_run=True).codec == "three"


def test_named_codec_that_does_not_exist_is_the_operators_error(store: SqlStore) -> None:
    file = uploaded(store, "DAY.TXT", REPORT)
    with pytest.raises(OperatorError, match="there is no codec 'gone'"):
        decode_file(store, NOBODY, file, codec="gone")
    with pytest.raises(OperatorError, match="there is no file 99"):
        decode_file(store, NOBODY, 99)


def test_file_that_a_codec_knows_but_cannot_read_has_failed_and_says_where(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT + b"broken\n", serial=SERIAL)
    told = decode_file(store, registry_of([Report()]), file)
    assert told.state is FileState.FAILED
    assert "report: line at byte 36 is broken" in told.detail


def test_codec_with_a_defect_harms_nothing_but_its_own_reading(store: SqlStore) -> None:
    class Defect(Report):
        def read_file(self, file: UploadedFile) -> FileReading | None:
            raise ZeroDivisionError("oh")

    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    told = decode_file(store, registry_of([Defect("bad")]), file)
    assert (told.state, told.tried[0].said) == (FileState.FAILED, "the codec failed: ZeroDivisionError: oh")
    assert decode_file(store, registry_of([Defect("bad"), Report()]), file).codec == "report"


def test_codec_that_fails_only_when_it_knows_the_meter_harms_nothing(store: SqlStore) -> None:
    class Misfit(Report):
        def read_file(self, file: UploadedFile) -> FileReading | None:
            if file.meter is not None:
                raise ZeroDivisionError("only when the meter is known")
            return FileReading(identity=Identify(SERIAL))

    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT)
    told = decode_file(store, registry_of([Misfit()]), file)
    assert (told.state, told.detail) == (
        FileState.FAILED,
        "the codec report failed: ZeroDivisionError: only when the meter is known",
    )


def test_decoded_file_stays_decoded_when_nobody_reads_it_any_more(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), file)
    assert "no codec reads it" in decode_file(store, NOBODY, file).skipped
    assert store.file(file).state is FileState.DECODED  # type: ignore[union-attr]
    assert len(list(store.readings())) == 2


# in parts and in containers


def test_appended_file_is_read_whole_and_each_row_points_into_its_own_session(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT[:14], serial=SERIAL)
    file = uploaded(store, "DAY.TXT", REPORT[14:], serial=SERIAL, continues=file)
    assert decode_file(store, registry_of([Report()]), file).new == 3
    sessions = {part.session: part for part in store.file_parts(file)}
    assert len(sessions) == 2
    assert [one.session for one in store.rows()] == sorted(sessions)
    assert decode_file(store, registry_of([Report()]), file).no_change


def test_file_that_grows_after_it_was_decoded_gives_only_what_is_new(store: SqlStore) -> None:
    in_care(store)
    registry = registry_of([Report()])
    file = uploaded(store, "DAY.TXT", REPORT[:19], serial=SERIAL)
    assert decode_file(store, registry, file).new == 1
    assert uploaded(store, "DAY.TXT", REPORT[19:], serial=SERIAL, continues=file) == file
    assert store.file(file).state is FileState.STORED  # type: ignore[union-attr]
    told = decode_file(store, registry, file)
    assert (told.new, told.same, told.changed, told.gone) == (2, 1, 0, 0)
    assert decode_file(store, registry, file).no_change


def test_incomplete_file_waits_for_its_rest(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "DAY.TXT", REPORT[:20], serial=SERIAL, complete=False)
    assert "incomplete" in decode_file(store, registry_of([Report()]), file).skipped
    assert store.file(file).state is FileState.INCOMPLETE  # type: ignore[union-attr]


def test_duplicate_is_not_read_again(store: SqlStore) -> None:
    in_care(store)
    uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    second = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    assert "is that of file 1" in decode_file(store, registry_of([Report()]), second).skipped


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped({"day.txt": data})], ids=["gzip", "zip"])
def test_packed_file_is_read_and_its_rows_point_at_the_packed_bytes(store: SqlStore, pack) -> None:  # type: ignore[no-untyped-def]  # one of two packers
    in_care(store)
    packed = pack(REPORT)
    file = uploaded(store, "DAY.PACKED", packed, serial=SERIAL)
    assert decode_file(store, registry_of([Report()]), file).new == 3
    for one in store.rows():
        assert 0 <= one.row.span_start < one.row.span_end <= len(packed)
    assert decode_file(store, registry_of([Report()]), file).no_change
    assert decode_file(store, registry_of([Report(version="2", scale="10")]), file).changed == 2
    assert [one.value for one in store.readings()] == ["10425.0", "10430"]


def test_what_is_not_read_in_a_zip_is_said(store: SqlStore) -> None:
    in_care(store)
    file = uploaded(store, "day.zip", zipped({"day.txt": REPORT, "readme": b"hello"}), serial=SERIAL)
    told = decode_file(store, registry_of([Report()]), file)
    assert (told.new, told.notes) == (3, ["readme is not read: no line is a row"])
    assert store.file(file).detail == "readme is not read: no line is a row"  # type: ignore[union-attr]


def test_zip_with_files_of_two_meters_is_nobodys(store: SqlStore) -> None:
    data = zipped({"a": REPORT, "b": REPORT.replace(b"41203377", b"77000001")})
    told = decode_file(store, registry_of([Report()]), uploaded(store, "day.zip", data))
    assert (told.state, told.detail) == (FileState.FAILED, "it tells of several meters (41203377, 77000001)")


def test_bomb_and_what_is_too_large_are_kept_unread(store: SqlStore) -> None:
    in_care(store)
    limits = ContainerLimits(size=1 << 20, ratio=20, free=1 << 12)
    bomb = uploaded(store, "bomb.gz", gzip.compress(bytes(1 << 20)), serial=SERIAL)
    told = decode_file(store, registry_of([Report()]), bomb, limits=limits)
    assert told.state is FileState.FAILED
    assert "exhaust" in told.detail
    large = uploaded(store, "large", REPORT * 50_000, serial=SERIAL)
    assert "read at once" in decode_file(store, registry_of([Report()]), large, limits=limits).detail


def test_empty_file_is_unknown(store: SqlStore) -> None:
    file = uploaded(store, "EMPTY", b"")
    told = decode_file(store, registry_of([Report()]), file)
    assert (told.state, told.detail) == (FileState.UNKNOWN, "it is empty")


# times


def test_times_are_the_meters_own_unless_the_file_says_utc(store: SqlStore) -> None:
    in_care(store)
    local = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    decode_file(store, registry_of([Report()]), local)
    in_moscow = [one.row.measured_at_ms for one in store.rows()]
    decode_file(store, registry_of([Report(version="2", utc=True)]), local)
    in_utc = [one.row.measured_at_ms for one in store.rows()]
    assert [after - before for before, after in zip(in_moscow, in_utc, strict=True)] == [3 * 3_600_000] * 2


def test_three_steps_of_the_gateway_do_what_the_one_does(store: SqlStore) -> None:
    in_care(store)
    registry = registry_of([Report()])
    file = uploaded(store, "DAY.TXT", REPORT, serial=SERIAL)
    waiting = look_up(store, file)
    sniffed = examine(registry, waiting)
    assert keep(store, waiting, sniffed).new == 3


def test_hourly_rows_of_a_corrector_join_those_read_by_telephone(store: SqlStore) -> None:
    in_care(store)
    first = uploaded(store, "1.txt", hourly(24), serial=SERIAL)
    decode_file(store, LIS200, first)
    assert {one.archive for one in store.readings()} == {INTERVAL}
    second = uploaded(store, "2.txt", hourly(30), serial=SERIAL, at_ms=CAME_MS + 6 * 3_600_000)
    told = decode_file(store, LIS200, second)
    assert (told.new, told.same, told.conflicts) == (6, 24, 0)


def test_single_row_is_known_by_where_it_goes_on(store: SqlStore) -> None:
    in_care(store)
    decode_file(store, LIS200, uploaded(store, "1.txt", hourly(24), serial=SERIAL))
    next_row = hourly(1, first=664, start=datetime(2026, 3, 15))
    told = decode_file(store, LIS200, uploaded(store, "2.txt", next_row, serial=SERIAL))
    assert told.new == 1
    assert "go on behind its last stored row" in told.detail
    assert len(list(store.rows(Filter(archives=(INTERVAL,))))) == 25
