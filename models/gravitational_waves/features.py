"""Features of spectrograms: standardised, pooled columns and pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import Arrays, Blocks, iter_blocks, map_blocks
from models.gravitational_waves.networks import BANDS, HEIGHT, STEPS, WIDTH
from models.gravitational_waves.splits import KNOWN
from models.scaling import Scaling, fit_scaling

BLOCK = 256
"""Images read at once: 24 MB."""

PIXELS = (28, 34)
"""Inputs of the linear SVC: means of 5 x 5 pixels."""


def scaling_of(training: Arrays) -> Scaling:
    """Compute mean and std of each of the 140 frequency rows over the training images."""
    return fit_scaling(
        block["image"].transpose(0, 2, 1).reshape(-1, HEIGHT)
        for block in iter_blocks(training, rows=BLOCK, names=["image"])
    )


def features_of(
    examples: Arrays,
    scaling: Scaling,
    pool: Callable[[NDArray[Any], Scaling], NDArray[np.float32]],
) -> Blocks:
    """Compute features, ``values``, with what is known of each example.

    Parameters
    ----------
    examples
        ``image``, shape (n, 140, 170), and the columns of `splits.KNOWN`.
    scaling
        Of the training images.
    pool
        `columns_of` or `pixels_of`.
    """
    return map_blocks(
        examples,
        lambda b: {"values": pool(b["image"], scaling), **{name: b[name] for name in KNOWN}},
        rows=BLOCK,
        names=("image", *KNOWN),
    )


def _pooled(image: NDArray[Any], scaling: Scaling, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Standardise images by frequency row, and average equal rectangles: (n, *shape)."""
    mean, std = (np.asarray(values, np.float32)[:, None] for values in (scaling.mean, scaling.std))
    rows, columns = shape
    parts = ((image - mean) / std).reshape(
        len(image), rows, HEIGHT // rows, columns, WIDTH // columns
    )
    return np.asarray(parts.mean(axis=(2, 4), dtype=np.float32))


def columns_of(image: NDArray[Any], scaling: Scaling) -> NDArray[np.float32]:
    """Standardise images, pool 2 x 2 and put time first: (n, 85, 70).

    Full columns take a recurrent network four times as long and rank no better.
    """
    return _pooled(image, scaling, (BANDS, STEPS)).transpose(0, 2, 1)


def pixels_of(image: NDArray[Any], scaling: Scaling) -> NDArray[np.float32]:
    """Standardise images and pool 5 x 5: (n, 952)."""
    return _pooled(image, scaling, PIXELS).reshape(len(image), -1)
