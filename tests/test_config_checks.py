"""Whether what a configuration names is there; places of uploads and modems are in the tests of their tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_server.codec.registry import Registry
from gateway_server.config import Config, load_config
from gateway_server.config_checks import check_codecs, check_files
from gateway_server.errors import OperatorError

LISTENER = """
[[listener]]
name = "gprs"
endpoint = "tcp:4001:interface=127.0.0.1"
codec = "lis200"
"""


@pytest.fixture
def written(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write(text: str) -> Config:
        path = tmp_path / "gateway.toml"
        path.write_text(text)
        return load_config(path)

    return write


def test_unknown_codec_is_told_with_those_there_are(written) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OperatorError, match="listener 1 \"gprs\": `codec`: there is no codec 'lis200'"):
        check_codecs(written(LISTENER), Registry())


def test_files_a_listener_needs_and_the_stores_folder_must_be_there(written, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    config = written(
        LISTENER.replace("tcp:4001:interface=127.0.0.1", "ssl:4001:privateKey=key.pem:certKey=certificate.pem")
        + '[store]\nurl = "sqlite:///away/gateway.db"\n'
    )
    (tmp_path / "certificate.pem").touch()
    with pytest.raises(OperatorError) as caught:
        check_files(config)
    assert "key.pem" in str(caught.value)
    assert "certificate.pem" not in str(caught.value)
    assert f"{tmp_path / 'away'} is missing" in str(caught.value)
    (tmp_path / "key.pem").touch()
    (tmp_path / "away").mkdir()
    check_files(config)
