"""What a client may see: its own, and nothing of anybody else."""

from __future__ import annotations

import ftplib
from pathlib import Path

import pytest

from gateway_server.transports.ftp import shelf
from gateway_server.transports.ftp.terms import Terms
from tests.transports.ftp.hall import RawClient, hall, upload

TERMS = Terms("drop")


def test_account_sees_its_own_uploads_and_no_others(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client, other = place.client("m1"), place.client("m2")
        upload(client, "day.dat", b"1234")
        upload(client, "sub/night.dat", b"12")
        assert client.nlst() == ["day.dat", "sub"]
        assert client.nlst("-a /sub") == ["night.dat"]
        assert [name for name, _ in client.mlsd()] == ["day.dat", "sub"]
        lines: list[str] = []
        client.dir(lines.append)
        assert [line.split()[-1] for line in lines] == ["day.dat", "sub"]
        client.voidcmd("TYPE I")
        assert client.size("day.dat") == 4
        assert client.sendcmd("MDTM day.dat") == "213 20260921141320"
        again = place.client("m1")
        assert again.size("day.dat") == 4  # the store knows it, not only the connection
        assert other.nlst() == []
        for command in ("SIZE day.dat", "MDTM day.dat", "RETR day.dat"):
            with pytest.raises(ftplib.error_perm, match="550 N"):
                other.sendcmd(command)


def test_nothing_is_read_back_unless_allowed(tmp_path: Path) -> None:
    with hall(tmp_path, TERMS, Terms("readable", may_read=True), Terms("blind", may_list=False)) as place:
        content = bytes(range(256)) * 1000
        upload(place.client(), "day.dat", content)
        with pytest.raises(ftplib.error_perm, match="550 Nothing is read back here"):
            place.client().sendcmd("RETR day.dat")
        client = place.client(port=place.places[1][1])
        for rest in (0, 1000):
            got: list[bytes] = []
            client.retrbinary("RETR day.dat", got.append, rest=rest or None)
            assert b"".join(got) == content[rest:]
        with pytest.raises(ftplib.error_perm, match="550 No such file"):
            client.retrbinary("RETR other.dat", got.append)
        blind = place.client(port=place.places[2][1])
        assert blind.nlst() == []
        upload(blind, "day2.dat", b"12345")
        assert blind.nlst() == ["day2.dat"]  # what this connection brought itself


def test_folders_are_there_as_soon_as_they_are_named(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        assert client.say("CWD a/b") == '250 "/a/b" is the current folder.'
        assert client.say("MKD c") == '257 "/a/b/c" made.'
        assert client.say("XMKD c") == '257 "/a/b/c" made.'
        assert client.say("XCWD c") == '250 "/a/b/c" is the current folder.'
        assert client.say("XPWD") == '257 "/a/b/c" is the current folder.'
        assert client.say("XCUP") == '250 "/a/b" is the current folder.'
        assert client.upload("STOR x", b"1") == "226 Stored."
        assert place.files()[0].name == "a/b/x"
        assert client.say("CWD /") == '250 "/" is the current folder.'
        assert client.say("CDUP") == '250 "/" is the current folder.'


def test_one_name_is_told_over_the_control_connection(tmp_path: Path) -> None:
    def told(client: RawClient, path: str) -> list[str]:
        lines = [client.say(f"MLST {path}".strip())]
        while lines[-1][3:4] != " ":
            lines.append(client.reply())
        return lines

    with hall(tmp_path, TERMS, Terms("blind", may_list=False)) as place:
        assert place.logged_in().upload("STOR /sub/day.dat", b"1234") == "226 Stored."
        for client in (place.logged_in(), place.logged_in()):
            lines = told(client, "/sub/day.dat")
            assert lines == [
                "250-Listing /sub/day.dat", " type=file;size=4;modify=20260921141320; /sub/day.dat", "250 End.",
            ]  # fmt: skip
            assert told(client, "") == ["250-Listing /", " type=dir; /", "250 End."]
            assert told(client, "/sub")[1] == " type=dir; /sub"
            assert told(client, "/su") == ["550 No such file."]
        assert told(place.logged_in("m2"), "/sub/day.dat") == ["550 No such file."]


def test_facts_are_told_as_the_client_wants_them(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        assert client.say("OPTS MLST size;unix.mode;Type;") == "200 MLST OPTS type;size;"
        client.send(b"FEAT\r\n")
        said = [client.reply()]
        while not said[-1].startswith("211 "):
            said.append(client.reply())
        assert " MLST type*;size*;modify;" in said
        assert client.upload("STOR day.dat", b"1234") == "226 Stored."
        client.send(b"MLST day.dat\r\n")
        assert [client.reply() for _ in range(3)][1] == " type=file;size=4; /day.dat"
        assert client.say("OPTS MLST") == "200 MLST OPTS"


def test_file_too_large_to_be_read_back_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MOST_READ", 100)
    with hall(tmp_path, Terms("readable", may_read=True)) as place:
        client = place.client()
        upload(client, "day.dat", bytes(101))
        with pytest.raises(ftplib.error_perm, match="550 It has 101 bytes; 100 are read back at most"):
            client.retrbinary("RETR day.dat", bytearray().extend)


def test_listing_without_a_data_connection_is_425(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        assert place.logged_in().say("LIST") == "425 Use PASV or PORT first."


def test_other_replies_are_one_line(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        assert client.say("SYST") == "215 UNIX Type: L8"
        assert client.say("STAT") == "211 Ready."
        assert client.say("HELP").startswith("214 ABOR ALLO ")
        assert client.say("OPTS UTF8 ON") == "200 Always UTF-8."
        assert client.say("OPTS HASH x") == "501 There is no such option."
        assert client.say("MODE S") == "200 Transfer mode set to: S"
        assert client.say("STRU F") == "200 File transfer structure set to: F."
