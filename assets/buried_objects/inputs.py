"""The system's models and what each reads: the graph's edges, said once."""

import dagster as dg

from assets.settings import SettingsError, StageConfig, by_profile
from models.buried_objects.networks import DESIGNS


def asset_in(*path: str) -> dg.AssetIn:
    """Name an asset of this system."""
    return dg.AssetIn(["buried_objects", *path])


CHOSEN: list[str] = by_profile(quick=["rnn1", "rnn5", "convrnn1"], published=list(DESIGNS))


class Networks(StageConfig, section="buried_objects/architecture"):
    """Which of the study's networks there are: each is a partition."""

    networks: list[str] = CHOSEN


def chosen() -> list[str]:
    """Names of the chosen networks, in the study's order."""
    asked = Networks().networks
    if not asked or not set(asked) <= set(DESIGNS):
        raise SettingsError(
            f'["buried_objects/architecture"]: networks = {asked}; expected one or more of '
            f"{', '.join(DESIGNS)}"
        )
    return [name for name in DESIGNS if name in asked]


MODELS = dg.StaticPartitionsDefinition(chosen())
"""The study's networks; in the quick profile three of the 16, unless faint.toml names more."""

KNOWN = {name: asset_in(name) for name in ("labels", "splits", "windows")}

SCANS = {"scans": asset_in("scans"), **KNOWN}
"""What the study's networks read."""

PROJECTED = {"projected": asset_in("projected"), **KNOWN}
"""What the upgrade reads."""
