"""What asset checks found, stored with the slot that they checked.

A slot's folder has one file per check, `_checks/<check>.json`, with the latest verdict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from orchestration.store.records import Slot
from orchestration.store.storage import CHECKS, Store


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


def read_verdict(store: Store, at: CheckSlot) -> Verdict | None:
    """The latest verdict of a check; None if there is none that is whole."""
    try:
        verdict = Verdict(**json.loads(store.files.read_text(store.files.root / at.file) or "null"))
        return verdict if isinstance(verdict.inputs, dict) else None
    except (ValueError, TypeError):
        return None


def write_verdict(store: Store, at: CheckSlot, verdict: Verdict) -> None:
    """Store the verdict of a check in place of the one before."""
    with store.locks.changing(at.slot):
        text = json.dumps(asdict(verdict), indent=1, sort_keys=True)
        store.files.write_text(store.files.root / at.file, text)
