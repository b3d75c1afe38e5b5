"""Which codecs there are: the bundled plugins and those in the operator's folders.

A plugin is one file or folder whose module-level name ``codec`` is a `Codec`, or one that makes codecs of declarations
(`Declares`), which are YAML files in the same folders. One that cannot be used is reported with its file and the
reason, and skipped: a broken plugin never stops the gateway.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import os
import re
import sys
import traceback
import types
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import gateway_server
from gateway_server.codec.codec import Answers, Asks, Codec, Field, Frame, Interprets
from gateway_server.codec.declaration import SUFFIXES, Declares, read_declaration
from gateway_server.codec.files import ReadsFiles
from gateway_server.errors import OperatorError

logger = logging.getLogger(__name__)

_Look = tuple[int, int, int]

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """A plugin that is not used, or not alone under its name, and why."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return "\n".join(f"{self.path}: {line}" for line in self.reason.split("\n"))


class Registry:
    """The codecs by name. Of two with one name the one in the later folder counts, in one folder the first.

    A declared codec follows its file: who asks for it, or for all, after the file was changed gets the new one, or, if
    the new file is wrong, still the old one. A declaration that was added, or mended, is found when its name or all
    are asked for. Whoever has a codec keeps it: a session goes on as it began, and so does the reading of a file.
    Sessions and the decoding of files ask from threads of their own; what they read twice then is the same.
    """

    def __init__(self) -> None:
        self.problems: list[PluginProblem] = []
        self._codecs: dict[str, Codec] = {}
        self._paths: dict[str, Path] = {}
        self._makers: dict[str, Declares] = {}
        self._looks: dict[Path, _Look] = {}
        self._folders: dict[Path, _Look] = {}

    def get(self, name: str) -> Codec:
        """The codec of this name, by what its file says now; `OperatorError` names those there are."""
        if (path := self._paths.get(name)) in self._looks:
            assert path is not None
            self._read_again(name, path)
        elif path is None:
            self._look_for_new()
        try:
            return self._codecs[name]
        except KeyError:
            known = ", ".join(self.names) or "none at all"
            broken = f"; not usable: {'; '.join(map(str, self.problems))}" if self.problems else ""
            raise OperatorError(f"there is no codec {name!r}; there are: {known}{broken}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all codecs, sorted."""
        return tuple(sorted(self._codecs))

    def path(self, name: str) -> Path:
        """Where a codec comes from."""
        self.get(name)
        return self._paths[name]

    def __iter__(self) -> Iterator[Codec]:
        self._look_for_new()
        return iter([self.get(name) for name in self.names])

    def __len__(self) -> int:
        return len(self._codecs)

    def __contains__(self, name: object) -> bool:
        if name not in self._codecs and name:
            self._look_for_new()
        return name in self._codecs

    def add(self, codec: object, path: Path) -> None:
        """Takes a codec that comes from ``path``; what is wrong with it becomes a problem.

        One without a ``version`` gets one from its file, so that a change of the file is a change of version; one
        without ``dissect`` has frames that are shown whole.
        """
        _complete(codec, path)
        if reason := _shape_fault(codec):
            self.problems.append(PluginProblem(path, reason))
            return
        good = cast(Codec, codec)
        other = self._paths.get(good.name)
        if other is not None and other != path:
            replaces = other.parent != path.parent and self._rank(path.parent) >= self._rank(other.parent)
            unused, used = (other, path) if replaces else (path, other)
            self.problems.append(PluginProblem(unused, f"codec {good.name!r} is not used: {used} offers it too"))
            if not replaces:
                return
        self._codecs[good.name] = good
        self._paths[good.name] = path

    def add_maker(self, name: str, maker: Declares) -> None:
        """Takes a plugin that makes codecs of declarations which say ``reads: name``."""
        self._makers[name] = maker

    def declare(self, path: Path) -> None:
        """Takes a codec declared in a YAML file; what is wrong with it becomes a problem."""
        self._looks[path] = _look(path)
        if (codec := self._declared(path)) is not None:
            self.add(codec, path)

    def made_of(self, path: Path) -> Codec:
        """The codec that a declaration says, without taking it up. Raises `OperatorError` for what is wrong with it."""
        declaration = read_declaration(path)
        maker = self._makers.get(reads := declaration.text("reads"))
        if maker is None:
            known = ", ".join(sorted(self._makers)) or "nothing"
            raise declaration.wrong("reads", f"is {reads!r}; what can be declared is: {known}")
        return maker(declaration)

    def watch(self, folder: Path) -> None:
        """Declarations that are added to this folder later belong here, too."""
        self._folders[folder] = _look(folder)

    def _declared(self, path: Path) -> Codec | None:
        try:
            return self.made_of(path)
        except OperatorError as error:
            self.problems.append(PluginProblem(path, str(error)))
        except Exception as error:  # noqa: BLE001  # whatever a plugin does wrong is its own problem
            self.problems.append(PluginProblem(path, f"{type(error).__name__}: {error}"))
        return None

    def _read_again(self, name: str, path: Path) -> None:
        """Takes what the file of a declared codec says now, if it has changed."""
        look = _look(path)
        if look == self._looks[path]:
            return
        self._looks[path] = look
        self.problems = [problem for problem in self.problems if problem.path != path]
        codec = self._declared(path) if look != _MISSING else None
        if codec is not None and codec.name == name and not (reason := _shape_fault(codec)):
            self._codecs[name] = codec
            logger.info("%s: changed; sessions that begin and files that come now use %s %s", path, name, codec.version)
            return
        if look == _MISSING:
            self.problems.append(PluginProblem(path, "the file is gone"))
        elif codec is not None:
            reason = f"it is called {codec.name!r} now; that counts from the next start on"
            self.problems.append(PluginProblem(path, reason))
        logger.warning("%s; sessions and files still use %s %s", self.problems[-1], name, self._codecs[name].version)

    def _look_for_new(self) -> None:
        """Takes declarations that were added to the folders, or mended, since they were last looked at."""
        used = set(tuple(self._paths.values()))
        new = [path for path, look in tuple(self._looks.items()) if path not in used and _look(path) != look]
        for folder, before in tuple(self._folders.items()):
            if (look := _look(folder)) != before:
                self._folders[folder] = look
                found = _declarations_in(folder) if look != _MISSING else ()
                new += [path for path in found if path not in self._looks]
        for path in new:
            self.problems = [problem for problem in self.problems if problem.path != path]
            if _look(path) == _MISSING:
                self._looks.pop(path, None)
                continue
            self.declare(path)
            if path in self._paths.values():
                logger.info("%s: read; sessions that begin and files that come now use it", path)
            else:
                logger.warning("%s", self.problems[-1])

    def _rank(self, folder: Path) -> int:
        """How late a folder is; that which is being loaded is the last."""
        folders = list(self._folders)
        return folders.index(folder) if folder in folders else len(folders)


_MISSING: _Look = (0, 0, 0)


def _look(path: Path) -> _Look:
    """By what it is seen that a file or folder was changed; costs two microseconds."""
    try:
        found = os.stat(path)
    except OSError:
        return _MISSING
    return found.st_mtime_ns, found.st_size, found.st_ino


def load_codecs(folders: Sequence[Path] = ()) -> Registry:
    """The bundled codecs and those of the operator's folders; of one name, that of the later folder counts."""
    registry = Registry()
    importlib.invalidate_caches()
    for folder in (bundled_plugins(), *folders):
        if folder.is_dir():
            package = _package_of(folder.resolve())
            for path in _plugins_in(folder):
                _load(registry, path, package)
            for path in _declarations_in(folder):
                registry.declare(path)
            registry.watch(folder)
        else:
            registry.problems.append(PluginProblem(folder, "there is no such folder of plugins"))
    return registry


def bundled_plugins() -> Path:
    """The folder of the plugins that come with the gateway: within it when installed, beside it in a working copy."""
    program = Path(gateway_server.__file__).resolve().parent
    inside = program / "plugins"
    return inside if inside.is_dir() else program.parent / "plugins"


def _plugins_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")):
            continue
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py"))):
            yield path


def _declarations_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.suffix in SUFFIXES and not path.name.startswith((".", "_")) and path.is_file():
            yield path


def _load(registry: Registry, path: Path, package: str) -> None:
    name = path.stem if path.suffix == ".py" else path.name
    if "." in name:
        registry.problems.append(PluginProblem(path, "the name of a plugin has no dot"))
        return
    if path.is_dir() and not (path / "__init__.py").is_file():
        registry.problems.append(PluginProblem(path, "a folder is a plugin when it has an __init__.py"))
        return
    try:
        module = importlib.import_module(f"{package}.{name}")
        if hasattr(module, "declared"):
            registry.add_maker(name, module.declared)
        if hasattr(module, "codec"):
            registry.add(module.codec, path)
        elif not hasattr(module, "declared"):
            registry.problems.append(PluginProblem(path, "it has no module-level name `codec`"))
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a plugin does wrong is its own problem
        registry.problems.append(PluginProblem(path, _where(error, path)))


def _where(error: BaseException, path: Path) -> str:
    """What went wrong, and in which of the plugin's lines if in any."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(path)]
    at = f"line {lines[-1].lineno} of {Path(lines[-1].filename).name}: " if lines else ""
    return f"{at}{type(error).__name__}: {error}"


def _package_of(folder: Path) -> str:
    """The package under which a folder's plugins are imported, one per folder, so that none is ever loaded twice."""
    for package in ("gateway_server.plugins", "plugins"):
        try:
            spec = importlib.util.find_spec(package)
        except ImportError:
            continue
        places = list(spec.submodule_search_locations or ()) if spec else []
        if places and Path(places[0]).resolve() == folder:
            return package
    name = f"gateway_server_plugins_{hashlib.sha256(bytes(folder)).hexdigest()[:16]}"
    if name not in sys.modules:
        package_module = types.ModuleType(name, f"The operator's plugins in {folder}.")
        package_module.__path__ = [str(folder)]
        sys.modules[name] = package_module
    return name


def _complete(codec: object, path: Path) -> None:
    if isinstance(codec, type) or not isinstance(getattr(codec, "name", None), str):
        return
    missing = {"version": _version_of(path), "dissect": _whole}
    for attribute, value in missing.items():
        if not hasattr(codec, attribute):
            with suppress(AttributeError):  # a codec with slots is told what it lacks
                setattr(codec, attribute, value)


def _version_of(path: Path) -> str:
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.is_file() else []
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _whole(frame: Frame) -> Sequence[Field]:
    return [Field(frame.kind or "unknown", 0, len(frame.data))]


def _shape_fault(codec: object) -> str:
    """Why this is no codec; empty if it is one."""
    if isinstance(codec, type):
        return f"`codec` is the class {codec.__name__}, not a codec: write codec = {codec.__name__}()"
    for attribute in ("name", "version"):
        if not isinstance(value := getattr(codec, attribute, None), str) or not value:
            return f"its codec has no text `{attribute}`"
    if not _NAME.fullmatch(name := getattr(codec, "name", "")):
        return f"its codec is called {name!r}; a name has small letters, digits, - and _ and starts with a letter"
    for method in ("framer", "dissect"):
        if not callable(getattr(codec, method, None)):
            return f"its codec has no method `{method}`"
    if not isinstance(codec, Asks | Answers | Interprets | ReadsFiles):
        return "its codec has none of `read`, `answer`, `interpreter` and `read_file`: no meter could be read with it"
    framer = cast(Codec, codec).framer()
    for method in ("feed", "next_frame", "flush"):
        if not callable(getattr(framer, method, None)):
            return f"its framer has no method `{method}`"
    return ""
