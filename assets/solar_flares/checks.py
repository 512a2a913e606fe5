"""What must hold of the solar-flare assets."""

import numpy as np

from assets.checks import both_classes, check, disjoint, finite, leads, parameter_counts
from assets.solar_flares.inputs import ARCHITECTURES
from assets.wiring import BY_SPLIT
from models.arrays import Arrays
from models.sampling import SPLITS
from models.solar_flares.records import PARAMETERS, SAMPLES
from models.types import JsonDict


def well_formed(records: Arrays) -> JsonDict:
    """Records have 60 samples of 25 parameters, labels 0 or 1, and an id of their own in a fold."""
    problems: JsonDict = {}
    shape = (SAMPLES, len(PARAMETERS))
    if records["values"].shape[1:] != shape:
        problems["values"] = f"records of shape {records['values'].shape[1:]}, expected {shape}"
    labels = set(np.unique(np.asarray(records["label"])).tolist())
    if not labels <= {0, 1}:
        problems["label"] = f"holds {sorted(labels)}, expected 0 and 1"
    pairs = np.stack([np.asarray(records[name]).astype(str) for name in ("fold", "id")])
    if np.unique(pairs, axis=1).shape[1] != pairs.shape[1]:
        problems["id"] = "two records of a fold have the same id"
    return problems


def regions_apart(splits: Arrays) -> JsonDict:
    """No active region has records in two splits."""
    return disjoint(splits["region"][:], splits["split"][:])


def classes_present(splits: Arrays) -> JsonDict:
    """Every split has records with a flare and without."""
    return both_classes(splits["label"][:], splits["split"][:], SPLITS)


def few_broken(tally: JsonDict) -> JsonDict:
    """Broken lines are fewer than one in a hundred of those read."""
    return {
        fold: "; ".join(lines["bad_lines"])
        for fold, lines in tally.items()
        if lines["bad"] * 100 > lines["bad"] + lines["records"]
    }


def better_than_chance(evaluation: JsonDict) -> JsonDict:
    """The upgrade has skill on regions it has not seen: its TSS is above 0 with its interval."""
    tss = evaluation["metrics"]["tss"]
    if tss["low"] is None:
        return {"tss": tss.get("reason", "undefined")}
    return {} if tss["low"] > 0 else {"tss": f"{tss['value']:.3f}, from {tss['low']:.3f}"}


def upgrade_leads(comparison: JsonDict) -> JsonDict:
    """The upgrade's TSS is above that of each of the study's networks, at equal data."""
    return leads(comparison["tss"])


RECORDS = ("solar_flares", "records")

checks = [
    check("well_formed", RECORDS, well_formed),
    check("few_broken", ("solar_flares", "tally"), few_broken),
    check("regions_apart", ("solar_flares", "splits"), regions_apart),
    check("classes_present", ("solar_flares", "splits"), classes_present),
    check("finite", ("solar_flares", "sequences"), finite, partitions=BY_SPLIT),
    check("finite", ("solar_flares", "steps"), finite, partitions=BY_SPLIT),
    check(
        "parameter_counts",
        ("solar_flares", "architecture"),
        parameter_counts,
        partitions=ARCHITECTURES,
    ),
    check("better_than_chance", ("solar_flares", "upgrade_evaluation"), better_than_chance),
    check("upgrade_leads", ("solar_flares", "comparison"), upgrade_leads),
]
