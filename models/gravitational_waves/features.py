"""Features of spectrograms: standardised, pooled columns and pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays, Block, Blocks, iter_blocks, map_blocks
from models.gravitational_waves.networks import BANDS, HEIGHT, STEPS, WIDTH
from models.sampling import TRAIN
from models.scaling import Scaling, fit_scaling

BLOCK = 256
"""Images read at once: 24 MB."""

PIXELS = (28, 34)
"""Inputs of the linear SVC: means of 5 x 5 pixels."""


def scaling_of(images: Arrays, splits: Arrays) -> Scaling:
    """Compute mean and std of each of the 140 frequency rows over the training images."""
    code = np.asarray(splits["split"])

    def training() -> Iterator[NDArray[Any]]:
        start = 0
        for block in iter_blocks(images, rows=BLOCK, names=["image"]):
            stop = start + len(block["image"])
            image = block["image"][code[start:stop] == TRAIN]
            yield image.transpose(0, 2, 1).reshape(-1, HEIGHT)
            start = stop

    return fit_scaling(training())


def _pooled(block: Block, scaling: Scaling, shape: tuple[int, int]) -> NDArray[Any]:
    """Standardise images by frequency row, and average equal rectangles: (n, *shape)."""
    mean, std = (np.asarray(values, np.float32)[:, None] for values in (scaling.mean, scaling.std))
    rows, columns = shape
    parts = ((block["image"] - mean) / std).reshape(
        len(block["image"]), rows, HEIGHT // rows, columns, WIDTH // columns
    )
    return np.asarray(parts.mean(axis=(2, 4), dtype=np.float32))


def columns_of(images: Arrays, scaling: Scaling) -> Blocks:
    """Standardise images, pool 2 x 2 and put time first: ``values``, float32, (n, 85, 70).

    Full columns take a recurrent network four times as long and rank no better.
    """
    return map_blocks(
        images,
        lambda b: {"values": _pooled(b, scaling, (BANDS, STEPS)).transpose(0, 2, 1)},
        rows=BLOCK,
        names=["image"],
    )


def pixels_of(images: Arrays, scaling: Scaling) -> Blocks:
    """Standardise images and pool 5 x 5: ``values``, float32, (n, 952)."""
    return map_blocks(
        images,
        lambda b: {"values": _pooled(b, scaling, PIXELS).reshape(len(b["image"]), -1)},
        rows=BLOCK,
        names=["image"],
    )
