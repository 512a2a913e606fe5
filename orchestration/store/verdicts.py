"""What asset checks found, stored with the slot that they checked.

A slot's folder has one file per check, `_checks/<check>.json`, with its latest verdicts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from orchestration.store.records import Slot
from orchestration.store.storage import CHECKS, Store

KEPT = 8
"""Verdicts of a check that a slot keeps."""


@dataclass(frozen=True, order=True)
class CheckSlot:
    """A check of one slot."""

    slot: Slot
    name: str

    def __str__(self) -> str:
        return f"{self.slot}:{self.name}"

    @property
    def file(self) -> str:
        """Path of its verdict below the store's root."""
        return f"{self.slot.folder}/{CHECKS}/{quote(self.name, safe='')}.json"


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Parameters
    ----------
    version
        What the check was evaluated with: see `orchestration.stages.Version`, as plain data.
    inputs
        Data version of each asset it read, the checked one among them.
    passed, severity, blocking
        As Dagster has them; severity is "ERROR" or "WARN".
    run
        Dagster run that evaluated it.
    detail
        Its description or metadata, in words.
    """

    version: Mapping[str, Any]
    inputs: Mapping[str, str]
    passed: bool
    severity: str
    blocking: bool
    run: str
    detail: str = ""

    @property
    def failed(self) -> bool:
        """Whether the check failed with the severity of an error."""
        return not self.passed and self.severity == "ERROR"


def read_verdicts(store: Store, at: CheckSlot) -> list[Verdict]:
    """The verdicts of a check that are kept, newest first."""
    text = store.files.read_text(store.files.root / at.file)
    return (whole_verdicts(text) if text is not None else None) or []


def whole_verdicts(text: str | None) -> list[Verdict] | None:
    """Verdicts as they were stored; None if one of them is not whole."""
    try:
        verdicts = [Verdict(**verdict) for verdict in json.loads(text or "")]
    except (ValueError, TypeError):
        return None
    mappings = [part for verdict in verdicts for part in (verdict.inputs, verdict.version)]
    return verdicts if all(isinstance(part, dict) for part in mappings) else None


def write_verdict(store: Store, at: CheckSlot, verdict: Verdict) -> None:
    """Store the verdict of a check, in place of one on the same inputs and beside earlier ones.

    So that an earlier build that is restored has its verdict again.
    """
    with store.locks.changing(at.slot):
        others = [v for v in read_verdicts(store, at) if _basis(v) != _basis(verdict)]
        kept = [asdict(each) for each in (verdict, *others[: KEPT - 1])]
        text = json.dumps(kept, indent=1, sort_keys=True)
        store.files.write_text(store.files.root / at.file, text)


def _basis(verdict: Verdict) -> str:
    """What a verdict rests on, as text."""
    return json.dumps([verdict.version, verdict.inputs], sort_keys=True)
