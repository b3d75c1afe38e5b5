"""``demo``: the gateway with simulated meters on loopback, to see it work within a minute."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from gateway_server.app import Gateway, make_gateway
from gateway_server.cli.demo_calls import CallNews, CallsShown, call_news, calls_told_once
from gateway_server.cli.errors import Failed, Stopped, say
from gateway_server.cli.invocation import Invocation, pass_invocation
from gateway_server.cli.reactor import run_reactor
from gateway_server.config import Config, load_config
from gateway_server.errors import GatewayError, OperatorError
from gateway_server.model import CURRENT, DAILY, EVENTS, INTERVAL, MONTHLY, MeterState, Outcome, ReadOrder
from gateway_server.scheduler.wake import wake
from gateway_server.store.file_records import FileRecord, FileState
from gateway_server.store.open import open_store, store_path
from gateway_server.store.passwords import hashed
from gateway_server.store.records import Filter, MeterRecord, SessionRecord
from gateway_server.store.store import Store
from gateway_server.testing.demo_meters import DemoMeter, DemoMeters
from gateway_server.testing.demo_modems import LEGACY, MODEMS, LegacyMeter, demo_modems, port_of_modem
from gateway_server.testing.demo_uploads import PASSWORD, UNITS, DemoUnit, DemoUploads

NAME = "gateway-server"
FOLDER = Path("demo-data")
CSD = "csd"
BY_TELEPHONE = ReadOrder(frozenset({"archive"}))  # each live value costs a round trip of a paid line
_LOOK_SECONDS = 0.4
_SETTLED = tuple(state.value for state in (FileState.DECODED, FileState.UNKNOWN, FileState.FAILED))
_PATIENCE_SECONDS = 12.0  # when those that do not answer are waited for no longer

_WORDS = {
    INTERVAL: "hourly rows",
    DAILY: "daily rows",
    MONTHLY: "monthly rows",
    EVENTS: "events",
    CURRENT: "live values",
}

_CONFIG = r"""# Made by `gateway-server demo`: everything here is simulated.
[store]
url = "sqlite:///gateway.db"

[[listener]]
name = "gprs"
endpoint = "tcp:0:interface=127.0.0.1"
codec = "lis200"
identify = ["registration", "codec"]
registration = '(?P<id>\d{15})\r?\n'
role = "ask"

[[ftp]]
name = "drop"
listen = "127.0.0.1:0"
passive_ports = ""

[[schedule]]
name = "night"
cron = "0 2 * * *"
window = "02:00-05:00"
groups = ["demo/telephone"]
"""
_MODEM = """
[[modem]]
name = "{name}"
port = {port}
cool_down = 1
"""


@click.command()
@click.option("--meters", type=click.IntRange(1, 1000), default=5, show_default=True, metavar="N")
@click.option("--seconds", type=click.FloatRange(min=1), metavar="S", help="End by itself. [runs until Ctrl-C]")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True, help="Where it keeps it.")
@pass_invocation
def demo(invocation: Invocation, meters: int, seconds: float | None, folder: Path) -> None:
    """Simulated meters that call, are dialled and upload.

    All on loopback. Says how to look at what was read. It keeps everything in the folder demo-data, which is made anew
    each time.
    """
    config = _set_up(folder)
    registry = invocation.codecs()
    shown = _Shown(config.path or folder)
    home = folder.resolve()

    async def work(reactor: Any) -> None:
        scene = DemoMeters(reactor, meters)
        modems = demo_modems(reactor, home)
        _register(config, scene, invocation.now_ms())
        gateway = make_gateway(reactor, config, now_ms=invocation.now_ms, registry=registry)
        watching = LoopingCall(_look, gateway, shown)
        watching.clock = IReactorTime(reactor)
        uploads: DemoUploads | None = None
        try:
            await gateway.start()
            for place in gateway.places:
                click.echo(f"listening: {place}")
            click.echo("the web console comes with a later version; until then the command line shows everything\n")
            shown.expect(scene.meters)
            ports = {place.name: place.port for place in gateway.places}
            scene.call("127.0.0.1", ports["gprs"])
            uploads = DemoUploads(reactor, "127.0.0.1", ports["drop"])
            uploads.start()
            watching.start(_LOOK_SECONDS)
            patience = reactor.callLater(_PATIENCE_SECONDS, shown.explain)
            ended: Deferred[None] = Deferred()
            if seconds is not None:
                reactor.callLater(seconds, ended.callback, None)
            await ended
            if patience.active():
                patience.cancel()
        finally:
            if watching.running:
                watching.stop()
            scene.stop()
            if uploads is not None:
                uploads.stop()
            await gateway.stop()
            modems.stop()

    click.echo(
        f"{meters} simulated meters, {len(LEGACY)} behind modems and {len(UNITS)} that upload; "
        f"everything is kept in {folder}/ and nowhere else"
    )
    try:
        with calls_told_once(invocation.verbose):
            run_reactor(work)
    except Stopped:
        click.echo()
    with closing(open_store(config.store.url, config.key_file)) as store:
        shown.news(_news(store, shown.newest, shown.calls.over))
    shown.summary()
    if not shown.read:
        raise Failed("no meter could be read")


def _set_up(folder: Path) -> Config:
    """The demo's own folder, empty, with its configuration."""
    path = folder / "gateway.toml"
    if folder.exists():
        if not path.is_file() or not path.read_text(encoding="utf-8").startswith(_CONFIG.split("\n", 1)[0]):
            raise OperatorError(f"{folder} is there already and not the demo's; name another --folder")
        store = store_path(load_config(path).store.url)
        if store is not None and wake(store):
            raise OperatorError(f"a demo runs in {folder} already; name another --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    modems = [_MODEM.format(name=name, port=json.dumps(str(port_of_modem(folder.resolve(), name)))) for name in MODEMS]
    path.write_text("".join((_CONFIG, *modems)), encoding="utf-8")
    return load_config(path)


def _register(config: Config, scene: DemoMeters, now_ms: int) -> None:
    """Puts the scene's meters into the register and orders those to be read that we connect to."""
    with closing(open_store(config.store.url, config.key_file)) as store:
        ours = [meter for meter in scene.meters if meter.registered]
        store.put_meters((_record(meter), meter.access_code or None) for meter in ours)
        for meter in ours:
            if not meter.caller:
                store.add_job(meter.serial, ReadOrder().to_json(), "", now_ms)
        store.put_meters((_record(one), None) for one in UNITS)
        store.put_meters((_record(one, "demo/telephone"), None) for one in LEGACY)
        for legacy in LEGACY:
            store.add_job(legacy.serial, BY_TELEPHONE.to_json(), "", now_ms)
        secret = hashed(PASSWORD)
        for unit in UNITS:
            store.set_upload_secret(unit.login, secret)


def _record(meter: DemoMeter | DemoUnit | LegacyMeter, group: str = "demo") -> MeterRecord:
    return MeterRecord(meter.serial, meter.name, "lis200", meter.model, (meter.route,), group, state=MeterState.ACTIVE)


@dataclass(frozen=True, slots=True)
class _Seen:
    """An ended session with what was stored from it."""

    session: SessionRecord
    rows: Counter[str]


def _look(gateway: Gateway, shown: _Shown) -> Deferred[None]:
    """Asks the store, on its thread, for sessions that have ended since, and for files."""
    done: Deferred[None] = Deferred()
    behind, calls_over = shown.newest, shown.calls.over

    def work(store: Store) -> _News:
        return _news(store, behind, calls_over)

    def heard(found: _News | GatewayError) -> None:
        if not isinstance(found, GatewayError):
            shown.news(found)
        done.callback(None)

    gateway.writer.call(work, heard)
    return done


@dataclass(frozen=True, slots=True)
class _News:
    """What the store has that was not shown yet."""

    ended: list[_Seen]
    files: list[FileRecord]
    calls: CallNews


def _news(store: Store, behind: set[int], calls_over: set[int]) -> _News:
    found = [one for one in store.sessions(Filter(states=("ended",))) if one.id not in behind]
    ended = [_Seen(one, _rows_of(store, one)) for one in found if one.transport != "ftp"]
    return _News(ended, list(store.files(Filter(states=_SETTLED))), call_news(store, calls_over))


def _rows_of(store: Store, session: SessionRecord) -> Counter[str]:
    wanted = Filter(serials=(session.meter,) if session.meter else (), sessions=(session.id,))
    rows = Counter(stored.row.archive for stored in store.rows(wanted))
    if events := sum(1 for _ in store.events(wanted)):
        rows[EVENTS] = events
    return rows


class _Shown:
    """What the demo has shown so far."""

    def __init__(self, config: Path) -> None:
        self._option = f"-c {_beside_here(config)}"
        self._meters: dict[str, DemoMeter] = {}
        self._said: dict[str, str] = {}
        self._explained = False
        self._session = 0
        self._files: dict[int, FileRecord] = {}
        self.calls = CallsShown(self._name_of, click.echo)
        self.newest: set[int] = set()
        self.read: set[str] = set()

    def expect(self, meters: list[DemoMeter]) -> None:
        """The scene's meters."""
        self._meters = {meter.serial: meter for meter in meters}

    def news(self, news: _News) -> None:
        """Shows what is new."""
        self.calls.news(news.calls)
        for seen in news.ended:
            self.session(seen)
        for file in news.files:
            if file.id not in self._files:
                self.file(file)

    def file(self, file: FileRecord) -> None:
        """Says what came of an uploaded file."""
        self._files[file.id] = file
        name = next(
            (f"{unit.model} {unit.serial} {unit.name}" for unit in UNITS if unit.login == file.login), file.login
        )
        read = file.state is FileState.DECODED
        said = f"{file.readings} readings, committed" if read else "nobody can read it yet; it is kept"
        click.echo(f"{name} → uploaded {file.size} bytes: {said} (file {file.id})")

    def session(self, seen: _Seen) -> None:
        """Says how a session ended, unless that was said of this meter before."""
        one = seen.session
        self.newest.add(one.id)
        name = self._name_of(one.meter) or one.remote
        if seen.rows:
            said = f"{_counts(seen.rows)}, committed"
            self.read.add(one.meter)
            self._session = self._session or one.id
        elif one.outcome is Outcome.UNKNOWN_METER and one.meter:
            said = "nobody has claimed it yet; its bytes are kept"
        else:
            said = f"{one.outcome.value if one.outcome else 'open'}: {one.detail}"
        if one.transport == CSD and not seen.rows:
            self._said[one.meter] = said  # the call has said it
        elif self._said.get(one.meter) != said:
            self._said[one.meter] = said
            click.echo(f"{name} → {said} (session {one.id})")
        if self._meters.keys() <= self._said.keys():
            self.explain()

    def _name_of(self, serial: str) -> str:
        meter = self._meters.get(serial) or next((one for one in LEGACY if one.serial == serial), None)
        return f"{meter.model} {serial} {meter.name}".rstrip() if meter else serial

    def explain(self) -> None:
        """Says how to look at what was read; once."""
        if self._explained:
            return
        self._explained = True
        commands = [
            f"meter list {self._option}",
            f"session list {self._option}",
            f"session show {self._session or 1} {self._option}",
            f"reading list --archive interval {self._option}",
            f"file list {self._option}",
            f"call list {self._option}",
            f"call plan {self._option}",
        ]
        for serial, meter in self._meters.items():
            if not meter.registered:
                commands.append(f"meter claim {serial} {self._option}")
        commands += [f"meter show {serial} {self._option}" for serial in self._silent()[:2]]
        click.echo("\nlook at what was read, here or in another terminal:")
        for command in commands:
            click.echo(f"    {_program()} {command}")
        click.echo()

    def summary(self) -> None:
        """Says what came of it."""
        self.explain()
        click.echo(f"{len(self.read)} meters were read in {len(self.newest)} sessions")
        read = sum(file.state is FileState.DECODED for file in self._files.values())
        click.echo(f"{len(self._files)} files were uploaded; {read} of them could be read")
        if calls := self.calls.summary():
            click.echo(calls)
        if silent := self._silent():
            say(f"not read: {', '.join(silent)}; `{_program()} meter show {silent[0]} {self._option}` says why")

    def _silent(self) -> list[str]:
        """The meters in care whose session has ended without a row."""
        return [
            serial
            for serial in self._said
            if serial in self._meters and serial not in self.read and self._meters[serial].registered
        ]


def _program() -> str:
    """How one calls this program from here."""
    called = Path(sys.argv[0])
    if called.name != NAME:
        return "python -m gateway_server"
    return NAME if shutil.which(NAME) else str(_beside_here(called))


def _beside_here(path: Path) -> Path:
    """The path as one types it from here."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _counts(rows: Counter[str]) -> str:
    """What was stored, in a few words: the archives that everybody has."""
    said = [f"{rows[archive]} {words}" for archive, words in _WORDS.items() if rows[archive]]
    others = rows.total() - sum(rows[archive] for archive in _WORDS)
    return ", ".join([*said, f"{others} other rows"] if others else said)
