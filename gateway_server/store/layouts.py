"""Archive layouts: the columns that rows have in common, kept once."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass

from gateway_server.errors import StoreError
from gateway_server.model import CURRENT, Column
from gateway_server.store.connection import Connection
from gateway_server.store.queries import Queries
from gateway_server.store.secrets import Vault

REMEMBERED = 4096
LIVE = f"{CURRENT}:"


def archive_name(stored: str) -> str:
    """The archive as the meter and its reader call it."""
    return CURRENT if stored.startswith(LIVE) else stored


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout as the store knows it; ``counters`` are the places of the columns that only ever grow.

    ``current`` is the archive of live values with these columns: values read one by one, within one millisecond, are
    not the same row twice, and each has a newest of its own.
    """

    id: int
    columns: tuple[Column, ...]
    counters: tuple[int, ...]
    current: str


class LayoutQueries(Queries):
    """Layouts by their columns and by their number. A layout never changes, so what is remembered stays true; only
    one that was made in a transaction that failed must be forgotten."""

    def __init__(self, connection: Connection, vault: Vault, owner: str) -> None:
        self._by_id: dict[int, Layout] = {}
        self._by_columns: dict[tuple[Column, ...], Layout] = {}
        # Rows of one archive share the very same tuple: its identity is found without hashing twenty columns. The
        # tuple is kept, so that its identity cannot become another's.
        self._by_identity: dict[int, tuple[tuple[Column, ...], Layout]] = {}
        super().__init__(connection, vault, owner)

    def forget(self) -> None:
        """Forgets the layouts too."""
        super().forget()
        self._by_id.clear()
        self._by_columns.clear()
        self._by_identity.clear()

    def layout(self, columns: tuple[Column, ...]) -> int:
        """The number of the layout with these columns."""
        return self._layout_of(columns).id

    def columns_of(self, layout_id: int) -> tuple[Column, ...]:
        """The columns of a stored layout."""
        return self._layout(layout_id).columns

    def quantities_known(self) -> set[str]:
        """Every quantity that a stored value has ever been of."""
        stored = self.connection.all("SELECT id FROM layout", ())
        return {column.quantity for (layout_id,) in stored for column in self.columns_of(layout_id)}

    def _layout_of(self, columns: tuple[Column, ...]) -> Layout:
        same = self._by_identity.get(id(columns))
        if same is not None:
            return same[1]
        found = self._by_columns.get(columns) or self._stored_layout(columns)
        if len(self._by_identity) >= REMEMBERED:
            self._by_identity.clear()
        self._by_identity[id(columns)] = (columns, found)
        return found

    def _stored_layout(self, columns: tuple[Column, ...]) -> Layout:
        text = json.dumps([astuple(column) for column in columns], ensure_ascii=False, separators=(",", ":"))
        with self.connection.transaction("layout"):
            row = self.connection.one("SELECT id FROM layout WHERE columns = ?", (text,)) or self.connection.one(
                "INSERT INTO layout (columns) VALUES (?) RETURNING id", (text,)
            )
            return self._keep(row[0], columns)

    def _layout(self, layout_id: int) -> Layout:
        found = self._by_id.get(layout_id)
        if found is None:
            row = self.connection.one("SELECT columns FROM layout WHERE id = ?", (layout_id,))
            if row is None:
                raise StoreError(f"layout {layout_id} is missing in the store; run `store check`")
            found = self._keep(layout_id, tuple(Column(*column) for column in json.loads(row[0])))
        return found

    def _keep(self, layout_id: int, columns: tuple[Column, ...]) -> Layout:
        counters = tuple(i for i, column in enumerate(columns) if column.cumulative)
        layout = Layout(layout_id, columns, counters, f"{LIVE}{layout_id}")
        self._by_id[layout_id] = self._by_columns[columns] = layout
        return layout
