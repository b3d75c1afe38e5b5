"""The HTML report of a session."""

from __future__ import annotations

import hashlib
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from gateway_server.codec.registry import load_codecs
from gateway_server.model import Direction, Outcome
from gateway_server.store.records import LogEntry, SessionRecord
from gateway_server.workbench.report import html_report
from gateway_server.workbench.view import view_session

AT = 1_398_996_000_000  # 2014-05-02 06:00 in Moscow's summer of +4 h

RECORD = SessionRecord(
    7, "41203377", "tcp", "10.0.0.5:4001", AT, AT + 900, Outcome.GARBLED, "a <block> failed its check", 27, 5, 0,
    "lis200", "1",
)  # fmt: skip


def report() -> str:
    entries = [
        LogEntry(AT, Direction.NOTE, b"<connected>"),
        LogEntry(AT + 5, Direction.TO_METER, b"/?!\r\n"),
        LogEntry(AT + 317, Direction.FROM_METER, b"/Els6EK270\r\n"),
        LogEntry(AT + 700, Direction.FROM_METER, b"\x023:171.0(0)\x03\x11"),
    ]
    chunks = view_session(entries, load_codecs().get("lis200"))
    return b"".join(html_report(RECORD, chunks, ZoneInfo("Europe/Moscow"))).decode()


def test_report_shows_bytes_times_meaning_and_faults() -> None:
    text = report()
    assert "2F 45 6C 73 36 45 4B 32 37 30 0D 0A" in text
    assert "2014-05-02 06:00:00.000+04:00" in text
    assert "+0.312" in text
    assert "EK270" in text
    assert 'class="fault"' in text


def test_report_ends_with_the_digests_of_its_bytes() -> None:
    received = b"/Els6EK270\r\n\x023:171.0(0)\x03\x11"
    assert hashlib.sha256(received).hexdigest() in report()
    assert hashlib.sha256(b"/?!\r\n").hexdigest() in report()


def test_report_is_self_contained_and_text_in_it_is_no_markup() -> None:
    text = report()
    assert "&lt;connected&gt;" in text
    assert "a &lt;block&gt; failed its check" in text
    assert "<connected>" not in text

    class Links(HTMLParser):
        found: list[str] = []  # noqa: RUF012  # one parser, one test

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [name for name, _ in attrs if name in ("src", "href")]

    parser = Links()
    parser.feed(text)
    assert parser.found == []


def test_modems_dialogue_is_told_apart_and_in_no_digest() -> None:
    entries = [
        LogEntry(AT, Direction.TO_MODEM, b"ATD********4567\r"),
        LogEntry(AT + 5, Direction.FROM_MODEM, b"CONNECT 9600\r"),
    ]
    text = b"".join(html_report(RECORD, view_session(entries), ZoneInfo("Europe/Moscow"))).decode()
    assert 'class="modem"' in text
    assert "modem: CONNECT 9600" in text
    assert text.count(hashlib.sha256(b"").hexdigest()) == 2
