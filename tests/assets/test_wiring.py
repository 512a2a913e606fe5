"""Outputs named in few words."""

from __future__ import annotations

import dagster as dg

from assets.wiring import outs


def test_outs_are_keyed_tagged_and_described() -> None:
    named = outs(
        "training", "toy", "cnn", network=("networks", "Trained."), history=("json", "By epoch.")
    )
    assert list(named) == ["network", "history"]
    assert named["history"].key == dg.AssetKey(["toy", "cnn", "history"])
    assert named["network"].io_manager_key == "networks"
    assert named["network"].description == "Trained."
    assert {out.tags["stage"] for out in named.values()} == {"training"}
