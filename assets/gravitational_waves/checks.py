"""What must hold of the gravitational-wave assets."""

import numpy as np

from assets.checks import both_classes, check, disjoint, finite, metric_floor, parameter_counts
from assets.gravitational_waves.inputs import EXAMPLES, NETWORKS
from models.arrays import Arrays
from models.gravitational_waves.images import SHAPE
from models.gravitational_waves.splits import is_positive
from models.sampling import SPLITS
from models.types import JsonDict


def well_formed(images: Arrays) -> JsonDict:
    """Images have 140 x 170 pixels, a known part, a class, and an id of their own."""
    problems: JsonDict = {}
    if images["image"].shape[1:] != SHAPE:
        problems["image"] = f"images of shape {images['image'].shape[1:]}, expected {SHAPE}"
    parts = set(np.unique(np.asarray(images["part"])).tolist())
    if not parts <= {-1, 0, 1, 2}:
        problems["part"] = f"holds {sorted(parts)}, expected 0, 1, 2 or -1"
    names, counts = np.unique(np.asarray(images["id"]), return_counts=True)
    if (counts > 1).any():
        problems["id"] = f"{names[counts > 1][0]} is there twice"
    if (np.asarray(images["label"]) == "").any():
        problems["label"] = "an image has no class"
    return problems


def known_pixels(images: Arrays) -> JsonDict:
    """No pixel is NaN or infinite."""
    return finite({"image": images["image"]})


def groups_apart(splits: Arrays) -> JsonDict:
    """No group (a second of one night, whatever the detector) has images in two splits."""
    return disjoint(splits["group"][:], splits["split"][:])


def classes_present(splits: Arrays, classes: JsonDict) -> JsonDict:
    """Every split has images of the class looked for and of others."""
    return both_classes(is_positive(splits["class"][:], classes), splits["split"][:], SPLITS)


def finite_features(features: Arrays) -> JsonDict:
    """No feature is NaN or infinite."""
    return finite({"values": features["values"]})


def better_than_chance(evaluation: JsonDict) -> JsonDict:
    """The upgrade ranks chirps far above chance."""
    return metric_floor(evaluation, "roc_auc", 0.8)


SPLIT = ("gravitational_waves", "splits")
IMAGES = ("gravitational_waves", "images")

checks = [
    check("well_formed", IMAGES, well_formed),
    check("known_pixels", IMAGES, known_pixels),
    check("groups_apart", SPLIT, groups_apart),
    check("classes_present", SPLIT, classes_present, ("gravitational_waves", "classes")),
    check("finite", ("gravitational_waves", "columns"), finite_features, partitions=EXAMPLES),
    check("finite", ("gravitational_waves", "pixels"), finite_features, partitions=EXAMPLES),
    *(
        check(
            "parameter_counts", ("gravitational_waves", f"{model}_architecture"), parameter_counts
        )
        for model in NETWORKS
    ),
    check("better_than_chance", ("gravitational_waves", "upgrade_evaluation"), better_than_chance),
]
