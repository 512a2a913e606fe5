"""Garbage collection: remove what no current or kept build needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orchestration.store.records import PICTURES, Record, Slot
from orchestration.store.storage import BUILDS, CHECKS, CURRENT, Store


def collect(
    store: Store,
    *,
    keep: int = 3,
    limit: int | None = None,
    known: Callable[[Slot], bool] = lambda slot: True,
    dry_run: bool = False,
) -> list[tuple[str, int]]:
    """Remove the files that no current or kept build needs.

    Parameters
    ----------
    store
        The store.
    keep
        Builds to keep of each slot beside its current one, newest first.
    limit
        Bytes that artifacts and pictures may take: the oldest kept builds go first until they fit;
        current builds always stay.
    known
        Whether the project still has a slot; one that it hasn't has no current build.
    dry_run
        Only list the files.

    Returns
    -------
    list of (path, bytes)
        The removed files. A slot that another process is writing to is left alone.
    """
    kept: dict[Slot, list[Record]] = {}
    for slot in store.slots():
        current = store.current(slot) if known(slot) else None
        others = [r for r in store.records(slot) if current is None or r.build != current.build]
        kept[slot] = [*([current] if current else []), *others[:keep]]
    if limit is not None:
        _drop_oldest(kept, limit, known)
    removed: list[tuple[str, int]] = []
    for slot, records in kept.items():
        with store.locks.collecting(), store.locks.changing(slot, wait=False) as acquired:
            if acquired:
                removed += _clean(store, slot, records, known=known(slot), dry_run=dry_run)
    return removed


def _drop_oldest(kept: dict[Slot, list[Record]], limit: int, known: Callable[[Slot], bool]) -> None:
    users: dict[tuple[Slot, str], int] = {}
    total = 0
    for slot, records in kept.items():
        for record in records:
            for file, size in record.files.items():
                total += 0 if (slot, file) in users else size
                users[slot, file] = users.get((slot, file), 0) + 1
    spare = [
        record for slot, records in kept.items() for record in records[1 if known(slot) else 0 :]
    ]
    for record in sorted(spare, key=lambda record: record.created):
        if total <= limit:
            return
        kept[record.slot].remove(record)
        for file, size in record.files.items():
            users[record.slot, file] -= 1
            total -= 0 if users[record.slot, file] else size


def _clean(
    store: Store, slot: Slot, records: Sequence[Record], *, known: bool, dry_run: bool
) -> list[tuple[str, int]]:
    current = store.current(slot) if known else None  # again: it may have changed meanwhile
    wanted = [*records, *([current] if current else [])]
    files = {file for record in wanted for file in record.files}
    files |= {CURRENT} if current else set()
    builds = {f"{record.build}.json" for record in wanted}
    folder = store.folder(slot)
    doomed = [path for path in store.files.children(folder) if path.name not in files]
    doomed += [path for path in store.files.children(folder / BUILDS) if path.name not in builds]
    pictures = store.files.children(folder / PICTURES)
    doomed += [path for path in pictures if f"{PICTURES}/{path.name}" not in files]
    doomed += [] if known else store.files.children(folder / CHECKS)
    # What names a file goes before the file, so that nothing kept ever names what is gone.
    doomed.sort(key=lambda path: (path.name != CURRENT, path.parent.name != BUILDS))
    removed = [(str(path), path.stat().st_size) for path in doomed]
    if not dry_run:
        for path in doomed:
            path.unlink(missing_ok=True)
    return removed
