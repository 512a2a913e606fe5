"""The gravitational-wave splits, and the codes of the classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays, Block, Blocks, iter_blocks
from models.gravitational_waves.images import BLOCK_ROWS
from models.sampling import SPLITS, TEST, TRAIN, VALIDATION, Split, rows_of, split
from models.types import JsonDict

TASKS = ("chirp", "classes")
"""Decide whether an image is of the positive class, or which class it is of."""

INJECTED = "Chirp"
"""The class of injected images."""

READ = ("label", "id", "group", "snr", "duration")
"""What is known of an image."""

KNOWN = (*READ, "class", "target")
"""What is known of an example: it stays with its features."""


def classes_of(labels: NDArray[Any], positive: str, task: str) -> JsonDict:
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
    present = {str(name) for name in np.unique(labels)}
    if task not in TASKS:
        raise ValueError(f"there is no task {task!r}; there are {', '.join(TASKS)}")
    if positive not in present or len(present) == 1:
        raise ValueError(
            f"images of class {positive!r} and of others are needed; there are "
            f"{', '.join(sorted(present))}: set `positive` in faint.toml, section "
            '["gravitational_waves/classes"]'
        )
    names = sorted(present | {INJECTED})
    return {"names": names, "positive": [names.index(positive)], "task": task}


def class_codes(labels: NDArray[Any], classes: JsonDict) -> NDArray[np.int16]:
    """Return the code of each label, shape (n,)."""
    place = {name: code for code, name in enumerate(classes["names"])}
    return np.array([place[str(label)] for label in labels], dtype=np.int16)


def is_positive(codes: NDArray[Any], classes: JsonDict) -> NDArray[np.int8]:
    """Return 1 for images of the positive class and 0 for others, shape (n,)."""
    return np.isin(codes, classes["positive"]).astype(np.int8)


def split_images(
    images: Arrays, classes: JsonDict, validation: float, test: float, seed: int
) -> Split:
    """Split the images.

    Where all images have their part and no part is empty, the parts are the splits, as published.
    Otherwise the images are split by group, each whole.

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
    Split
        With the columns ``class``, int16, shape (n,), the code of each image's class, and
        ``group``.

    Raises
    ------
    ValueError
        If a split would have no image of the positive class, or no other; see
        `models.sampling.split`.
    """
    part, group = np.asarray(images["part"]), np.asarray(images["group"])
    codes = class_codes(np.asarray(images["label"]), classes)
    positive, columns = is_positive(codes, classes), {"class": codes, "group": group}
    if np.unique(part).tolist() == [TRAIN, VALIDATION, TEST]:
        _require_positives(positive, part)
        return Split(part.astype(np.int8), "as published", columns)
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    result = np.empty(len(part), np.int8)
    groups = None if np.unique(group).size == group.size else group
    for name, rows in split(positive, groups, shares, seed).items():
        result[rows] = SPLITS.index(name)
    return Split(result, "by group: there is no official split of all images", columns)


def _require_positives(positive: NDArray[Any], splits: NDArray[Any]) -> None:
    for code in np.unique(splits):
        positives = int(positive[splits == code].sum())
        if not 0 < positives < np.count_nonzero(splits == code):
            raise ValueError(
                f"the official split {SPLITS[code]!r} has {positives} images of the positive class "
                f"among {np.count_nonzero(splits == code)}: both kinds are needed in each"
            )


def images_of(images: Arrays, splits: Arrays, name: str) -> Blocks:
    """Read the images of one split, with what is known of each (`READ`)."""
    only = rows_of(splits, SPLITS.index(name))
    return Blocks(iter_blocks(images, rows=BLOCK_ROWS, names=("image", *READ), only=only))


def examples_of(images: Iterable[Block], classes: JsonDict) -> Blocks:
    """Give images what models are to learn of them.

    Parameters
    ----------
    images
        Blocks with ``image`` and the columns of `READ`.
    classes
        From `classes_of`.

    Returns
    -------
    Blocks
        With ``image`` and the columns of `KNOWN`: ``class``, int16, the code of the class;
        ``target``, int16, that code where every class is predicted, else 1 for the class looked
        for and 0 for others.
    """

    def example(block: Block) -> Block:
        codes = class_codes(block["label"], classes)
        target = codes if classes["task"] == "classes" else is_positive(codes, classes)
        read = {name: block[name] for name in ("image", *READ)}
        return {**read, "class": codes, "target": target.astype(np.int16)}

    return Blocks(example(block) for block in images)
