"""What the UI says of every asset beside its description: its stage, kinds and owners.

Code references, column schemas and row counts are added by `orchestration`, for any project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import dagster as dg
from pydantic import Field, field_validator

from assets.settings import GraphConfig, SettingsError, settings_file

KINDS: dict[str, set[str]] = {
    "arrays": {"numpy", "hdf5"},
    "tables": {"pandas", "parquet"},
    "json": {"json"},
    "networks": {"keras", "tensorflow"},
    "estimators": {"scikitlearn"},
    "folders": {"file"},
}
"""Kinds by format; Dagster has icons for most of them."""

NAMED: dict[str, set[str]] = {
    "architecture": {"keras", "json"},
    "report": {"report", "matplotlib"},
    "sheet": {"report", "matplotlib"},
}
"""Kinds by the last word of a key, where it tells more than the format."""

OWNER = re.compile(r"team:[\w-]+|[^@\s]+@[^@\s]+\.[^@\s]+")


class Owners(GraphConfig, section="owners"):
    """Who answers for the assets."""

    everything: list[str] = Field(
        [], description="owners of all assets: `team:NAME` or an e-mail address"
    )
    systems: dict[str, list[str]] = Field(
        {}, description='owners of a system\'s assets besides, as {exoplanets = ["team:kepler"]}'
    )

    @field_validator("everything")
    @classmethod
    def named(cls, names: list[str]) -> list[str]:
        """Refuse what is no owner."""
        for name in names:
            if not OWNER.fullmatch(name):
                raise ValueError(f"{name!r} is neither team:NAME nor an e-mail address")
        return names

    @field_validator("systems")
    @classmethod
    def named_by_system(cls, owners: dict[str, list[str]]) -> dict[str, list[str]]:
        """Refuse what is no owner."""
        return {system: cls.named(names) for system, names in owners.items()}

    def by_system(self, systems: Iterable[str]) -> dict[str, list[str]]:
        """Return the owners of each system's assets.

        Raises
        ------
        SettingsError
            The settings name a system that isn't there.
        """
        names = list(systems)
        if unknown := sorted(set(self.systems) - set(names)):
            raise SettingsError(
                f'{settings_file()}: ["owners"] has no system {", ".join(map(repr, unknown))}; '
                f"there are {', '.join(names)}"
            )
        owners = {name: [*self.everything, *self.systems.get(name, ())] for name in names}
        return {name: list(dict.fromkeys(listed)) for name, listed in owners.items()}


def described(
    definition: dg.AssetsDefinition, stage: str, owners: Sequence[str]
) -> dg.AssetsDefinition:
    """Give assets the tag of their stage, unless they have one, their kinds and their owners."""

    def more(spec: dg.AssetSpec) -> dg.AssetSpec:
        format_name = definition.get_io_manager_key_for_asset_key(spec.key)
        return spec.merge_attributes(
            tags={} if "stage" in spec.tags else {"stage": stage},
            kinds=NAMED.get(spec.key.path[-1].rpartition("_")[2]) or KINDS[format_name],
            owners=owners,
        )

    return definition.map_asset_specs(more)
