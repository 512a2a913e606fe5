"""What a rebuild did. Imports nothing heavy: `faint rebuild` with nothing to do ends here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Outcome:
    """What a rebuild did: slots and checks by what became of them, and the errors."""

    materialized: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As `faint rebuild --json` prints it."""
        return asdict(self) | {"seconds": round(self.seconds, 3)}
