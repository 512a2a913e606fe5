"""The gravitational-wave splits, and the classes by number.

Here belongs which spectrograms are learnt from, tuned on and judged by, and what is asked of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays
from models.sampling import SPLITS, TEST, TRAIN, VALIDATION, split

TASKS = ("chirp", "classes")
"""What is asked: whether an image is of the positive class, or of which class it is."""

INJECTED = "Chirp"
"""The class that injections add images of, whether there are others of it or not."""


def classes_of(labels: NDArray[Any], positive: str, task: str) -> dict[str, Any]:
    """Number the classes in alphabetical order.

    Parameters
    ----------
    labels
        Class name of each image, shape (n,).
    positive
        The class that is looked for.
    task
        One of `TASKS`.

    Returns
    -------
    dict
        ``names``, class by code; ``positive``, the codes looked for; ``task``.

    Raises
    ------
    ValueError
        If no image is of the positive class, or all are.
    """
    held = {str(name) for name in np.unique(labels)}
    if task not in TASKS:
        raise ValueError(f"there is no task {task!r}; there are {', '.join(TASKS)}")
    if positive not in held or len(held) == 1:
        raise ValueError(
            f"images of class {positive!r} and of others are needed; there are "
            f"{', '.join(sorted(held))}: set `positive` in faint.toml, section "
            '["gravitational_waves/classes"]'
        )
    names = sorted(held | {INJECTED})
    return {"names": names, "positive": [names.index(positive)], "task": task}


def class_codes(labels: NDArray[Any], classes: Mapping[str, Any]) -> NDArray[np.int16]:
    """Give the code of each label, shape (n,)."""
    place = {name: code for code, name in enumerate(classes["names"])}
    return np.array([place[str(label)] for label in labels], dtype=np.int16)


def is_positive(codes: NDArray[Any], classes: Mapping[str, Any]) -> NDArray[np.int8]:
    """Give 1 for images of the class looked for and 0 for others, shape (n,)."""
    return np.isin(codes, classes["positive"]).astype(np.int8)


def split_images(
    images: Arrays, classes: Mapping[str, Any], validation: float, test: float, seed: int
) -> tuple[dict[str, NDArray[Any]], str]:
    """Give each image its split and the code of its class.

    Parameters
    ----------
    images
        ``label``, ``group`` and ``part`` (0 train, 1 validation, 2 test, -1 none), shape (n,).
    classes
        From `classes_of`.
    validation, test
        Shares of the images, used where they have no official split.
    seed
        Seed of the random choices.

    Returns
    -------
    arrays, how
        ``split``, int8, 0 train, 1 validation, 2 test, and ``class``, int16, both shape (n,); and
        in words how the split was made. Where all images have their part and no part is empty,
        the parts are the splits, as published. Otherwise whole groups are shared out.

    Raises
    ------
    ValueError
        If a split would have no image of the positive class, or no other; see
        `models.sampling.split`.
    """
    part, group = np.asarray(images["part"]), np.asarray(images["group"])
    codes = class_codes(np.asarray(images["label"]), classes)
    positive = is_positive(codes, classes)
    if np.unique(part).tolist() == [TRAIN, VALIDATION, TEST]:
        _require_positives(positive, part)
        return {"split": part.astype(np.int8), "class": codes}, "as published"
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    result = np.empty(len(part), np.int8)
    groups = None if np.unique(group).size == group.size else group
    for name, rows in split(positive, groups, shares, seed).items():
        result[rows] = SPLITS.index(name)
    how = "by group: there is no official split of all images"
    return {"split": result, "class": codes}, how


def _require_positives(positive: NDArray[Any], splits: NDArray[Any]) -> None:
    for code in np.unique(splits):
        found = int(positive[splits == code].sum())
        if not 0 < found < np.count_nonzero(splits == code):
            raise ValueError(
                f"the official split {SPLITS[code]!r} has {found} images of the positive class "
                f"among {np.count_nonzero(splits == code)}: both kinds are needed in each"
            )
