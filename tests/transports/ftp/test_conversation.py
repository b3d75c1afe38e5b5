"""STOR, APPE, REST, STOU and ALLO as clients use them; shared accounts and quotas."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from gateway_server.store.records import FileState
from gateway_server.transports.ftp.terms import SharedAccount, Terms, network_of
from tests.transports.ftp.hall import HASH, Hall, hall, upload

TERMS = Terms("drop")
SHARED = SharedAccount(
    "bpek", HASH, (("name", re.compile(r"^(?P<id>\d{8})_")), ("directory", re.compile(r"^/s(?P<id>\w+)")))
)


def test_appended_pieces_of_several_sessions_are_one_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 20
    with hall(tmp_path) as place:
        for start in range(0, len(content), 1024):
            client = place.logged_in()
            assert client.upload("APPE day.dat", content[start : start + 1024]) == "226 Stored."
        (file,) = place.files()
        assert (file.size, file.sha256) == (len(content), sha256(content).hexdigest())
        assert place.content(file) == content
        assert len(place.sessions()) == 5


def test_resumed_upload_completes_the_one_that_was_cut(tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    with hall(tmp_path) as place:
        client = place.logged_in()
        data = client.begin("STOR day.dat")
        data.sendall(content[:5000])
        place.until(place.files)
        client.reset()
        place.until(lambda: [file for file in place.files() if file.sha256])
        client = place.logged_in()
        assert client.say("SIZE day.dat") == "213 5000"
        assert client.say("REST 5000") == "350 Going on at byte 5000."
        assert client.upload("STOR day.dat", content[5000:]) == "226 Stored."
        (file,) = place.files()
        assert (file.state, file.size) == (FileState.STORED, len(content))
        assert place.content(file) == content


def test_rest_cuts_what_was_behind_it(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        assert client.upload("STOR day.dat", b"0123456789") == "226 Stored."
        assert client.say("REST 4").startswith("350")
        assert client.upload("STOR day.dat", b"xy") == "226 Stored."
        assert sorted(place.content(file) for file in place.files()) == [b"0123456789", b"0123xy"]


@pytest.mark.parametrize(
    ("rest", "name", "reply"),
    [
        ("11", "day.dat", "554 REST 11 is behind the end of the file, 10."),
        ("4", "other.dat", "550 There is no file to go on with."),
    ],
)
def test_rest_without_what_it_stands_on_is_refused(tmp_path: Path, rest: str, name: str, reply: str) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        assert client.upload("STOR day.dat", b"0123456789") == "226 Stored."
        client.passive()
        assert client.say(f"REST {rest}").startswith("350")
        assert client.say(f"STOR {name}") == reply
        assert client.upload("STOR new.dat", b"whole") == "226 Stored."  # and is forgotten
        assert client.say("REST x") == "501 REST takes a number of bytes."


def test_file_that_has_grown_enough_goes_on_as_another_from_a_whole_line_on(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, grow_to=8)) as place:
        for piece in (b"row 1\r\n", b"row 2\r\n", b"row 3\r\nro", b"w 4\r\n", b"row 5\r\n"):
            assert place.logged_in().upload("APPE day.dat", piece) == "226 Stored."
        first, *others = place.files()
        assert place.content(first) == b"row 1\r\nrow 2\r\n"
        assert [place.content(file) for file in others] == [b"row 3\r\nrow 4\r\n", b"row 5\r\n"]
        said = place.dialogue(others[0].session) + place.dialogue(others[1].session)
        assert any("of this name has 14 bytes (grow_to_mb): this is another one" in line for line in said)


def test_large_file_that_was_cut_is_completed_however_large_it_is(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, grow_to=4)) as place:
        client = place.logged_in()
        data = client.begin("STOR day.dat")
        data.sendall(b"row 1\r\n")
        place.until(lambda: client.say("STAT") == "211 7 bytes of the file have come.")
        assert client.say("ABOR").startswith("426")
        client.reply()
        assert client.upload("APPE day.dat", b"row 2\r\n") == "226 Stored."
        assert [place.content(file) for file in place.files()] == [b"row 1\r\nrow 2\r\n"]


def test_file_too_old_is_not_gone_on_with(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, resume_seconds=3600.0)) as place:
        client = place.logged_in()
        assert client.upload("APPE day.dat", b"yesterday") == "226 Stored."
        place.passes(3_700_000)
        assert client.upload("APPE day.dat", b"today") == "226 Stored."
        assert sorted(place.content(file) for file in place.files()) == [b"today", b"yesterday"]


def test_same_name_every_day_is_a_file_every_day(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        for day in range(3):
            assert upload(place.client(), "DAY.DAT", f"day {day}".encode()) == "226 Stored."
        assert [place.content(file) for file in place.files()] == [b"day 0", b"day 1", b"day 2"]


def test_same_content_again_is_noted_and_not_kept_twice(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        for _ in range(2):
            assert upload(place.client(), "DAY.DAT", b"the same") == "226 Stored."
        first, again = place.files()
        assert (again.state, again.same_as) == (FileState.DUPLICATE, first.id)
        assert "<8" not in place.dialogue(again.session)
        assert place.content(again) == b"the same"


def test_grown_file_sent_whole_again_is_another_file(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        for content in (b"one", b"one two"):
            assert upload(place.client(), "DAY.DAT", content) == "226 Stored."
        assert [place.content(file) for file in place.files("stored")] == [b"one", b"one two"]


def test_text_is_stored_as_it_came(tmp_path: Path) -> None:
    content = b"a\r\nb\nc\r"
    with hall(tmp_path) as place:
        client = place.logged_in()
        assert client.say("TYPE A").startswith("200")
        assert client.upload("STOR day.txt", content) == "226 Stored."
        (file,) = place.files()
        assert place.content(file) == content
        assert any(line.startswith("sent as text (TYPE A)") for line in place.dialogue(file.session))


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("A", "200 Type is A."), ("a n", "200 Type is A."), ("A N", "200 Type is A."), ("A T", "200 Type is A."),
        ("L 7", "200 Type is A."), ("L7", "200 Type is A."), ("I", "200 Type is I."), ("I N", "200 Type is I."),
        ("i  n", "200 Type is I."), ("L 8", "200 Type is I."), ("L8", "200 Type is I."),
    ],
)  # fmt: skip
def test_type_may_name_a_form(tmp_path: Path, said: str, reply: str) -> None:
    with hall(tmp_path) as place:
        client = place.logged_in()
        assert client.say(f"TYPE {said}") == reply
        assert client.upload("STOR day.txt", b"a\r\n") == "226 Stored."
        (file,) = place.files()
        warned = any(line.startswith("sent as text (TYPE A)") for line in place.dialogue(file.session))
        assert warned == reply.endswith("A.")


def test_stou_gives_a_name_that_nobody_has(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        client = place.client()
        replies = [client.storbinary(command, io.BytesIO(bytes([n]))) for n, command in enumerate(["STOU", "STOU a"])]
        assert replies == ["226 Stored."] * 2
        names = [file.name for file in place.files()]
        assert names[0].startswith("upload.")
        assert names[1].startswith("a.")
        raw = place.logged_in()
        raw.passive()
        reply = raw.say("STOU")
        assert re.fullmatch(r"1[25][05] FILE: upload\.[0-9a-f]+", reply)
        assert reply.partition("FILE: ")[2] not in names


def test_announced_file_over_the_limit_is_refused_before_it_is_paid_for(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, largest_file=1000)) as place:
        client = place.logged_in()
        assert client.say("ALLO 1000") == "202 No need to."
        assert client.say("ALLO 1001 R 10") == "552 Refused: a file has at most 1000 bytes."
        assert client.say("ALLO much") == "501 ALLO takes a number of bytes."


def test_quota_of_a_day_is_refused_with_552_and_starts_anew(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, quota=2000, quota_files=3)) as place:
        client = place.logged_in()
        assert client.upload("STOR a", b"x" * 1500) == "226 Stored."
        assert client.upload("STOR b", b"y" * 1500) == "552 Refused: the account's quota for today is used up."
        client.passive()
        assert client.say("STOR c") == "552 Refused: 2000 bytes a day are allowed."
        other = place.logged_in("m2")
        assert [other.upload(f"STOR {n}", bytes([n])) for n in range(3)] == ["226 Stored."] * 3
        other.passive()
        assert other.say("STOR 4") == "552 Refused: 3 files a day are allowed."
        place.passes(86_400_000)
        assert client.upload("STOR c", b"z" * 1500) == "226 Stored."


def test_quota_of_a_day_outlives_a_restart(tmp_path: Path) -> None:
    terms = replace(TERMS, quota=2000)
    with hall(tmp_path, terms) as place:
        place.passes(-60_000)
        assert place.logged_in().upload("STOR a", b"x" * 1500) == "226 Stored."
    with hall(tmp_path, terms) as again:
        client = again.logged_in()
        assert client.upload("STOR b", b"y" * 1500) == "552 Refused: the account's quota for today is used up."


def test_too_many_uploads_of_one_account_at_once_are_put_off(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, uploads_per_account=1)) as place:
        first, second = place.logged_in(), place.logged_in()
        data = first.begin("STOR a")
        second.passive()
        assert second.say("STOR b") == "450 This account has too many uploads at once. Try again later."
        data.close()
        assert first.reply() == "226 Stored."
        place.until(lambda: second.upload("STOR b", b"") == "226 Stored.")


def test_only_names_of_the_operators_kind_are_taken(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, names=re.compile(r"\.dat$"))) as place:
        client = place.logged_in()
        client.passive()
        assert client.say("STOR setup.exe") == "553 Files of this name are not taken here."
        assert client.upload("STOR a.dat", b"1") == "226 Stored."


def shared(place: Hall, command: str, content: bytes) -> str:
    return place.logged_in("bpek").upload(command, content)


def test_shared_account_is_told_apart_by_name_and_directory(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, shared=(SHARED,))) as place:
        assert shared(place, "STOR 41203377_day.dat", b"1") == "226 Stored."  # a serial number of the register
        assert shared(place, "STOR /sm2/day.dat", b"2") == "226 Stored."  # the login of a route
        assert shared(place, "STOR 99999999_day.dat", b"3") == "226 Stored."  # nobody's yet
        assert shared(place, "STOR day.dat", b"4") == "226 Stored."  # the content may say
        assert [(file.meter, file.name) for file in place.files()] == [
            ("41203377", "41203377_day.dat"), ("41203378", "sm2/day.dat"), ("99999999", "99999999_day.dat"),
            ("", "day.dat"),
        ]  # fmt: skip
        assert place.ask(lambda store: store.meter("99999999").state.value) == "unclaimed"  # type: ignore[union-attr]  # it is there


def test_meters_of_a_shared_account_do_not_see_or_continue_each_others_files(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, shared=(SHARED,))) as place:
        client = place.logged_in("bpek")
        assert client.upload("STOR 41203377_day.dat", b"1234") == "226 Stored."
        assert client.say("SIZE 41203377_day.dat") == "213 4"  # it is this connection's own
        assert place.logged_in("bpek").say("SIZE 41203377_day.dat") == "550 No such file."
        assert place.client("bpek").nlst() == []


def test_file_stored_under_a_temporary_name_gets_its_own(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        for content in (b"one", b"two"):
            client = place.logged_in()
            assert client.upload("STOR tmp.day.dat", content) == "226 Stored."
            assert client.say("RNFR tmp.day.dat") == "350 Now RNTO."
            assert client.say("RNTO day.dat") == "250 Renamed."
            assert client.say("SIZE tmp.day.dat") == "550 No such file."
            assert client.say("SIZE day.dat") == "213 3"
        assert [(file.name, place.content(file)) for file in place.files()] == [
            ("day.dat", b"one"), ("day.dat", b"two"),
        ]  # fmt: skip
        place.until(lambda: len(set(place.stored)) == 2)


def test_nothing_is_renamed_but_what_this_connection_stored(tmp_path: Path) -> None:
    with hall(tmp_path) as place:
        assert place.logged_in().upload("STOR day.dat", b"1") == "226 Stored."
        client = place.logged_in()
        assert client.say("RNFR day.dat").startswith("550")
        assert client.say("RNTO x") == "503 Send RNFR first."
        assert client.upload("STOR a", b"2") == "226 Stored."
        assert client.say("RNFR a") == "350 Now RNTO."
        assert client.say("RNTO ../x").startswith("553")
        assert client.say("RNTO x") == "503 Send RNFR first."
        assert [file.name for file in place.files()] == ["day.dat", "a"]


def test_rules_of_a_shared_account_look_at_the_name_a_file_got(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, shared=(SHARED,))) as place:
        client = place.logged_in("bpek")
        assert client.upload("STOR tmp.x", b"1") == "226 Stored."
        client.say("RNFR tmp.x")
        assert client.say("RNTO 41203377_day.dat") == "250 Renamed."
        (file,) = place.files()
        assert (file.name, file.meter) == ("41203377_day.dat", "41203377")
        assert '"tmp.x" is "41203377_day.dat" from now on' in place.dialogue(file.session)


def test_units_of_a_shared_account_upload_at_the_same_time(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, uploads_per_account=1, shared=(replace(SHARED, uploads=4),))) as place:
        names = ["41203377_day.dat", "41203378_day.dat", "day.dat", "day.dat"]
        clients = [place.logged_in("bpek") for _ in names]
        coming = [client.begin(f"STOR {name}") for client, name in zip(clients, names, strict=True)]
        fifth = place.logged_in("bpek")
        fifth.passive()
        assert fifth.say("STOR x") == "450 This account has too many uploads at once. Try again later."
        coming[2].close()
        assert clients[2].reply() == "226 Stored."
        assert fifth.say("STOR 41203377_b.dat") == "450 This meter has too many uploads at once. Try again later."


def test_piece_is_not_grafted_onto_a_file_that_may_be_another_meters(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, shared=(SHARED,))) as place:
        first, second = place.logged_in("bpek"), place.logged_in("bpek")
        assert first.upload("APPE data.txt", b"A1") == "226 Stored."
        assert second.upload("APPE data.txt", b"B1") == "226 Stored."
        assert first.upload("APPE data.txt", b"A2") == "226 Stored."  # of this connection: its own
        third = place.logged_in("bpek")
        third.passive()
        third.say("REST 2")
        assert third.say("STOR data.txt") == "550 There is no file to go on with."
        assert sorted(place.content(file) for file in place.files()) == [b"A1A2", b"B1"]


def test_piece_that_was_cut_is_gone_on_with_over_the_same_connection_of_a_shared_account(tmp_path: Path) -> None:
    with hall(tmp_path, replace(TERMS, shared=(SHARED,))) as place:
        client = place.logged_in("bpek")
        data = client.begin("STOR data.txt")
        data.sendall(b"0123")
        place.until(lambda: client.say("STAT") == "211 4 bytes of the file have come.")
        assert client.say("ABOR").startswith("426")
        assert client.reply().startswith("226")
        assert client.say("SIZE data.txt") == "213 4"
        client.say("REST 4")
        assert client.upload("STOR data.txt", b"4567") == "226 Stored."
        assert [place.content(file) for file in place.files()] == [b"01234567"]


@pytest.mark.parametrize("path", ["41203377_day.dat", "/sm2/day.dat", "99999999_day.dat"])
def test_meter_that_a_rule_names_goes_on_over_another_connection(tmp_path: Path, path: str) -> None:
    with hall(tmp_path, replace(TERMS, shared=(SHARED,))) as place:
        assert shared(place, f"APPE {path}", b"one ") == "226 Stored."
        assert shared(place, f"APPE {path}", b"two") == "226 Stored."
        assert [place.content(file) for file in place.files()] == [b"one two"]


def test_shared_account_is_bound_to_its_networks(tmp_path: Path) -> None:
    account = replace(SHARED, networks=(network_of("10.0.0.0/8"),))
    with hall(tmp_path, replace(TERMS, shared=(account,), failed_login_delay=0.0)) as place:
        client = place.raw()
        client.reply()
        client.say("USER bpek")
        assert client.say("PASS correct horse") == "530 Login incorrect."
