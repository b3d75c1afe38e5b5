"""Uploads that get their name when they are whole: there are clients that store under another one first."""

from __future__ import annotations

from gateway_server.model import Direction, Identify
from gateway_server.store.arrivals import same_content_detail
from gateway_server.store.records import FileRecord, FileState, SessionKey
from gateway_server.store.uploads import UploadQueries

_FIXED = (FileState.INCOMPLETE, FileState.DUPLICATE)


class RenamingQueries(UploadQueries):
    """The verb for a file's new name."""

    def rename_file(
        self, file_id: int, name: str, raw_name: bytes, at_ms: int, *, serial: str = "", by_rule: bool = False
    ) -> FileRecord | None:
        """Gives a file another name, of which its session's log tells; None if there is no such file.

        It is to be decoded (again) by its new name. ``serial`` and ``by_rule`` as for `finish_upload`.
        """
        with self.connection.transaction("rename file"):
            former = self.file(file_id)
            if former is None:
                return None
            key = SessionKey(former.session)
            key.apart = True
            self.log([(key, at_ms, Direction.NOTE, f'"{former.name}" is "{name}" from now on'.encode())])
            if by_rule and serial:
                meter = self.meter_by_rule(serial)
                serial = self.identify(key, Identify(meter.serial if meter is not None else serial), at_ms).serial
            state, detail, same_as = former.state, former.detail, former.same_as or None
            if state not in _FIXED:
                state, detail = FileState.STORED, ""
                meter_id = self.meter_id(serial or former.meter) if serial or former.meter else None
                same_as = self._same_content(former.sha256, former.size, meter_id, former.login, name, besides=file_id)
                parts = self._parts(file_id)
                if same_as is not None:
                    state, detail = FileState.DUPLICATE, same_content_detail(same_as)
                    if len(parts) == 1 and not former.codec and not self._first_of_others(file_id):
                        self._give_way(file_id, parts[0], same_as, former.sha256)
            self.connection.execute(
                "UPDATE file SET name = ?, raw_name = ?, state = ?, detail = ?, same_as = ?,"
                " meter_id = COALESCE(?, meter_id) WHERE id = ?",
                (
                    name, raw_name.hex(), state.value, detail, same_as,
                    self.meter_id(serial) if serial else None, file_id,
                ),
            )  # fmt: skip
            return self.file(file_id)
