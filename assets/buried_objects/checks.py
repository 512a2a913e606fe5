"""What must hold of the buried-object assets."""

from typing import Any

import numpy as np

from assets.buried_objects.inputs import ARCHITECTURES
from assets.checks import (
    both_classes,
    check,
    disjoint,
    finite,
    leads,
    metric_floor,
    parameter_counts,
)
from assets.wiring import BY_SPLIT
from models.arrays import Arrays
from models.sampling import SPLITS
from models.types import JsonDict

SKIPPED = 0.02
"""Largest share of the scans that may be missing."""

FLOOR = 0.3
"""Least F1 of the upgrade; to flag every trace gives about 0.16."""


def few_skipped(scene: Any) -> JsonDict:
    """Scans that could not be read are no more than one in fifty."""
    missing = scene[scene["status"] != "read"]
    if len(missing) <= SKIPPED * len(scene):
        return {}
    named = "; ".join(
        f"{one.name}: {one.status}" for one in missing.head(5).itertuples(index=False)
    )
    return {"skipped": f"{len(missing)} of {len(scene)}: {named}"}


def rows_agree(labels: Arrays, scans: Arrays) -> JsonDict:
    """Every stored trace has a label, and labels are 0 or 1."""
    problems: JsonDict = {}
    if len(labels["label"]) != len(scans["ez"]):
        problems["rows"] = f"{len(labels['label'])} labels of {len(scans['ez'])} traces"
    values = set(np.unique(np.asarray(labels["label"])).tolist())
    if not values <= {0, 1}:
        problems["label"] = f"holds {sorted(values)}, expected 0 and 1"
    return problems


def scans_apart(splits: Arrays) -> JsonDict:
    """No scan has traces in two splits."""
    return disjoint(splits["scan"][:], splits["split"][:])


def classes_present(splits: Arrays) -> JsonDict:
    """Every split has traces over an object and beside it."""
    return both_classes(splits["label"][:], splits["split"][:], SPLITS)


def good_enough(evaluation: JsonDict) -> JsonDict:
    """The upgrade's F1 is far above that of flagging every trace."""
    return metric_floor(evaluation, "f1", FLOOR)


def upgrade_leads(comparison: JsonDict) -> JsonDict:
    """The upgrade's F1 is above that of each of the study's networks."""
    return leads(comparison["f1"])


checks = [
    check("few_skipped", ("buried_objects", "scene"), few_skipped),
    check("finite", ("buried_objects", "scans"), finite),
    check("rows_agree", ("buried_objects", "labels"), rows_agree, ("buried_objects", "scans")),
    check("scans_apart", ("buried_objects", "splits"), scans_apart),
    check("classes_present", ("buried_objects", "splits"), classes_present),
    check("finite", ("buried_objects", "projected"), finite, partitions=BY_SPLIT),
    check(
        "parameter_counts",
        ("buried_objects", "architecture"),
        parameter_counts,
        partitions=ARCHITECTURES,
    ),
    check("good_enough", ("buried_objects", "upgrade_evaluation"), good_enough),
    check("upgrade_leads", ("buried_objects", "comparison"), upgrade_leads),
]
