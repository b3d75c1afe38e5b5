"""Real clients learn why their file was refused, whatever they were still sending, and do not try it again."""

from __future__ import annotations

import ftplib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.test_peers_tls_ftp import drop_with_tls
from tests.end_to_end.uploads import LOGIN, PASSWORD

pytestmark = pytest.mark.end_to_end

SIZE = 20_000_000
LIMITS = {
    "largest_file_mb = 1": "552 Refused: the file is larger than 1048576 bytes.",
    "quota_mb_per_day = 1": "552 Refused: the account's quota for today is used up.",
}
LFTP = (
    "set net:max-retries 2; set net:timeout 40; set ssl:verify-certificate no; set ftp:ssl-allow {0}; put {{file}}; bye"
)
ON_LFTP = ("lftp", "-u", f"{LOGIN},{PASSWORD}", "-p", "{port}", "127.0.0.1", "-e")
CLIENTS = {
    "curl": ("curl", "-sS", "-v", "-T", "{file}", "{url}/"),
    "curl, active": ("curl", "-sS", "-v", "-P", "127.0.0.1", "-T", "{file}", "{url}/"),
    "curl, TLS": ("curl", "-sS", "-v", "-k", "--ssl-reqd", "-T", "{file}", "{url}/"),
    "lftp": (*ON_LFTP, LFTP.format("no")),
    "lftp, TLS": (*ON_LFTP, LFTP.format("yes")),
    "tnftp": ("tnftp", "-V", "-p", "-u", "{url}/large.dat", "{file}"),
    # It does not show replies, but has to understand that there is nothing to try again.
    "ncftp": (
        "ncftpput", "-V", "-t40", "-r3", "-u", LOGIN, "-p", PASSWORD, "-P", "{port}", "127.0.0.1", "/", "{file}",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("large") / "large.dat"
    place.write_bytes(b"(1)(2)\r\n" * (SIZE // 8))
    return place


@pytest.mark.parametrize("limit", list(LIMITS))
@pytest.mark.parametrize("client", list(CLIENTS))
def test_client_of_others_reads_why_its_file_is_refused(client: str, limit: str, tmp_path: Path, large: Path) -> None:
    if shutil.which(CLIENTS[client][0]) is None:
        pytest.skip(f"{CLIENTS[client][0]} is not installed")
    drop = drop_with_tls(tmp_path, limit)
    with drop.gateway() as (port, _):
        values = {"url": f"ftp://{LOGIN}:{PASSWORD}@127.0.0.1:{port}", "port": str(port), "file": str(large)}
        command = [word.format(**values) for word in CLIENTS[client]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    if client != "ncftp":
        assert LIMITS[limit].removeprefix("552 ") in done.stdout + done.stderr
    (session,) = drop.lists("session", "list")
    assert (session["outcome"], session["bytes_received"] < SIZE // 2) == ("partial", True)


@pytest.mark.parametrize("kind", [ftplib.FTP, ftplib.FTP_TLS])
def test_pythons_own_client_is_told_and_may_go_on(kind: type[ftplib.FTP], tmp_path: Path, large: Path) -> None:
    drop = drop_with_tls(tmp_path, "largest_file_mb = 1")
    with drop.gateway() as (port, _), kind(timeout=30) as client:
        client.connect("127.0.0.1", port)
        client.login(LOGIN, PASSWORD)
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        for _ in range(3):
            with large.open("rb") as file, pytest.raises(ftplib.error_perm, match="552 Refused: the file is larger"):
                client.storbinary("STOR large.dat", file)
        with large.open("rb") as file:
            file.seek(SIZE - 800)
            assert client.storbinary("STOR small.dat", file).startswith("226")
