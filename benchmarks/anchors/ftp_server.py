"""The FTP servers beside ours, each a process of its own with a folder of its own: they write files and no more.

``pyftpdlib``  the library as it comes, an event loop in one process; nothing is synced before 226
``synced``     the same, with the file and its folder synced before 226: what being durable costs at least
``vsftpd``     Debian's, a process per session; anonymous uploads, name lookups and transfer log switched off
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.uploader import PASSWORD, login

ACCOUNTS = 1000
PATIENCE = 10.0  # seconds until a started vsftpd listens

VSFTPD = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
local_enable=NO
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_root={root}
ftp_username={owner}
secure_chroot_dir={empty}
connect_from_port_20=NO
xferlog_enable=NO
seccomp_sandbox=NO
max_clients=0
max_per_ip=0
pasv_min_port=0
pasv_max_port=0
"""


def pyftpdlib(folder: Path, *, synced: bool = False) -> None:
    """Serves until SIGTERM."""
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler
    from pyftpdlib.servers import FTPServer

    logging.basicConfig(level=logging.WARNING)
    accounts = DummyAuthorizer()
    for number in range(1, ACCOUNTS + 1):
        accounts.add_user(login(number), PASSWORD, str(folder), perm="elradfmw")
    place = os.open(folder, os.O_RDONLY)

    class Synced(DTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
        """Syncs before pyftpdlib's own close says 226."""

        def close(self) -> None:
            if self.receive and self.file_obj is not None and not self.file_obj.closed:
                self.file_obj.flush()
                os.fsync(self.file_obj.fileno())
                os.fsync(place)
            super().close()

    FTPHandler.authorizer = accounts
    if synced:
        FTPHandler.dtp_handler = Synced
    server = FTPServer(("127.0.0.1", 0), FTPHandler)
    print(f"ready 127.0.0.1:{server.address[1]}", flush=True)
    server.serve_forever()


def vsftpd(folder: Path) -> None:
    """Serves until SIGTERM; files go into ``pub/``. The uploaders' names mean nothing to it: all are anonymous."""
    import pwd

    owner = pwd.getpwnam("ftp")  # made by the package; its home must be there
    empty, root = folder / "empty", folder / "root"
    for place in (empty, root, root / "pub"):
        place.mkdir()
    for place in (folder, *folder.parents):
        if place.owner() == pwd.getpwuid(os.getuid()).pw_name and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o055)
        if place.parent.stat().st_mode & 0o001:
            break
    empty.chmod(0o555)
    root.chmod(0o555)
    os.chown(root / "pub", owner.pw_uid, owner.pw_gid)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    config = folder / "vsftpd.conf"
    config.write_text(VSFTPD.format(port=port, root=root, empty=empty, owner=owner.pw_name))
    process = subprocess.Popen([program() or "vsftpd", str(config)])
    signal.signal(signal.SIGTERM, lambda _number, _frame: process.terminate())
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)  # noqa: TID251 - another program takes its time
        else:
            print(f"ready 127.0.0.1:{port}", flush=True)
            break
    sys.exit(process.wait() > 0)


def program() -> str | None:
    """Where vsftpd is, if it is installed."""
    return shutil.which("vsftpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def main() -> None:
    """Runs one of them on a free port of loopback and prints it."""
    options = argparse.ArgumentParser()
    options.add_argument("kind", choices=["pyftpdlib", "synced", "vsftpd"])
    options.add_argument("folder", type=Path)
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    if chosen.kind == "vsftpd":
        vsftpd(chosen.folder)
    else:
        pyftpdlib(chosen.folder, synced=chosen.kind == "synced")


if __name__ == "__main__":
    main()
