"""A file as a meter's modem uploads it."""

from __future__ import annotations

from gateway_server.codec.files import FileReading, ReadsFiles, UploadedFile


def test_file_in_an_archive_goes_by_its_own_name_and_then_by_those_around_it() -> None:
    file = UploadedFile("out\\DATA.TXT", b"", 0, within=("/upload/EK123.zip", "EK123/day.zip"))
    assert file.names == ("DATA.TXT", "day.zip", "EK123.zip")


def test_codec_reads_files_when_it_has_the_method_for_it() -> None:
    class Logger:
        def read_file(self, file: UploadedFile) -> FileReading | None:
            return None

    assert isinstance(Logger(), ReadsFiles)
    assert not isinstance(object(), ReadsFiles)


def test_bytes_of_a_file_do_not_fill_a_log_line() -> None:
    assert "secret" not in repr(UploadedFile("a.txt", b"secret" * 1000, 0))
