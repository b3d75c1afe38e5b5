"""What the rest of the program asks of the store.

Two faces: a `Writer`, which the reactor's sessions use and which never blocks, and the `Store`, synchronous, for the
store's own thread and for the command line. Everything goes through one `Writer` per process, so that what all
sessions have pending is committed together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from gateway_server.errors import StoreError
from gateway_server.model import CallResult, Column, Direction, Identify, KnownMeter, MeterState, Saved
from gateway_server.store.callers import KnownCaller
from gateway_server.store.calls import CallTotal
from gateway_server.store.gaps import Gap
from gateway_server.store.modems import ModemRecord
from gateway_server.store.plan_records import JobToMake, PlanStop, Settled, Span, Swept
from gateway_server.store.records import (
    CallRecord,
    EventToSave,
    FilePart,
    FileRecord,
    FileState,
    Filter,
    JobRecord,
    LogEntry,
    MeterRecord,
    RowToSave,
    SessionClosing,
    SessionKey,
    SessionOpening,
    SessionRecord,
    StoredEvent,
    StoredReading,
    StoredRow,
    UploadAccount,
    UploadEnd,
)

T = TypeVar("T")


class Writer(Protocol):
    """The only way into the store while the reactor runs. No method blocks or raises; callbacks come on its thread.

    What was handed over in one order is written in that order: a session's opening before its log, its log before
    the readings found in it. A commit that fails fails for all of its batch: each ``done`` gets the `StoreError`,
    and nothing of the batch may be acknowledged.
    """

    def open_session(self, opening: SessionOpening) -> SessionKey:
        """Begins a session's record; the key can be used at once."""

    def log(self, key: SessionKey, at_ms: int, direction: Direction, data: bytes) -> None:
        """Appends to a session's log. Durable with the next commit, which comes by itself within a moment."""

    def save(
        self,
        key: SessionKey,
        serial: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
        done: Callable[[Saved | StoreError], None],
    ) -> None:
        """Saves what a meter reported; ``done`` is called after the commit, with what it did."""

    def contact(
        self, key: SessionKey, caller: str, at_ms: int, done: Callable[[KnownCaller | StoreError], None]
    ) -> None:
        """`Store.caller_contact`, together with whoever else calls at this time."""

    def close_session(
        self, key: SessionKey, closing: SessionClosing, done: Callable[[StoreError | None], None] | None = None
    ) -> None:
        """Ends a session's record."""

    def call(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        """Runs ``work`` on the store's thread within the next transaction, behind what is pending."""

    def call_from_thread(self, work: Callable[[Store], T], done: Callable[[T | StoreError], None]) -> None:
        """As `call`, for a thread that is not the reactor's; ``done`` is called on the store's, right after the commit.

        It must do no more there than pass the answer on.
        """


class Store(Protocol):
    """The store's verbs, each one transaction or part of the caller's. Raises `StoreError` (`StoreFull`)."""

    # the register
    def identify(self, key: SessionKey, said: Identify, at_ms: int) -> MeterRecord:
        """The meter that answers to this serial number; one nobody knows yet is registered as unclaimed.

        What the session's caller registered as becomes its route, unless that leads to another meter in care.
        """

    def caller_contact(self, key: SessionKey, caller: str, at_ms: int) -> MeterRecord:
        """The meter known by what a caller registered as; an unknown caller is registered as an unclaimed meter whose
        serial number is its route ``caller:ID``."""

    def meter_at(self, route: str) -> MeterRecord | None:
        """The meter known by this route (``caller:...``, ``tcp:...``)."""

    def meters(self, wanted: Filter = ...) -> list[MeterRecord]: ...

    def meter(self, serial: str) -> MeterRecord | None: ...

    def put_meter(self, meter: MeterRecord, access_code: str | None = None) -> None:
        """Adds or replaces a meter; an access code is encrypted, None leaves the stored one."""

    def put_meters(self, meters: Iterable[tuple[MeterRecord, str | None]]) -> None:
        """Adds or replaces many meters with their access codes; all of them or none."""

    def claim(self, serial: str, meter: MeterRecord | None = None) -> MeterRecord:
        """Takes an unclaimed meter into care; one known only as ``caller:ID`` becomes ``meter.serial``."""

    def set_meter_state(self, serial: str, state: MeterState) -> None:
        """Switches a meter on or off."""

    def known_meter(self, serial: str) -> KnownMeter:
        """What a dialogue may know of a meter (its order left at the default). Times in the meter's own clock."""

    def remember(self, serial: str, name: str, value: str) -> None: ...

    # what was received
    def set_codec(self, key: SessionKey, codec: str, codec_version: str) -> None:
        """Notes by which codec a session is read, as soon as that is known; its rows say the same."""

    def sessions(self, wanted: Filter = ...) -> Iterator[SessionRecord]: ...

    def session(self, session_id: int) -> SessionRecord | None: ...

    def session_log(self, session_id: int) -> Iterator[LogEntry]: ...

    def rows(self, wanted: Filter = ...) -> Iterator[StoredRow]: ...

    def session_extents(self, serial: str) -> dict[int, tuple[int, int]]:
        """When the first and the last row of each session that brought rows of this meter were measured."""

    def readings(self, wanted: Filter = ...) -> Iterator[StoredReading]: ...

    def last_readings(self, wanted: Filter = ...) -> Iterator[StoredReading]:
        """The newest row of every meter and archive, from the side table."""

    def events(self, wanted: Filter = ...) -> Iterator[StoredEvent]: ...

    def save_reprocessed(
        self,
        session_id: int,
        serial: str,
        codec: str,
        codec_version: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
        *,
        dry_run: bool = False,
    ) -> Saved:
        """Saves what a stored session says to another codec version; what that replaces is kept but no longer valid.

        ``new`` counts what was stored anew or otherwise than before. A dry run changes nothing.
        """

    def layout(self, columns: tuple[Column, ...]) -> int: ...

    # files: a session opened with `SessionOpening.upload` receives one
    def finish_upload(
        self,
        key: SessionKey,
        end: UploadEnd,
        closing: SessionClosing,
        *,
        log: Sequence[tuple[int, Direction, bytes]] = ...,
        by_rule: bool = ...,
    ) -> FileRecord:
        """Ends an upload with its session, all in one: after this commit, and not before, it may be acknowledged.

        The record's id is the former file's where that was completed or grew. Content that came before is a
        duplicate. An upload that is not ``complete`` is kept for a resume. ``log`` is written with it. ``by_rule``:
        the closing's serial number was found in the file's path; it may be a meter's login, or one nobody knows yet.
        """

    def take_upload(
        self,
        opening: SessionOpening,
        log: Sequence[tuple[int, Direction, bytes]],
        end: UploadEnd,
        closing: SessionClosing,
        *,
        by_rule: bool = ...,
    ) -> FileRecord:
        """A whole upload of which nothing was written while it came: its session, that one's log, and the file."""

    def rename_file(
        self, file_id: int, name: str, raw_name: bytes, at_ms: int, *, serial: str = ..., by_rule: bool = ...
    ) -> FileRecord | None:
        """Gives a file another name, by which it is decoded from now on; None if there is no such file."""

    def former_file(self, login: str, name: str, since_ms: int) -> FileRecord | None:
        """What APPE and REST may go on with: the newest file of this account and name that came since then."""

    def files(self, wanted: Filter = ...) -> Iterator[FileRecord]:
        """Received files; ``states`` takes `FileState` values, ``logins``, ``names`` and ``sessions`` restrict."""

    def file(self, file_id: int) -> FileRecord | None: ...

    def file_bytes(self, file_id: int) -> Iterator[bytes]:
        """A file's content, piece by piece, byte for byte as received."""

    def file_parts(self, file_id: int) -> list[FilePart]:
        """In which sessions a file's content came, in order."""

    def save_file_readings(
        self,
        file_id: int,
        serial: str,
        codec: str,
        codec_version: str,
        rows: Sequence[RowToSave],
        events: Sequence[EventToSave],
        *,
        detail: str = "",
        dry_run: bool = False,
    ) -> Saved:
        """Saves what a file says; spans of rows and events are offsets in the file. The file is decoded then, and
        the meter's. What an older codec version read from the same bytes is replaced as by `save_reprocessed`."""

    def set_file_state(self, file_id: int, state: FileState, detail: str = "", serial: str = "") -> None:
        """Notes that nobody could read a file, or that reading it failed; ``serial`` if its meter is known anyway."""

    # who may upload
    def upload_account(self, login: str) -> UploadAccount | None:
        """The meter known by ``ftp:LOGIN``, with the hash of its password (`passwords.verified`)."""

    def uploaded(self, since_ms: int, until_ms: int) -> dict[tuple[str, str], tuple[int, int]]:
        """Bytes and files that each account uploaded for each meter in sessions which began in this time."""

    def set_upload_secret(self, login: str, secret: str) -> None:
        """Keeps the hash of an account's password (`passwords.hashed`); an empty one removes it."""

    # orders
    def add_job(self, serial: str, order: str, route: str, at_ms: int) -> int:
        """Queues what a person wants now; gives its number."""

    def make_jobs(self, jobs: Iterable[JobToMake], at_ms: int) -> int:
        """Queues what the plan wants, each job of a night once; gives how many are new."""

    def take_job(self, at_ms: int, lease_ms: int) -> JobRecord | None:
        """The next job that is due and needs no modem (or whose lease ran out), now ours until the lease ends."""

    def take_call(self, job_id: int, at_ms: int, lease_ms: int) -> JobRecord | None:
        """This job that waits for a modem, if it is still to be had and nobody is at its meter, now ours."""

    def calls_wanted(self, at_ms: int) -> list[JobRecord]:
        """Jobs that wait for a modem, due now or later, and nobody is at them."""

    def calls_to_line(self, serial: str, at_ms: int) -> int:
        """The meter is on a line: what the plan wants of it by modem needs none now. Gives how many jobs."""

    def end_windows(self, at_ms: int) -> list[JobRecord]:
        """Fails the jobs whose window ended before anybody came to them; gives them."""

    def update_job(self, job: JobRecord) -> None:
        """Writes how far a job is. Raises `StoreError` if it is another gateway's by now."""

    def free_jobs(self) -> int:
        """Gives the jobs of processes that live no more back to the queue; gives how many."""

    def cancel_job(self, job_id: int) -> bool:
        """Cancels a job that is queued or running; `update_job` does not undo that. False if it was over already."""

    def job(self, job_id: int) -> JobRecord | None: ...

    def jobs(self, wanted: Filter = ...) -> Iterator[JobRecord]: ...

    # calls by modem
    def open_call(self, call: CallRecord) -> int:
        """Notes that a call is being made; gives its number."""

    def close_call(self, call: CallRecord) -> None:
        """Writes what is known of a call by now; without ``ended_ms`` it is still being made."""

    def calls(self, wanted: Filter = ...) -> Iterator[CallRecord]:
        """Calls made and taken; ``outcomes`` takes `CallResult` values, ``states`` ``open`` and ``ended``, ``names``
        are modems."""

    def call_total(self, wanted: Filter = ...) -> CallTotal:
        """What all calls that are asked for come to."""

    def found_on_line(self, modem: str, at_ms: int) -> None:
        """The modem was still on line from its last call, and has been hung up now: until now that was paid for."""

    def pin_tried(self, modem: str) -> str:
        """The state of the file whose PIN was tried with this modem and not found right; empty for none."""

    def note_pin_tried(self, modem: str, mark: str) -> None:
        """Notes it before it is tried; an empty mark forgets it."""

    def note_modem(self, modem: ModemRecord) -> None:
        """Writes how a modem of ours is now."""

    def modems(self) -> list[ModemRecord]:
        """Every modem that a gateway ever had on this store; only what is ``live`` is so now."""

    # the plan
    def air_time(self, since_ms: int) -> tuple[dict[str, float], dict[str, float]]:
        """Seconds of calls made since then that are paid for, by meter and by modem."""

    def stop_plan(self, serial: str, result: CallResult, detail: str, at_ms: int, until_ms: int | None = None) -> None:
        """Nobody calls this meter until what was wrong has changed, or `resume_plan`; or ``until_ms`` at the latest."""

    def resume_plan(self, serial: str) -> bool: ...

    def plan_stops(self, at_ms: int) -> dict[str, PlanStop]:
        """The meters that must not be called; stops whose reason has changed, or whose time is over, are lifted."""

    def sweep(self, before_ms: int, most: int, *, when_quiet: bool) -> Swept:
        """Removes old jobs that are over, and old calls; so many of each at most."""

    def note_asked(self, serial: str, archive: str, spans: Iterable[Span], at_ms: int, *, none_there: bool) -> None:
        """These rows were asked for and did not come; ``none_there``: because the device has none of them."""

    def lost(self, serial: str, archive: str) -> list[Span]: ...

    def ask_again(self, serial: str) -> int: ...

    def settled(self, serial: str, archive: str) -> Settled | None: ...

    def settle(self, serial: str, archive: str, settled: Settled) -> None: ...

    # what is not there
    def archives_of(self, serial: str) -> list[str]: ...

    def row_bounds(self, serial: str, archive: str) -> tuple[int, int] | None:
        """The times of the first and the last row whose time can be true."""

    def row_times(self, serial: str, archive: str, since_ms: int, until_ms: int, limit: int = ...) -> list[int]:
        """The times of regular rows, the latest first."""

    def row_gaps(
        self, serial: str, archive: str, since_ms: int, until_ms: int, period_ms: int, phase_ms: int
    ) -> tuple[list[Gap], int | None, int | None]:
        """The gaps between the rows that stand on an even grid, and the first and the last of these rows."""

    def rows_between(self, serial: str, archive: str, after_ms: int, before_ms: int) -> int: ...

    def rows_at(self, serial: str, archive: str, at_ms: int) -> int: ...

    def brought(self, session: int, serial: str, archive: str, since_ms: int, until_ms: int) -> list[int]:
        """The times of the rows that a session brought, within these bounds."""
