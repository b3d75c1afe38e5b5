"""Real clients that nobody here wrote upload to the gateway: active and passive, behind a masquerade address.

The gateway listens at an inner address and is reached over a router at an outer one, which it names in PASV.
"""

from __future__ import annotations

import ftplib
import io
import random
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.end_to_end.uploads import INNER, LOGIN, OUTER, PASSWORD, Drop, Router, passive_ports, wait_until

pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("peers_ftp")]

NAME = "41203377202404030900000900.dat"

LFTP = "set net:max-retries 1; set net:timeout 40; set ftp:passive-mode {0}; put {{file}}; bye"
ON_LFTP = ("lftp", "-u", "{login},{password}", "-p", "{port}", "{host}", "-e")
ON_NCFTP = ("ncftpput", "-V", "-t", "40", "-r", "1", "-u", "{login}", "-p", "{password}", "-P", "{port}")
CLIENTS = {
    "curl, EPSV": ("curl", "-sS", "-T", "{file}", "{url}/"),
    "curl, PASV": ("curl", "-sS", "--disable-epsv", "--no-ftp-skip-pasv-ip", "-T", "{file}", "{url}/"),
    "curl, EPRT": ("curl", "-sS", "-P", "127.0.0.1", "-T", "{file}", "{url}/"),
    "curl, PORT": ("curl", "-sS", "-P", "127.0.0.1", "--disable-eprt", "-T", "{file}", "{url}/"),
    "curl, APPE": ("curl", "-sS", "--append", "-T", "{file}", "{url}/"),
    "lftp, passive": (*ON_LFTP, LFTP.format("on")),
    "lftp, active": (*ON_LFTP, LFTP.format("off")),
    "ncftp, passive": (*ON_NCFTP, "-F", "{host}", "/", "{file}"),
    "ncftp, active": (*ON_NCFTP, "-E", "{host}", "/", "{file}"),
    "lftp, a temporary name": (*ON_LFTP, "set xfer:use-temp-file on; " + LFTP.format("on")),
    "ncftp, a temporary name": (*ON_NCFTP, "-F", "-T", "tmp.", "{host}", "/", "{file}"),
    "tnftp, passive": ("tnftp", "-V", "-p", "-u", "{url}/{name}", "{file}"),
    "tnftp, active": ("tnftp", "-V", "-A", "-u", "{url}/{name}", "{file}"),
}
ACTIVE = {"curl, EPRT", "curl, PORT", "lftp, active", "ncftp, active", "tnftp, active"}


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A binary file with every byte in it, line ends and Telnet's own bytes too."""
    place = tmp_path / NAME
    place.write_bytes(bytes(range(256)) + b"\r\n\n\r\xff\xff\xf4\xf2" + random.Random(7).randbytes(40_000))
    return place


@pytest.fixture
def drop(tmp_path: Path) -> Iterator[tuple[Drop, int, Router]]:
    port, *passive = passive_ports(11)
    place = Drop(tmp_path, port=port, passive=range(passive[0], passive[-1] + 1), more=f'masquerade = "{OUTER}"')
    place.accounts(LOGIN)
    router = Router(OUTER, [port, *passive])
    with router, place.gateway():
        yield place, port, router


@pytest.mark.parametrize("client", list(CLIENTS))
def test_client_of_others_uploads_byte_for_byte(client: str, drop: tuple[Drop, int, Router], content: Path) -> None:
    place, port, router = drop
    if shutil.which(CLIENTS[client][0]) is None:
        pytest.skip(f"{CLIENTS[client][0]} is not installed")
    # A router would have to translate for active clients; they are inside.
    host = INNER if client in ACTIVE else OUTER
    values = {"url": f"ftp://{LOGIN}:{PASSWORD}@{host}:{port}", "login": LOGIN, "password": PASSWORD, "host": host}
    values |= {"port": str(port), "file": str(content), "name": NAME}
    command = [word.format(**values) for word in CLIENTS[client]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    (one,) = place.stored()
    assert one.sha256 == sha256(content.read_bytes()).hexdigest() == one.record.sha256
    assert (one.record.name, one.record.login, one.record.size) == (NAME, LOGIN, content.stat().st_size)
    passive = [carried for carried in router.carried if carried != port]
    assert bool(passive) is (client not in ACTIVE)


@pytest.mark.parametrize("passive", [True, False])
def test_pythons_own_client_uploads_and_is_told_its_file_is_there(
    passive: bool, drop: tuple[Drop, int, Router], content: Path
) -> None:
    place, port, router = drop
    with ftplib.FTP(timeout=20) as client:
        client.trust_server_pasv_ipv4_address = True  # type: ignore[attr-defined]  # there since 3.6
        client.connect(OUTER, port)
        client.login(LOGIN, PASSWORD)
        client.set_pasv(passive)
        assert client.storbinary(f"STOR {NAME}", io.BytesIO(content.read_bytes())).startswith("226")
        (one,) = place.stored()  # before QUIT: the 226 says it is there
    assert one.sha256 == sha256(content.read_bytes()).hexdigest()
    assert len(router.carried) == (2 if passive else 1)


def test_curl_resumes_an_upload_by_appending_and_the_file_is_whole(
    drop: tuple[Drop, int, Router], content: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    place, port, _ = drop
    whole = content.read_bytes()
    client = ftplib.FTP(timeout=20)
    client.connect(OUTER, port)
    client.login(LOGIN, PASSWORD)
    client.voidcmd("TYPE I")
    with client.transfercmd(f"STOR {NAME}") as line:
        line.sendall(whole[:12_345])
        client.close()  # the unit hangs up: nothing says that more would have come
    wait_until(lambda: [one.record.state.value for one in place.stored()] == ["incomplete"])
    held = place.stored()[0].record.size
    url = f"ftp://{LOGIN}:{PASSWORD}@{OUTER}:{port}/"
    command = ["curl", "-sS", "-C", str(held), "-T", str(content), url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    (one,) = place.stored()
    assert one.sha256 == sha256(whole).hexdigest()
    assert one.record.state.value != "incomplete"
