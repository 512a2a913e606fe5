"""Slots that a selection and partition keys name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import dagster as dg

from orchestration.errors import UsageError
from orchestration.rebuild.planning import some
from orchestration.stages import Stages
from orchestration.store import Slot


def select(
    stages: Stages,
    defs: dg.Definitions,
    selection: str | None = None,
    partitions: str | Sequence[str] | None = None,
) -> list[Slot]:
    """Slots that a Dagster selection and partition keys name, upstream ones first.

    Raises
    ------
    UsageError
        If the selection doesn't parse or names nothing, or a partition doesn't exist.
    """
    keys = _selected(stages, defs, selection)
    slots = [slot for key in stages.order() if key in keys for slot in stages.slots(key)]
    if partitions is None or partitions == "all":
        return slots
    wanted = [partitions] if isinstance(partitions, str) else list(partitions)
    known = {slot.partition for slot in slots if slot.partition is not None}
    if missing := [name for name in wanted if name not in known]:
        raise UsageError(
            f"no partition {', '.join(map(repr, missing))} in what is selected; there are "
            f"{some(sorted(known)) if known else 'none'}"
        )
    return [slot for slot in slots if slot.partition in wanted]


def _selected(stages: Stages, defs: dg.Definitions, selection: str | None) -> set[str]:
    everything = set(stages.by_key)
    if selection is None:
        return everything
    if selection in everything:  # a key as it is printed needs no quotes
        return {selection}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster's own, of its own parser
            chosen = dg.AssetSelection.from_string(selection).resolve(defs.resolve_asset_graph())
    except Exception as error:  # Dagster raises many kinds for a selection that is wrong
        first = str(error).strip().splitlines()[0]
        raise UsageError(
            f"the selection {selection!r} isn't understood: {first}{_meant(stages, selection)}"
        ) from error
    keys = {"/".join(key.path) for key in chosen} & everything
    if not keys:
        raise UsageError(f"the selection {selection!r} names no asset{_meant(stages, selection)}")
    return keys


def _meant(stages: Stages, selection: str) -> str:
    """Suggest what someone may have meant."""
    import difflib

    words = selection.replace('"', " ").replace(":", " ").split() or [selection]
    groups = sorted({key.split("/")[0] for key in stages.by_key})
    near = difflib.get_close_matches(words[-1], [*stages.by_key, *groups], n=3)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; there are {some(sorted(stages.by_key))}"
