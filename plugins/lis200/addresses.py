"""LIS-200 addresses ``entity:object.attribute``: compared by their core, since devices echo them changed.

``2:302.0`` comes back as ``7-2:302.2``, ``1:0400`` is ``1:400``, the change log prints ``0007:0311``
(lis200.md 1.3, 2.1).
"""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(?:\d+-)?0*(\d+):0*([0-9A-Fa-f]+)(_\d+)?(?:\.\w+)?")
_ARCHIVE = re.compile(r"(?:\d+-)?0*(\d+):V\.(\w)", re.IGNORECASE)


def core(address: str) -> str:
    """``entity:object`` without medium prefix, attribute and leading zeros; what is no address is left as it is."""
    found = _ADDRESS.fullmatch(address.strip())
    return f"{found[1]}:{found[2].upper()}{found[3] or ''}" if found else address.strip()


def same(asked: str, echoed: str) -> bool:
    """Whether an answer's address is that of the question."""
    return core(asked) == core(echoed)


def archive(address: str) -> tuple[int, str] | None:
    """Number and attribute of an archive's address (``3:V.0``), None if it is something else."""
    found = _ARCHIVE.fullmatch(address)
    return (int(found[1]), found[2].upper()) if found else None
