"""The conversation of a simulated uploader, with the test as the server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway_server.testing.upload_script import (
    Account,
    HangUp,
    Hear,
    Listen,
    Manners,
    Open,
    Place,
    Reply,
    Say,
    Send,
    Stored,
    UploadFile,
    on_the_wire,
    upload,
)

ACCOUNT = Account("41203377", "secret")
FILE = UploadFile("day.abl", b"(1)(2)\n(3)(4)\n")
ANSWERS = {
    "USER": "331 go on",
    "PASS": "230 welcome",
    "TYPE": "200 fine",
    "PASV": "227 Entering Passive Mode (10,0,0,7,195,80).",
    "EPSV": "229 Entering Extended Passive Mode (|||50000|)",
    "PORT": "200 fine",
    "EPRT": "200 fine",
    "STOR": "150 come",
    "APPE": "150 come",
    "STOU": "150 FILE: x",
    "REST": "350 go on",
    "SIZE": "213 6",
    "MKD": "550 exists",
    "CWD": "250 there",
    "ABOR": "426 aborted",
    "QUIT": "221 bye",
}


class Server:
    """Answers as told, and keeps what was wished."""

    def __init__(self, **answers: str) -> None:
        self.answers = ANSWERS | answers
        self.said: list[str] = []
        self.sent: list[Send] = []
        self.opened: list[Open] = []
        self.hung_up = False

    def store(self, manners: Manners, attempt: int = 0, file: UploadFile = FILE) -> Stored:
        """Lets the script run against this server; raises what the script raises."""
        script = upload(ACCOUNT, file, manners, attempt=attempt)
        answer: Reply | Place | None = None
        try:
            wish = next(script)
            while True:
                answer = None
                if isinstance(wish, Say):
                    self.said.append(wish.text)
                    answer = _reply(self.answers[wish.text.split(" ")[0]])
                elif isinstance(wish, Hear):
                    answer = _reply("226 stored" if self.said else "220 ready")
                elif isinstance(wish, Send):
                    self.sent.append(wish)
                elif isinstance(wish, Open):
                    self.opened.append(wish)
                elif isinstance(wish, Listen):
                    answer = Place("127.0.0.1", 50_001)
                else:
                    self.hung_up = isinstance(wish, HangUp)
                wish = script.send(answer)
        except StopIteration as end:
            stored: Stored = end.value
            return stored


def _reply(line: str) -> Reply:
    return Reply(int(line[:3]), line[4:])


def test_client_without_peculiarities_stores_in_one_passive_binary_transfer() -> None:
    server = Server()
    assert server.store(Manners()) == Stored(True, "226 stored")
    assert server.said == ["USER 41203377", "PASS secret", "TYPE I", "PASV", "STOR day.abl", "QUIT"]
    assert server.opened == [Open("10.0.0.7", 50_000)]
    assert server.sent == [Send(FILE.data, "close")]


def test_active_client_tells_where_it_waits() -> None:
    server = Server()
    server.store(Manners(active=True))
    assert "PORT 127,0,0,1,195,81" in server.said
    server = Server()
    server.store(Manners(active=True, extended=True))
    assert "EPRT |1|127.0.0.1|50001|" in server.said
    assert server.opened == []


def test_extended_passive_goes_to_the_host_of_the_control_connection() -> None:
    server = Server()
    server.store(Manners(extended=True))
    assert server.opened == [Open("", 50_000)]


def test_pieces_are_appended() -> None:
    server = Server()
    assert server.store(Manners(piece=6)).acknowledged
    assert [line for line in server.said if line[:4] in {"STOR", "APPE"}] == ["STOR day.abl"] + ["APPE day.abl"] * 2
    assert b"".join(send.data for send in server.sent) == FILE.data


def test_folder_is_made_and_entered_step_by_step_even_if_it_exists() -> None:
    server = Server()
    assert server.store(Manners(folder="a/b")).acknowledged
    assert server.said[2:6] == ["MKD a", "CWD a", "MKD b", "CWD b"]


def test_text_form_ends_every_line_with_cr_lf() -> None:
    server = Server()
    server.store(Manners(ascii=True))
    assert "TYPE A" in server.said
    assert server.sent[0].data == b"(1)(2)\r\n(3)(4)\r\n" == on_the_wire(FILE.data, Manners(ascii=True))


@pytest.mark.parametrize(
    ("cut", "then"), [("data", "reset"), ("control", "stay"), ("silent", "stay"), ("abort", "stay")]
)
def test_first_attempt_stops_half_way(cut: str, then: str) -> None:
    server = Server()
    assert not server.store(Manners(cut=cut)).acknowledged
    assert server.sent[0] == Send(FILE.data[:7], then)
    assert server.hung_up is (cut == "control")
    assert ("ABOR" in server.said) is (cut == "abort")


def test_next_attempt_goes_on_where_the_server_stands() -> None:
    server = Server()
    assert server.store(Manners(cut="data"), attempt=1).acknowledged
    assert [line for line in server.said if line[:4] in {"SIZE", "REST"}] == ["SIZE day.abl", "REST 6"]
    assert server.sent == [Send(FILE.data[6:], "close")]


@pytest.mark.parametrize(("size", "anew"), [("550 none", False), ("213 99", False), ("213 6", True)])
def test_what_cannot_be_resumed_is_sent_whole(size: str, anew: bool) -> None:
    server = Server(SIZE=size)
    assert server.store(Manners(cut="data", starts_anew=anew), attempt=1).acknowledged
    assert server.sent == [Send(FILE.data, "close")]


@pytest.mark.parametrize("verb", ["PASS", "TYPE", "PASV", "STOR"])
def test_refusal_ends_the_attempt_with_the_servers_words(verb: str) -> None:
    server = Server(**{verb: "530 not you"})
    assert server.store(Manners()) == Stored(False, "530 not you")


def test_passive_answer_without_a_place_is_a_refusal() -> None:
    assert Server(PASV="227 somewhere").store(Manners()) == Stored(False, "227 somewhere")


def test_unit_that_loses_power_closes_without_a_word() -> None:
    server = Server()
    assert server.store(Manners(stays=True)).acknowledged
    assert server.hung_up
    assert "QUIT" not in server.said


def test_password_is_not_in_the_accounts_text() -> None:
    assert "secret" not in repr(replace(ACCOUNT, login="x"))
