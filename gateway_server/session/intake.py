"""A codec's framer within a session's stream: some of the stream's bytes are not for the codec."""

from __future__ import annotations

from gateway_server.codec.codec import BEGUN, Begins, Frame, Framer


class Intake:
    """Feeds a framer and places its frames in the session's stream.

    Registration packets, heartbeats and what another codec was tried on stand in the stream, but not in the framer;
    frames still tell their offset in the stream, because readings keep it. ``fed`` and ``cut`` count the framer's
    bytes: all of them, and those in frames that were taken out.
    """

    __slots__ = ("_base", "_framer", "cut", "fed")

    def __init__(self, framer: Framer) -> None:
        self._framer = framer
        self._base = 0
        self.fed = 0
        self.cut = 0

    def feed(self, data: bytes, at: int) -> None:
        """Takes bytes that stand at offset ``at`` of the stream."""
        self._base = at - self.fed
        self.fed += len(data)
        self._framer.feed(data)

    def next_frame(self) -> Frame | None:
        """The next whole frame or noise."""
        frame = self._framer.next_frame()
        if frame is None:
            return None
        self.cut = frame.start + len(frame.data)
        base = self._base
        return Frame(frame.kind, frame.data, frame.start + base, frame.fault) if base else frame

    def begun(self) -> Frame | None:
        """Tells of a frame that has begun and is not whole; its bytes are still to come out."""
        framer = self._framer
        return Frame(BEGUN, b"", self.cut + self._base) if isinstance(framer, Begins) and framer.begun else None

    def flush(self) -> Frame | None:
        """What is left after silence, as the framer's `flush` gives it; to be called until it gives None."""
        frame = self._framer.flush()
        if frame is None:
            self.cut = self.fed
            return None
        self.cut = frame.start + len(frame.data)
        base = self._base
        return Frame(frame.kind, frame.data, frame.start + base, frame.fault) if base else frame

    def drop_frames(self) -> None:
        """Passes over every whole frame."""
        while self.next_frame() is not None:
            pass

    def drop(self) -> None:
        """Passes over everything."""
        self.drop_frames()
        while self.flush() is not None:
            pass
