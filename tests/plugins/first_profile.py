"""The pieces of docs/profile.md, as a reader would save them."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/profile.md"


def tutorial() -> str:
    """The first part: from a hex dump to stored readings."""
    return DOCUMENT.read_text("utf-8").partition("## Reference")[0]


def reference() -> str:
    """The second part: every construct."""
    return DOCUMENT.read_text("utf-8").partition("## Reference")[2]


def blocks(text: str, language: str) -> list[str]:
    """The examples in one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def saved_in(folder: Path) -> tuple[Path, Path]:
    """The tutorial's profile, its pieces put together, and its capture."""
    profile, capture = folder / "gaspoint.yaml", folder / "gaspoint.capture"
    profile.write_text("\n".join(blocks(tutorial(), "yaml")), "utf-8")
    (dump,) = blocks(tutorial(), "capture")
    capture.write_text(dump, "utf-8")
    return profile, capture
