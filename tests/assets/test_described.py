"""Owners are a setting; kinds come from the format, unless the name tells more."""

from __future__ import annotations

import dagster as dg
import pytest

from assets.described import Owners, described
from assets.settings import SettingsError


def owners(**given: object) -> dict[str, list[str]]:
    return Owners.model_validate(given).by_system(["exoplanets", "speech"])


def test_nobody_owns_an_asset_unless_the_settings_say_so() -> None:
    assert owners() == {"exoplanets": [], "speech": []}


def test_a_systems_owners_come_after_those_of_everything_each_once() -> None:
    assert owners(
        everything=["team:signals"], systems={"speech": ["ada@example.org", "team:signals"]}
    ) == {"exoplanets": ["team:signals"], "speech": ["team:signals", "ada@example.org"]}


@pytest.mark.parametrize("name", ["signals", "team:", "ada@", "ada@example", "a b@example.org", ""])
def test_what_is_no_owner_is_refused(name: str) -> None:
    for given in ({"everything": [name]}, {"systems": {"speech": [name]}}):
        with pytest.raises(ValueError, match="neither team:NAME nor an e-mail address"):
            owners(**given)


def test_owners_of_an_unknown_system_are_refused() -> None:
    with pytest.raises(SettingsError, match="has no system 'speach'; there are exoplanets, speech"):
        owners(systems={"speach": ["team:signals"]})


def test_an_asset_gets_kinds_owners_and_the_tag_of_its_stage_unless_it_has_one() -> None:
    @dg.multi_asset(
        outs={
            "network": dg.AssetOut(key=["s", "network"], io_manager_key="networks"),
            "architecture": dg.AssetOut(
                key=["s", "cnn_architecture"], io_manager_key="json", tags={"stage": "own"}
            ),
        }
    )
    def both():  # type: ignore[no-untyped-def]
        return None, None

    network, architecture = sorted(
        described(both, "training", ["team:signals"]).specs, key=lambda spec: spec.key, reverse=True
    )
    assert network.kinds == {"keras", "tensorflow"}
    assert network.tags["stage"] == "training"
    assert network.owners == architecture.owners == ["team:signals"]
    assert architecture.kinds == {"keras", "json"}
    assert architecture.tags["stage"] == "own"
