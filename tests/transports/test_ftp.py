"""Uploads as ordinary clients make them: what stands in the store behind 226, and how the session reads."""

from __future__ import annotations

from pathlib import Path

from gateway_server.model import Outcome
from gateway_server.store.records import FileState
from tests.transports.ftp_hall import hall, upload


def test_uploaded_file_is_in_the_store_when_the_client_hears_226(tmp_path: Path) -> None:
    content = bytes(range(256)) * 16
    with hall(tmp_path) as place:
        client = place.client()
        assert upload(client, "day.dat", content) == "226 Stored."
        (file,) = place.files()
        assert (file.meter, file.login, file.name, file.size) == ("41203377", "m1", "day.dat", 4096)
        assert file.state is FileState.STORED
        assert place.content(file) == content
        (session,) = place.sessions()
        assert (session.meter, session.transport, session.outcome) == ("41203377", "ftp", Outcome.READ)
        assert session.bytes_received == 4096
        dialogue = place.dialogue(session.id)
        passive = [line for line in dialogue if line.startswith("ftp< 227 Entering passive mode (127,0,0,1,")]
        begins = [line for line in dialogue if line in ("ftp< 125 Ready for the file.", "ftp< 150 Ready for the file.")]
        assert dialogue == [
            "ftp< 220 ready",
            "ftp> USER m1",
            "ftp< 331 Send the password.",
            "ftp> PASS ********",
            "ftp< 230 Logged in.",
            "ftp> TYPE I",
            "ftp< 200 Type set to: Binary.",
            "ftp> PASV",
            *passive,
            "ftp> STOR day.dat",
            *begins,
            "<4096",
            "ftp< 226 Stored.",
        ]
        assert client.quit() == "221 Goodbye."
        assert place.until(lambda: place.stored) == [file.id]
