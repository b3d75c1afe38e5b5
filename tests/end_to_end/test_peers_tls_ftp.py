"""Encrypted uploads with clients that nobody here wrote, two TLS libraries: curl and Python's ftplib (OpenSSL), lftp
(GnuTLS); both versions of TLS that are spoken today, no byte lost at the end of any file."""

from __future__ import annotations

import ftplib
import io
import random
import shutil
import ssl
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.end_to_end.uploads import LOGIN, PASSWORD, Drop
from tests.transports.certificates import certificate

pytestmark = pytest.mark.end_to_end

CURL = ("curl", "-sS", "--ssl-reqd", "-k")
CURL_CONTROL = ("curl", "-sS", "--ftp-ssl-control", "-k")
LFTP = ("lftp", "-u", "{login},{password}", "-p", "{port}", "127.0.0.1", "-e")
LFTP_SETS = "set net:max-retries 1; set net:timeout 40; set ssl:verify-certificate no; set ftp:ssl-force yes"
CLIENTS = {
    "curl, EPSV": (*CURL, "-T", "{file}", "{url}/"),
    "curl, PASV, TLS 1.2": (*CURL, "--tls-max", "1.2", "--disable-epsv", "-T", "{file}", "{url}/"),
    "curl, APPE": (*CURL, "--append", "-T", "{file}", "{url}/"),
    "curl, data in clear": (*CURL_CONTROL, "-T", "{file}", "{url}/"),
    # With active mode and encrypted data curl 7.88 forgets to encrypt (mended in 8.0): so in clear.
    "curl, active, data in clear": (*CURL_CONTROL, "-P", "127.0.0.1", "-T", "{file}", "{url}/"),
    "lftp, passive": (*LFTP, f"{LFTP_SETS}; set ftp:ssl-protect-data yes; put {{file}}; bye"),
    "lftp, active": (*LFTP, f"{LFTP_SETS}; set ftp:ssl-protect-data yes; set ftp:passive-mode off; put {{file}}; bye"),
    "lftp, data in clear": (*LFTP, f"{LFTP_SETS}; set ftp:ssl-protect-data no; put {{file}}; bye"),
}


def command(client: str, port: int, file: Path) -> list[str]:
    if shutil.which(CLIENTS[client][0]) is None:
        pytest.skip(f"{CLIENTS[client][0]} is not installed")
    values = {"url": f"ftp://{LOGIN}:{PASSWORD}@127.0.0.1:{port}", "login": LOGIN, "password": PASSWORD}
    values |= {"port": str(port), "file": str(file)}
    return [word.format(**values) for word in CLIENTS[client]]


def drop_with_tls(folder: Path, more: str = "") -> Drop:
    files = certificate(folder)
    drop = Drop(folder, more=f'certificate = "{files.certificate}"\nprivate_key = "{files.key}"\n{more}')
    drop.accounts(LOGIN)
    return drop


@pytest.mark.parametrize("client", list(CLIENTS))
def test_client_of_others_uploads_encrypted_byte_for_byte(client: str, tmp_path: Path) -> None:
    file = tmp_path / "day.dat"
    file.write_bytes(bytes(range(256)) + random.Random(7).randbytes(200_000))
    drop = drop_with_tls(tmp_path)
    with drop.gateway() as (port, _):
        done = subprocess.run(command(client, port, file), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
    (one,) = drop.stored()
    assert one.sha256 == sha256(file.read_bytes()).hexdigest() == one.record.sha256
    assert one.record.name == "day.dat"
    assert one.record.state.value != "incomplete"
    (session,) = drop.lists("session", "list")
    assert (session["outcome"], session["transport"], session["meter"]) == ("read", "ftp", LOGIN)


VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
SIZES = (0, 1, 16_384, 10_000_000, *(4000 + number for number in range(20)))


def by_curl(port: int, files: list[Path], version: str, mode: str) -> None:
    # As above, curl does not encrypt what goes over a connection in active mode.
    ways = {"passive": ["--ssl-reqd"], "active": ["--ftp-ssl-control", "-P", "127.0.0.1"]}
    chosen = ["curl", "-sS", "-k", f"--tlsv{version}", "--tls-max", version, *ways[mode]]
    url = f"ftp://{LOGIN}:{PASSWORD}@127.0.0.1:{port}/"
    subprocess.run([*chosen, "-T", "{" + ",".join(map(str, files)) + "}", url], timeout=60, check=True)


def by_lftp(port: int, files: list[Path], version: str, mode: str) -> None:
    sets = f"{LFTP_SETS}; set ftp:ssl-protect-data yes; set ftp:passive-mode {'on' if mode == 'passive' else 'off'}"
    # Without its own check of what it has sent (SIZE), which would send again.
    sets += f"; set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS{version}; set net:max-retries 1; set ftp:stat-interval 0"
    puts = "; ".join(f"put {file}" for file in files)
    command = ["lftp", "-u", f"{LOGIN},{PASSWORD}", "-p", str(port), "127.0.0.1", "-e", f"{sets}; {puts}; bye"]
    subprocess.run(command, capture_output=True, timeout=60, check=True)


def by_ftplib(port: int, files: list[Path], version: str, mode: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = VERSIONS[version]
    with ftplib.FTP_TLS(context=context, timeout=30) as client:
        client.connect("127.0.0.1", port)
        client.login(LOGIN, PASSWORD)
        client.prot_p()
        client.set_pasv(mode == "passive")
        for file in files:
            assert client.storbinary(f"STOR {file.name}", io.BytesIO(file.read_bytes())).startswith("226")
        assert isinstance(client.sock, ssl.SSLSocket)
        assert client.sock.version() == f"TLSv{version}"


@pytest.mark.parametrize("mode", ["passive", "active"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("client", [by_curl, by_lftp, by_ftplib])
def test_no_byte_is_lost_at_the_end_of_an_encrypted_file(
    client: Callable[[int, list[Path], str, str], None], version: str, mode: str, tmp_path: Path
) -> None:
    program = client.__name__.removeprefix("by_")
    if program != "ftplib" and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    files = [tmp_path / f"{number}.dat" for number in range(len(SIZES))]
    for number, (file, size) in enumerate(zip(files, SIZES, strict=True)):
        file.write_bytes(random.Random(number).randbytes(size))
    drop = drop_with_tls(tmp_path)
    with drop.gateway() as (port, _):
        client(port, files, version, mode)
    stored = {one.record.name: (one.sha256, one.record.size) for one in drop.stored()}
    assert stored == {file.name: (sha256(file.read_bytes()).hexdigest(), file.stat().st_size) for file in files}
    assert [one.record.name for one in drop.stored() if one.record.state.value == "incomplete"] == []


@pytest.mark.parametrize(("client", "said"), [("curl, EPSV", ""), ("curl, data in clear", "522")])
def test_site_that_requires_encryption_takes_nothing_in_clear(client: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "day.dat"
    file.write_bytes(b"(1)(2)\r\n")
    drop = drop_with_tls(tmp_path, "tls_required = true")
    with drop.gateway() as (port, _):
        done = subprocess.run(command(client, port, file), capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode == 0) is (not said), done.stderr
        assert said in done.stderr
        plain = ["curl", "-sS", "-T", str(file), f"ftp://{LOGIN}:{PASSWORD}@127.0.0.1:{port}/clear.dat"]
        done = subprocess.run(plain, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 67  # curl: the login was denied
    assert [one.record.name for one in drop.stored()] == ([] if said else ["day.dat"])
