"""Why a place where the gateway is to listen cannot be opened, and what to do about it."""

from __future__ import annotations

import errno
import socket


def why_closed(refused: object) -> str:
    """What the system said of a place, with what to do; ``refused`` is its error."""
    if isinstance(refused, socket.gaierror):
        return "nobody knows a host of that name; name an address of this machine, or 0.0.0.0 for all"
    number = refused.errno if isinstance(refused, OSError) else None
    said = (refused.strerror if isinstance(refused, OSError) else "") or str(refused)
    if number == errno.EADDRNOTAVAIL:
        return f"{said}: this machine has no such address; `ip address` shows those it has, 0.0.0.0 is all of them"
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"{said}: ports below 1024 are for root, or for a program with the right to them: AmbientCapabilities="
            "CAP_NET_BIND_SERVICE in its service file, or `setcap cap_net_bind_service=+ep`"
        )
    return f"{said}; is another program (or another gateway) using the port? `ss -ltnp` shows which"
