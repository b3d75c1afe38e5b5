"""Folders of other FTP servers, as the operator names them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway_server.config import load_config
from gateway_server.errors import OperatorError
from gateway_server.transports.folder import UNFINISHED, Folder
from gateway_server.transports.folder_watch import FolderWatch


def written(folder: Path, text: str) -> Path:
    path = folder / "gateway.toml"
    path.write_text(text)
    return path


def test_a_watched_folder_is_relative_to_the_configuration(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, '[[watch]]\nname = "old"\npath = "in"\n'))
    (watch,) = config.watch
    assert watch.folder_watch(config.folder) == FolderWatch(
        "old", Folder(tmp_path / "in", "", False, UNFINISHED), 60.0, 10.0, 100 << 20
    )


def test_an_absolute_folder_stays_where_it_is(tmp_path: Path) -> None:
    text = '[[watch]]\nname = "old"\npath = "/srv/ftp"\nby_login = true\nignore = []\nlargest_file_mb = 1\n'
    (watch,) = load_config(written(tmp_path, text)).watch
    assert watch.folder_watch(tmp_path) == FolderWatch(
        "old", Folder(Path("/srv/ftp"), "", True, ()), 60.0, 10.0, 1 << 20
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[watch]]\nname = "old"\n', 'watch 1 "old"'),
        ('[[watch]]\nname = "old"\npath = "a"\nlogin = "b"\nby_login = true\n', "`login` and `by_login`"),
        ('[[watch]]\nname = "old"\npath = "a"\nevery = 0\n', "is too small; the least is 1"),
        ('[[watch]]\nname = "a"\npath = "a"\n[[watch]]\nname = "a"\npath = "b"\n', "`name` is that of watch 1"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(OperatorError) as refused:
        load_config(written(tmp_path, text))
    assert words in str(refused.value)


def test_a_folder_that_cannot_be_read_is_said_before_the_gateway_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (watch,) = load_config(written(tmp_path, '[[watch]]\nname = "old"\npath = "in"\n')).watch
    watch.check(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root, who runs these tests at times, may read all
    with pytest.raises(OperatorError, match="in cannot be read by who runs this"):
        watch.check(tmp_path)
