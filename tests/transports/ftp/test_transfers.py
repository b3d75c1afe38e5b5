"""How uploads end: every way a modem's client, its network and our store have of ending one."""

from __future__ import annotations

import ftplib
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_server.errors import StoreBroken, StoreFull
from gateway_server.model import Outcome
from gateway_server.store.file_records import FileRecord, FileState
from gateway_server.store.uploads import UploadQueries
from gateway_server.transports.ftp.doors import Door
from gateway_server.transports.ftp.landing import UNHEARD
from gateway_server.transports.ftp.terms import Terms
from gateway_server.transports.ftp.transfers import Transfers
from tests.transports.ftp.hall import Hall, RawClient, hall, reset, upload

TERMS = Terms("drop")


def one_incomplete(place: Hall, size: int) -> None:
    (file,) = place.until(lambda: [file for file in place.files() if file.sha256])
    assert (file.state, file.size) == (FileState.INCOMPLETE, size)


def test_reset_data_connection_leaves_an_incomplete_file_and_426(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        data = client.begin("STOR day.dat")
        data.sendall(b"x" * 1000)
        place.until(lambda: place.files())  # the bytes have come: a reset would take them away with it
        reset(data)
        assert client.reply() == "426 Transfer aborted: the data connection broke off: Connection reset by peer."
        one_incomplete(place, 1000)
        (session,) = place.sessions()
        assert session.outcome is Outcome.PARTIAL
        assert session.detail == "the data connection broke off: Connection reset by peer"
        assert client.upload("STOR day.dat", b"y" * 2000) == "226 Stored."


def test_control_connection_cut_in_mid_transfer_leaves_an_incomplete_file(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        for cut in (RawClient.hang_up, RawClient.reset):
            client = place.logged_in()
            data = client.begin("STOR day.dat")
            data.sendall(b"x" * 1000)
            place.until(lambda: [one for one in place.sessions() if one.ended_ms is None and place.dialogue(one.id)])
            cut(client)
            assert data.recv(1) == b""
            data.close()
        files = place.until(lambda: [file for file in place.files() if file.sha256][1:] and place.files())
        assert [(file.state, file.size) for file in files] == [(FileState.INCOMPLETE, 1000)] * 2


def test_client_lost_between_the_commit_and_226_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committing, cut = threading.Event(), threading.Event()
    take = UploadQueries.take_upload

    def slow(*arguments, **named):  # type: ignore[no-untyped-def]  # as the one it stands for
        committing.set()
        assert cut.wait(60)
        return take(*arguments, **named)

    monkeypatch.setattr(UploadQueries, "take_upload", slow)
    with hall(tmp_path) as place:
        client = place.logged_in()
        data = client.begin("STOR day.dat")
        data.sendall(b"x" * 1000)
        data.close()
        assert committing.wait(60)
        client.reset()
        place.until(lambda: not place.drop._listeners[0].controls)
        cut.set()
        (file,) = place.until(lambda: [one for one in place.files() if one.detail])
        assert (file.state, file.size, file.detail) == (FileState.INCOMPLETE, 1000, UNHEARD)
        assert not place.stored


def test_client_that_says_quit_and_hangs_up_without_waiting_has_uploaded_a_whole_file(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        data = client.begin("STOR day.dat")
        data.sendall(b"x" * 1000)
        client.send(b"QUIT\r\n")
        client.hang_up()
        data.close()
        (file,) = place.until(lambda: place.files("stored"))
        assert file.size == 1000


def test_client_that_says_quit_and_hangs_up_before_its_file_begins_is_forgotten_soon(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        for end in (RawClient.hang_up, RawClient.reset):
            client = place.logged_in()
            client.say("PASV")
            client.send(b"STOR day.dat\r\nQUIT\r\n")
            assert client.reply().startswith("150")
            end(client)
        sessions = place.until(lambda: [one for one in place.sessions() if one.outcome][1:] and place.sessions())
        assert [one.outcome for one in sessions] == [Outcome.LINE_LOST] * 2
        assert not place.drop._listeners[0].controls


def test_aborted_upload_is_kept_as_incomplete(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        data = client.begin("STOR day.dat")
        data.sendall(b"x" * 1000)
        place.until(lambda: place.files())
        client.send(b"\xff\xf4\xff\xf2ABOR\r\n")  # with the interrupt of Telnet before it, as RFC 959 wants
        assert client.reply() == "426 Transfer aborted."
        assert client.reply() == "226 Aborted."
        one_incomplete(place, 1000)
        assert client.say("ABOR") == "225 Nothing to abort."


def test_empty_file_is_a_file(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        assert upload(place.client(), "empty", b"") == "226 Stored."
        (file,) = place.files()
        assert (file.state, file.size) == (FileState.STORED, 0)
        assert place.content(file) == b""


def test_two_uploads_of_one_name_at_once_never_mix(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        clients = [place.logged_in(), place.logged_in()]
        connections = [client.begin("STOR day.dat") for client in clients]
        for _ in range(50):
            for data, byte in zip(connections, (b"a", b"b"), strict=True):
                data.sendall(byte * 1000)
        for data in connections:
            data.close()
        assert [client.reply() for client in clients] == ["226 Stored."] * 2
        assert sorted(place.content(file) for file in place.files()) == [b"a" * 50_000, b"b" * 50_000]


def test_commands_sent_ahead_wait_for_the_file(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        data = client.begin("STOR a")
        client.send(b"STAT\r\nPWD\r\nQUIT\r\n")
        assert client.reply() == "211 0 bytes of the file have come."
        data.sendall(b"abc")
        data.close()
        assert [client.reply() for _ in range(4)] == [
            "226 Stored.", '257 "/" is the current folder.', "221 Goodbye.", "",
        ]  # fmt: skip


def test_bytes_that_come_before_stor_are_the_files(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        data = client.passive()
        data.sendall(b"early")
        data.close()
        assert client.say("STOR a")[:3] in ("125", "150")
        assert client.reply() == "226 Stored."
        assert place.content(place.files()[0]) == b"early"


def test_client_that_never_opens_the_data_connection_is_told_so(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, data_timeout=0.2)) as place:
        client = place.logged_in()
        client.send(b"PASV\r\nSTOR day.dat\r\n")  # at once: a port is waited at no longer than that
        assert [client.reply()[:3] for _ in range(2)] == ["227", "150"]
        assert client.reply() == "425 No data connection came."
        assert place.files() == []
        (session,) = place.ended()
        assert (session.outcome, session.detail) == (Outcome.LINE_LOST, "no data connection came")
        assert place.dialogue(session.id)[-3:] == [
            "ftp> STOR day.dat", "ftp< 150 Ready for the file.", "ftp< 425 No data connection came.",
        ]  # fmt: skip
        assert client.say("STOR day.dat") == "425 Use PASV or PORT first."


def test_client_that_falls_silent_in_mid_transfer_is_given_up(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, stall_timeout=0.2)) as place:
        client = place.logged_in()
        data = client.passive()
        data.sendall(b"x" * 1000)  # before it is asked for: from then on it has no more time than that
        assert client.say("STOR day.dat")[:3] in ("125", "150")
        assert client.reply() == "426 Nothing came for 0.2 s."
        one_incomplete(place, 1000)
        data.close()


def test_file_over_the_limit_is_refused_and_the_connection_goes_on(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, largest_file=100_000)) as place:
        client = place.logged_in()
        data = client.begin("STOR big")
        data.sendall(b"x" * 10_000_000)  # as clients do that look for replies only when they have sent all
        data.close()
        assert client.reply() == "552 Refused: the file is larger than 100000 bytes."
        assert client.upload("STOR small", b"x" * 100_000) == "226 Stored."
        (file,) = place.files("stored")
        assert file.name == "small"


def test_full_disk_is_452_and_nothing_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()

        def full(*_: object, **_named: object) -> FileRecord:
            raise StoreFull("no room")

        with monkeypatch.context() as patch:
            patch.setattr(UploadQueries, "take_upload", full)
            assert client.upload("STOR day.dat", b"x" * 1000) == (
                "452 The disk is full; nothing was stored. Try again later."
            )
            assert place.files("stored") == []
        place.drop.full(True)
        client.passive().close()
        assert client.say("STOR day.dat") == "452 The disk is full; nothing can be stored. Try again later."
        place.drop.full(False)
        place.until(lambda: client.upload("STOR day.dat", b"x" * 1000) == "226 Stored.")
        assert [file.size for file in place.files("stored")] == [1000]


def test_disk_that_fills_up_under_an_upload_is_452_at_once(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client, other = place.logged_in(), place.logged_in()
        data = client.begin("STOR day.dat")
        data.sendall(b"x" * 1000)
        place.until(place.files)
        place.drop.full(True)
        assert client.reply() == "452 The disk is full; nothing was stored. Try again later."
        data.sendall(b"x" * 10_000_000)  # it has not looked yet
        data.close()
        place.drop.full(False)
        place.until(lambda: client.upload("STOR day.dat", b"y" * 1000) == "226 Stored.")
        assert other.upload("STOR other.dat", b"x") == "226 Stored."
        assert sorted((file.state.value, file.size) for file in place.files()) == [
            ("incomplete", 1000), ("stored", 1), ("stored", 1000),
        ]  # fmt: skip


def test_store_that_fails_is_451(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Hall(tmp_path)

    def broken(*_: object, **_named: object) -> FileRecord:
        raise StoreBroken("input/output error")

    monkeypatch.setattr(UploadQueries, "take_upload", broken)
    client = place.client()
    with pytest.raises(ftplib.error_temp, match="451 The file could not be stored"):
        upload(client, "day.dat", b"x")
    place.until(lambda: place.troubles)  # the client may hear of it before the reactor, which would end the program
    assert len(place.troubles) == 1
    place.troubles.clear()
    client.close()
    place.close()


def test_large_file_comes_whole_and_in_pieces(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4 * 20_000
    with hall(tmp_path) as place:
        assert upload(place.client(), "big", content) == "226 Stored."
        (file,) = place.files()
        assert place.content(file) == content


def test_clients_wait_while_the_store_is_behind(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        place.drop.hold()
        data = client.begin("STOR big")
        data.settimeout(0.3)
        with pytest.raises(TimeoutError):
            data.sendall(b"x" * 100_000_000)
        assert client.say("STAT") == "211 0 bytes of the file have come."
        place.drop.go_on()
        data.close()
        assert client.reply() == "226 Stored."


def test_uploads_under_way_are_incomplete_when_the_gateway_stops(tmp_path: Path) -> None:
    place = Hall(tmp_path)
    client = place.logged_in()
    data = client.begin("STOR day.dat")
    data.sendall(b"x" * 1000)
    place.until(place.files)
    place.stop()
    assert client.reply() == "421 The gateway stops."
    assert client.reply() == ""
    place.close()
    with hall(tmp_path) as again:
        one_incomplete(again, 1000)
        (session,) = again.sessions()
        assert session.detail == "the control connection was lost"


def test_gateway_stops_while_a_client_still_sends_what_was_refused(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, largest_file=100_000)) as place:
        client = place.logged_in()
        data = client.begin("STOR big")
        data.sendall(b"x" * 1_000_000)
        assert client.reply() == "552 Refused: the file is larger than 100000 bytes."
        place.stop()
        with pytest.raises(OSError):
            data.sendall(b"x" * 100_000_000)


@pytest.mark.parametrize("command", ["PASV", "EPSV"])
def test_client_gone_when_it_is_told_the_port_leaves_no_port_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    opened: list[Door] = []

    def gone(self: Transfers, here: str, port: int, *, extended: bool) -> None:
        waiting = self.desk.thread.loop.socket_map.values()
        opened.extend(one for one in waiting if isinstance(one, Door))
        self.close()

    monkeypatch.setattr(Transfers, "passive", gone)
    with hall(tmp_path) as place:
        place.logged_in().send(f"{command}\r\n".encode())
        place.until(lambda: opened)
        place.until(lambda: all(one.control is None for one in opened))
