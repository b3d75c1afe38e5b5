"""The uploads of the FTP drop, and what is left of its commands. What pyftpdlib answers without a file system (MODE,
STRU, PORT, EPRT, EPSV) stays its.

A client sees a tree that is only names: any well-formed folder can be entered and made, a listing shows what the
account uploaded itself, and nothing can be changed or removed.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway_server.model import Direction
from gateway_server.store.records import FileRecord, FileState
from gateway_server.store.store import Store
from gateway_server.transports.ftp.control import Own
from gateway_server.transports.ftp.delivery import Delivery, stored_name
from gateway_server.transports.ftp.listing import FACTS
from gateway_server.transports.ftp.shelf import MOST_LISTED, Shelf

_TYPES = frozenset({("A",), ("A", "N"), ("A", "T"), ("I",), ("I", "N"), ("L", "8"), ("L8",), ("L", "7"), ("L7",)})


class Conversation(Shelf):
    """A control connection with all its commands."""

    def ftp_STOR(self, line: str) -> None:
        """A file, or with REST its rest."""
        offset, self._restart_position = self._restart_position, 0
        path = self.file_of(line)
        if path is None or not self.has_data():
            return
        if not offset:
            self._begin("STOR", path)
            return

        def found(former: FileRecord | None) -> None:
            if former is None:
                self.respond("550 There is no file to go on with.")
                if self.account is not None and self.account.shared is not None:
                    self.refused("REST on a shared account goes on only with a file whose meter is certain")
            elif offset > former.size:
                self.respond(f"554 REST {offset} is behind the end of the file, {former.size}.")
            else:
                self._begin("STOR", path, former, offset)

        self._former(path, found)

    def ftp_APPE(self, line: str) -> None:
        """More of a file; without a former one of this name, a file."""
        self._restart_position = 0
        path = self.file_of(line)
        if path is None or not self.has_data():
            return
        grow_to = self.terms.grow_to

        def found(former: FileRecord | None) -> None:
            if former is None:
                self._begin("APPE", path)
            elif former.size < grow_to or former.state is FileState.INCOMPLETE:
                self._begin("APPE", path, former, former.size)
            else:
                self.ask(lambda store: _ends_a_line(store, former.id), lambda ends: grown(former, ends))

        def grown(former: FileRecord, ends: bool) -> None:
            # Whatever is appended, all of the file is decoded again; some day it would be too large for that.
            if ends:
                why = f"file {former.id} of this name has {former.size} bytes (grow_to_mb): this is another one"
                self._begin("APPE", path, remark=why)
            else:
                self._begin("APPE", path, former, former.size)

        self._former(path, found)

    def ftp_STOU(self, line: str) -> None:
        """A file under a name that nobody has."""
        self._restart_position = 0
        name = f"{line.strip() or 'upload'}.{self.desk.unique():x}"
        path = self.file_of(name)
        if path is not None and self.has_data():
            self._begin("STOU", path, name=path.removeprefix("/"))

    def _begin(
        self,
        command: str,
        path: str,
        former: FileRecord | None = None,
        offset: int = 0,
        *,
        name: str = "",
        remark: str = "",
    ) -> None:
        account, desk, terms = self.account, self.desk, self.terms
        assert account is not None  # the command's entry says so
        shared = account.shared
        serial = account.serial if shared is None else shared.identify(path)
        allowances = terms.allowances(account.login, shared, serial)
        if self.data_channel is None and self.door is None:  # it went while the store was asked
            self.respond("425 The data connection is gone.")
        elif desk.full:
            self.respond("452 The disk is full; nothing can be stored. Try again later.")
            self.refused("the store's disk is full")
        elif why := desk.usage.too_many(allowances):
            self.respond(f"450 {why[0].upper()}{why[1:]}. Try again later.")
            self.refused(why)
        elif why := desk.usage.over_quota(allowances):
            self.respond(f"552 Refused: {why}.")
            self.refused(why)
        else:
            delivery = Delivery(
                command, path, account.login, serial, terms.name, self.remote, desk.now_ms, former, offset,
                shared=shared is not None, allowances=allowances,
            )  # fmt: skip
            if self._current_type == "a":
                delivery.remark(
                    "sent as text (TYPE A): stored as it came; some clients clear the eighth bit of each byte"
                )
            if remark:
                delivery.remark(remark)
            self.receive(delivery, name)

    def stored(self, delivery: Delivery, file: FileRecord) -> None:
        """A file is safe."""
        self._wrong = 0
        self.kept(delivery, file)

    def kept(self, delivery: Delivery, file: FileRecord) -> None:
        """What came of a file is in the store: this connection may go on with it, and sees it if it is whole."""
        account = self.account
        if account is None or account.login != delivery.login:  # somebody else by now
            return
        if delivery.path in self.own or len(self.own) < MOST_LISTED:
            self.own[delivery.path] = Own(file.id, file.size, whole=file.state is not FileState.INCOMPLETE)

    def _former(self, path: str, found: Callable[[FileRecord | None], None]) -> None:
        """Asks for the file that this upload goes on with."""
        account = self.account
        assert account is not None
        name, _ = stored_name(path)
        since = self.desk.now_ms() - int(self.terms.resume_seconds * 1000)
        serial = "" if account.shared is None else account.shared.identify(path)
        own = self.own.get(path)

        def look(store: Store) -> FileRecord | None:
            if account.shared is None:
                return store.former_file(account.login, name, since)
            if not serial:
                # Any meter may use this name, and an address may stand for many: go on only with what came over this
                # very connection.
                former = store.file(own.id) if own is not None else None
                return former if former is not None and former.sha256 and former.received_at_ms >= since else None
            former = store.former_file(account.login, name, since)
            if former is None or former.meter in (serial, ""):
                return former
            known = store.meter(serial) or store.meter_at(f"ftp:{serial}")
            return former if known is not None and former.meter == known.serial else None

        self.ask(look, found)

    def ftp_RNFR(self, line: str) -> None:
        """Names a file that is to be renamed: one that this very connection has just stored."""
        path = self.path_of(line)
        own = self.own.get(path) if path is not None else None
        if path is None:
            return
        if own is None or not own.whole:
            self.wrong("550 Nothing is renamed here but what was stored over this connection.")
            return
        self._renaming = path
        self.respond("350 Now RNTO.")

    def ftp_RNTO(self, line: str) -> None:
        """Gives it its name. Nothing is overwritten: a name may be had by any number of files."""
        former, self._renaming = self._renaming, ""
        account, own = self.account, self.own.get(former)
        if account is None or own is None:
            self.wrong("503 Send RNFR first.")
            return
        path = self.file_of(line)
        if path is None:
            return
        shared = account.shared
        serial = account.serial if shared is None else shared.identify(path)
        name, raw_name = stored_name(path)
        at_ms = self.desk.now_ms()

        def renamed(file: FileRecord | None) -> None:
            if file is None:
                self.respond("550 The file is not there any more.")
                return
            self.desk.renamed(file)
            del self.own[former]
            self.own[path] = own
            self.respond("250 Renamed.")

        self.ask(
            lambda store: store.rename_file(own.id, name, raw_name, at_ms, serial=serial, by_rule=shared is not None),
            renamed,
        )

    def ftp_ALLO(self, line: str) -> None:
        """How long the file will be, so that one too long is refused before it is paid for."""
        size = line.partition(" ")[0]
        if not (size.isascii() and size.isdigit()) or len(size) > 18:
            self.wrong("501 ALLO takes a number of bytes.")
        elif int(size) > self.terms.largest_file:
            self.respond(f"552 Refused: a file has at most {self.terms.largest_file} bytes.")
            self.refused(f"ALLO {size}")
        else:
            self.respond("202 No need to.")

    def ftp_REST(self, line: str) -> None:
        """Where the next file goes on; in both types, because text is stored as it comes too."""
        if not (line.isascii() and line.strip().isdigit()) or len(line) > 18:
            self.wrong("501 REST takes a number of bytes.")
        else:
            self._restart_position = int(line)
            self.respond(f"350 Going on at byte {self._restart_position}.")

    def ftp_ABOR(self, line: str) -> None:
        """Ends an upload; what came of it is kept as incomplete."""
        if self.delivery is not None:
            self.cut_off("426 Transfer aborted.", "the client aborted it")
            self.respond("226 Aborted.")
        else:
            had = self.data_channel is not None or self.door is not None
            self.drop_data()
            self.respond("225 Data connection closed." if had else "225 Nothing to abort.")

    # active and passive

    def ftp_PORT(self, line: str) -> None:
        """Where the client listens."""
        if self._may_be_active():
            super().ftp_PORT(line)

    def ftp_EPRT(self, line: str) -> None:
        """Where the client listens, of either family."""
        if self._may_be_active():
            super().ftp_EPRT(line)

    def ftp_EPSV(self, line: str) -> None:
        """Listens, without saying an address."""
        if self.terms.extended_passive:
            super().ftp_EPSV(line)
        else:
            self.respond("502 EPSV is switched off; use PASV.")

    def ftp_PASV(self, line: str) -> None:
        """Listens."""
        if ":" in self.host and not self.terms.masquerade_for(self.host):
            self.respond("522 PASV tells IPv4 addresses only; use EPSV.")
        else:
            super().ftp_PASV("")

    def _may_be_active(self) -> bool:
        if not self.terms.active:
            self.respond("502 Active mode is switched off; use PASV.")
        return self.terms.active

    # how

    def ftp_TYPE(self, line: str) -> None:
        """Text or image; both are stored as they come. Of the forms (RFC 959, 3.1.1.5) N and T change nothing in the
        bytes; C would tell a printer what to do."""
        kind, *form = line.upper().split() or [""]
        if (kind, *form) in _TYPES:
            self._current_type = "a" if kind in ("A", "L7") or form == ["7"] else "i"
            self.respond(f"200 Type is {'A' if self._current_type == 'a' else 'I'}.")
        elif kind[:1] in tuple("AEIL"):
            self.wrong(f"504 There is no TYPE {line.strip()[:20]} here; TYPE I or TYPE A.")
        else:
            self.wrong("501 TYPE I or TYPE A.")

    # others

    def ftp_STAT(self, line: str) -> None:
        """What is going on, in one line."""
        if self.delivery is not None:
            self.respond(f"211 {self.delivery.size} bytes of the file have come.")
        else:
            self.respond("211 Ready." if self.account is not None else "211 Not logged in.")

    def ftp_HELP(self, line: str) -> None:
        """Which commands there are, in one line."""
        self.respond(f"214 {' '.join(self.commands)}")

    def ftp_NOOP(self, line: str) -> None:
        """Nothing."""
        self.respond("200 OK.")

    def ftp_SYST(self, line: str) -> None:
        """What every client expects."""
        self.respond("215 UNIX Type: L8")

    def ftp_FEAT(self, line: str) -> None:
        """What goes beyond RFC 959."""
        told = "".join(f"{fact}{'*' if fact in self._facts else ''};" for fact in FACTS)
        features = ["MDTM", f"MLST {told}", "REST STREAM", "SIZE", "TVFS", "UTF8", *self._extra_feats]
        if self.terms.extended_passive:
            features.append("EPSV")
        if self.terms.active:
            features.append("EPRT")
        self.push("211-Features:\r\n" + "".join(f" {feature}\r\n" for feature in sorted(features)))
        self.respond("211 End.")


def _ends_a_line(store: Store, file_id: int) -> bool:
    """Whether a file can be told to have ended with a whole row."""
    parts = store.file_parts(file_id)
    last = b""
    for entry in store.session_log(parts[-1].session) if parts else ():
        if entry.direction is Direction.FROM_METER:
            last = entry.data
    return last[-1:] in (b"\r", b"\n")
