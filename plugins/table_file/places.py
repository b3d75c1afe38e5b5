"""Where a value stands in XML: ``Vb``, ``Vb/@value``, ``@time``, ``../@serial``, ``/Export/Meter``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

_CONDITION = re.compile(r"\[[^]]*\]")


@dataclass(frozen=True, slots=True)
class Place:
    """A way from an element to a text: to the root or ``up`` so many parents, down by a path, to an attribute."""

    from_root: bool
    up: int
    path: str
    attribute: str

    @classmethod
    def of(cls, text: str) -> Place:
        """A place from its text. Raises `ValueError`."""
        rest = text.strip()
        from_root = rest.startswith("/") and not rest.startswith("//")
        rest = rest[1:] if from_root else rest
        up = 0
        while rest.startswith("../") or rest == "..":
            rest, up = rest[3:], up + 1
        path, _, attribute = rest.rpartition("@")
        if "@" not in rest or "]" in attribute:  # an @ within a condition is no attribute of ours
            path, attribute = rest, ""
        path = path.rstrip("/")
        if not (path or attribute or up or rest == "."):
            raise ValueError("it is empty")
        if ":" in _CONDITION.sub("", path):
            raise ValueError("names stand without their prefix here")
        place = cls(from_root, up, "" if path == "." else path, attribute)
        place.find(Element("root"))
        return place

    def find(self, element: Element) -> Element | None:
        """The first element down the path. Raises `ValueError` for a path that is none."""
        if not self.path:
            return element
        try:
            return element.find(self.path)
        except (SyntaxError, KeyError, TypeError) as error:
            raise ValueError(str(error)) from None

    def text_in(self, element: Element) -> str | None:
        """The text at the end of the way; None if nothing is there."""
        found = self.find(element)
        if found is None:
            return None
        return found.get(self.attribute) if self.attribute else "".join(found.itertext())
