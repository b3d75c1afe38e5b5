"""The configuration: one TOML file, every option with a default, and errors in words.

Relative paths are relative to the file. Nothing secret stands in it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from gateway_server.codec.registry import Registry
from gateway_server.config_errors import in_words, place_of
from gateway_server.config_ftp import FtpSettings
from gateway_server.config_modem import CallSettings, ModemSettings
from gateway_server.config_plan import AcceptanceSettings, CompletenessSettings, DiallingSettings, ScheduleSettings
from gateway_server.config_tables import Named, Seconds, Table
from gateway_server.config_watch import WatchSettings
from gateway_server.errors import OperatorError
from gateway_server.scheduler.duty import DutyTerms
from gateway_server.session.registration import Heartbeats, RegistrationFormat, RegistrationPattern
from gateway_server.workbench.containers import DEFAULT_LIMITS, ContainerLimits

SCHEME = "sqlite:///"


class StoreSettings(Table):
    """Where everything is kept. The key of the access codes lies beside the store unless ``key_file`` says where."""

    url: str = "sqlite:///gateway.db"
    key_file: str = ""


class ListenerSettings(Named):
    """One place where meters call in. The contract's keys, then ours; times in seconds."""

    endpoint: str
    codec: str | list[str]
    identify: list[Literal["registration", "address", "codec"]] = ["codec"]
    registration: str = ""
    registration_format: Literal["text", "hex", "json"] = "text"
    role: Literal["ask", "listen"] = "ask"
    addresses: dict[str, str] = {}
    heartbeats: list[str] = []
    heartbeat_answer: str = ""
    keep_open: bool = True
    poll_every: Seconds = 0.0
    idle_timeout: Seconds = 1800.0
    registration_timeout: Seconds = 15.0
    identify_timeout: Seconds = 120.0
    identify_bytes: Annotated[int, Field(ge=512, le=1 << 24)] = 65536

    @field_validator("endpoint")
    @classmethod
    def _is_endpoint(cls, text: str) -> str:
        if not _ENDPOINT.match(text):
            raise ValueError(
                "is no endpoint; write tcp:PORT[:interface=ADDRESS] or ssl:PORT:privateKey=FILE:certKey=FILE"
            )
        for port in _port_of(text):
            if port is None:
                raise ValueError("is no endpoint: behind tcp: or ssl: stands a port number, 0 to 65535")
        return text

    @field_validator("codec")
    @classmethod
    def _names_codecs(cls, codec: str | list[str]) -> str | list[str]:
        if not codec or (isinstance(codec, list) and len(set(codec)) < len(codec)):
            raise ValueError("must name a codec, or several, each once")
        return codec

    @field_validator("identify")
    @classmethod
    def _names_rules(cls, rules: list[str]) -> list[str]:
        if not rules or len(set(rules)) < len(rules):
            raise ValueError('must name rules, each once, in the order of trying: "registration", "address", "codec"')
        return rules

    @field_validator("registration")
    @classmethod
    def _is_pattern(cls, pattern: str) -> str:
        if pattern:
            try:
                RegistrationPattern(pattern)
            except OperatorError as error:
                raise ValueError(str(error).removeprefix(repr(pattern)).strip()) from None
        return pattern

    @field_validator("heartbeat_answer")
    @classmethod
    def _is_bytes(cls, text: str) -> str:
        bytes_of(text)
        return text

    @field_validator("heartbeats")
    @classmethod
    def _are_bytes(cls, texts: list[str]) -> list[str]:
        for text in texts:
            if not bytes_of(text):
                raise ValueError("holds an empty heartbeat")
        return texts

    @model_validator(mode="after")
    def _fits_together(self) -> ListenerSettings:
        if "registration" in self.identify and not self.registration:
            raise ValueError('`identify` has the rule "registration", but `registration` gives no pattern')
        if self.registration and "registration" not in self.identify:
            raise ValueError('`registration` gives a pattern, but `identify` does not have the rule "registration"')
        return self

    @property
    def codecs(self) -> tuple[str, ...]:
        """The codecs in the order of trying."""
        return (self.codec,) if isinstance(self.codec, str) else tuple(self.codec)

    def registration_pattern(self) -> RegistrationPattern | None:
        """The pattern over a caller's first bytes. Raises `OperatorError`."""
        if not self.registration:
            return None
        return RegistrationPattern(self.registration, RegistrationFormat(self.registration_format))

    def heartbeat_strings(self) -> Heartbeats:
        """The heartbeats as bytes."""
        return Heartbeats(tuple(bytes_of(text) for text in self.heartbeats), bytes_of(self.heartbeat_answer))


class PluginSettings(Table):
    """Folders with codecs of the operator's own."""

    folders: list[str] = []


class LimitSettings(Table):
    """How much one gateway takes on."""

    sessions: Annotated[int, Field(ge=1, le=1_000_000)] = 20000
    sessions_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 5000
    swaps_per_minute: Annotated[int, Field(ge=1, le=1000)] = 6
    largest_decoded_mb: Annotated[int, Field(ge=1, le=1000)] = DEFAULT_LIMITS.size >> 20

    def containers(self) -> ContainerLimits:
        """How much may come out of one file that is decoded."""
        return ContainerLimits(size=self.largest_decoded_mb << 20)


class TcpSettings(Table):
    """How TCP notices that the other end is gone, and how long a connection may take; seconds."""

    keep_alive_idle: Annotated[int, Field(ge=1, le=32767)] = 180
    keep_alive_interval: Annotated[int, Field(ge=1, le=32767)] = 30
    keep_alive_count: Annotated[int, Field(ge=1, le=127)] = 3
    unacknowledged: Annotated[int, Field(ge=1, le=32767)] = 90
    connect_timeout: Seconds = 30.0


class JobSettings(Table):
    """How orders are worked off: how many at once, and after how many seconds an order of a dead gateway is free."""

    parallel: Annotated[int, Field(ge=1, le=10000)] = 50
    lease: Annotated[float, Field(ge=5, le=3600, strict=False)] = 60.0
    keep_days: Annotated[int, Field(ge=0, le=36_500)] = 400

    @field_validator("keep_days")
    @classmethod
    def _keeps_a_week(cls, days: int) -> int:
        if 0 < days < 7:
            raise ValueError("must be 7 at least (a night would be ordered twice), or 0 to keep everything")
        return days


class Config(Table):
    """Everything the operator can say."""

    store: StoreSettings = StoreSettings()
    listener: list[ListenerSettings] = []
    ftp: list[FtpSettings] = []
    watch: list[WatchSettings] = []
    modem: list[ModemSettings] = []
    calls: CallSettings = CallSettings()
    plugins: PluginSettings = PluginSettings()
    limits: LimitSettings = LimitSettings()
    tcp: TcpSettings = TcpSettings()
    jobs: JobSettings = JobSettings()
    schedule: list[ScheduleSettings] = []
    acceptance: list[AcceptanceSettings] = []
    dialling: DiallingSettings = DiallingSettings()
    completeness: CompletenessSettings = CompletenessSettings()
    _path: Path | None = PrivateAttr(default=None)

    @property
    def shared_logins(self) -> frozenset[str]:
        """The upload accounts that many meters share."""
        return frozenset(account.login for ftp in self.ftp for account in ftp.account)

    def duty_terms(self) -> DutyTerms:
        """What the gateway does without being spoken to."""
        completeness = self.completeness
        return DutyTerms(
            self.jobs.parallel,
            self.jobs.lease,
            tuple(one.schedule() for one in self.schedule),
            self.dialling.limits(),
            self.dialling.rules(self.acceptance),
            completeness.terms(),
            completeness.budget(),
            completeness.fill_every,
            gaps=self.dialling.gaps,
            barred_for_s=self.dialling.barred_for,
            keep_days=self.jobs.keep_days,
            patience_s=self.calls.wait_for_modem,
        )

    @property
    def path(self) -> Path | None:
        """The file it came from, None for the defaults."""
        return self._path

    @property
    def folder(self) -> Path:
        """Where relative paths begin."""
        return self._path.parent if self._path is not None else Path.cwd()

    @property
    def plugin_folders(self) -> tuple[Path, ...]:
        """The operator's folders of plugins, absolute."""
        return tuple(self.folder / folder for folder in self.plugins.folders)

    @property
    def key_file(self) -> Path | None:
        """The key file, absolute; None for the one beside the store."""
        return self.folder / self.store.key_file if self.store.key_file else None


def load_config(path: Path | None) -> Config:
    """The configuration in a file, or every default without one. Raises `OperatorError` with all that is wrong.

    The store's url comes out with an absolute path.
    """
    raw: dict[str, Any] = {}
    if path is not None:
        path = Path(path).absolute()
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except tomllib.TOMLDecodeError as error:
            raise OperatorError(f"{path}: this is not TOML: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise OperatorError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    folder = path.parent if path is not None else Path.cwd()
    _resolve(raw, folder)
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise OperatorError(in_words(path, error, raw, Config)) from None
    config = config.model_copy(
        update={"store": config.store.model_copy(update={"url": _absolute(config.store.url, folder)})}
    )
    config._path = path
    wrong = list(_clashes(config))
    if wrong:
        where = path if path is not None else "configuration"
        raise OperatorError("\n".join(f"{where}: {problem}" for problem in wrong))
    return config


def check_codecs(config: Config, registry: Registry) -> None:
    """Raises `OperatorError` for listeners whose codecs do not exist."""
    wrong = []
    for number, listener in enumerate(config.listener, 1):
        for name in listener.codecs:
            try:
                registry.get(name)
            except OperatorError as error:
                wrong.append(
                    f"{config.path or 'configuration'}: {place_of('listener', number, listener.name)}: `codec`: {error}"
                )
    if wrong:
        raise OperatorError("\n".join(wrong))


def check_files(config: Config) -> None:
    """Raises `OperatorError` if the store's folder, or a key or certificate of a listener, is not there."""
    wrong = [
        f"{config.path or 'configuration'}: {place_of('listener', number, listener.name)}: `endpoint`: {name}:"
        f" there is no file {file}"
        for number, listener in enumerate(config.listener, 1)
        for name, file in _FILES.findall(listener.endpoint)
        if not Path(file.replace("\\", "")).exists()
    ]
    folder = Path(config.store.url.removeprefix(SCHEME)).parent
    if config.store.url.startswith(SCHEME) and not folder.is_dir():
        wrong.insert(0, f"{config.path or 'configuration'}: [store]: `url`: the folder {folder} is missing; make it")
    if wrong:
        raise OperatorError("\n".join(wrong))


def check_uploads(config: Config) -> None:
    """Raises `OperatorError` for the places of uploads whose password files, certificates or keys are not to be had."""
    _check_each(config, "ftp", config.ftp)


def check_watches(config: Config) -> None:
    """Raises `OperatorError` for folders to be watched that are not there or not for us."""
    _check_each(config, "watch", config.watch)


def check_modems(config: Config) -> None:
    """Raises `OperatorError` for modems whose PIN file or power-cycle command is not to be had."""
    _check_each(config, "modem", config.modem)


def _check_each(config: Config, table: str, entries: Sequence[FtpSettings | WatchSettings | ModemSettings]) -> None:
    wrong = []
    for number, entry in enumerate(entries, 1):
        try:
            entry.check(config.folder)
        except OperatorError as error:
            wrong.append(f"{config.path or 'configuration'}: {place_of(table, number, entry.name)}: {error}")
    if wrong:
        raise OperatorError("\n".join(wrong))


def bytes_of(text: str) -> bytes:
    """Bytes written as characters, one each, or as ``hex:`` and hex digits."""
    if text.startswith("hex:"):
        try:
            return bytes.fromhex(text.removeprefix("hex:"))
        except ValueError:
            raise ValueError(f"holds {text!r}, which is not hex: and pairs of hex digits") from None
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"holds {text!r}; write characters above 255 as hex: and pairs of hex digits") from None


_ENDPOINT = re.compile(r"(tcp|tcp6|ssl|tls|unix|systemd|txtor|onion|fd|haproxy):")
_FILES = re.compile(r":(privateKey|certKey|extraCertChain|dhParameters)=((?:[^:\\]|\\.)+)")
_NUMBERED = re.compile(r"(?:haproxy:)?(?:tcp|tcp6|ssl):(?:port=)?([^:]*)")


def _port_of(endpoint: str) -> Iterator[int | None]:
    match = _NUMBERED.match(endpoint)
    if match:
        text = match[1]
        yield int(text) if text.isdigit() and int(text) <= 65535 else None


def _resolve(raw: dict[str, Any], folder: Path) -> None:
    """Makes the paths within endpoints absolute."""
    listeners = raw.get("listener")
    for listener in listeners if isinstance(listeners, list) else ():
        if isinstance(listener, dict) and isinstance(listener.get("endpoint"), str):
            listener["endpoint"] = re.sub(
                r":(privateKey|certKey|extraCertChain|dhParameters)=([^:/\\][^:]*)",
                lambda found: f":{found[1]}={folder / found[2]}".replace("\\", "\\\\"),
                listener["endpoint"],
            )


def _absolute(url: str, folder: Path) -> str:
    if not url.startswith(SCHEME) or url.endswith(":memory:"):
        return url
    return f"{SCHEME}{folder / url.removeprefix(SCHEME)}"


def _clashes(config: Config) -> Iterator[str]:
    if not config.store.url.startswith(SCHEME) and config.store.url != ":memory:":
        yield f'[store]: `url`: "{config.store.url}" cannot be opened; allowed is sqlite:///FILE'
    named: tuple[tuple[str, Sequence[Named]], ...] = (
        ("listener", config.listener),
        ("ftp", config.ftp),
        ("watch", config.watch),
        ("modem", config.modem),
        ("schedule", config.schedule),
    )
    for table, names in ((table, [entry.name for entry in entries]) for table, entries in named):
        for number, name in enumerate(names, 1):
            first = names.index(name) + 1
            if first != number:
                yield f"{place_of(table, number, name)}: `name` is that of {table} {first}; give each its own"
    places: list[tuple[str, int, str]] = []
    for number, listener in enumerate(config.listener, 1):
        for port in _port_of(listener.endpoint):
            interface = re.search(r":interface=((?:[^:\\]|\\.)*)", listener.endpoint)
            places.append((interface[1] if interface else "", port or 0, place_of("listener", number, listener.name)))
    for number, ftp in enumerate(config.ftp, 1):
        host, _, text = ftp.listen.rpartition(":")
        places.append((host, int(text), place_of("ftp", number, ftp.name)))
    ports = [modem.port for modem in config.modem]
    for number, modem in enumerate(config.modem, 1):
        if (first := ports.index(modem.port) + 1) != number:
            yield f"{place_of('modem', number, modem.name)}: `port` is that of modem {first}; a port has one modem"
    for at, (host, port, place) in enumerate(places):
        for other_host, other_port, other in places[:at]:
            if (
                port
                and port == other_port
                and (host == other_host or {host, other_host} & {"", "0.0.0.0", "::", "\\:\\:"})
            ):
                yield f"{place}: port {port} is that of {other} already"
