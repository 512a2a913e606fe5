"""The layout of a spectrogram row: the published grey, columns and blocks."""

from __future__ import annotations

import numpy as np
import pytest

from models.gravitational_waves.images import (
    BLOCK_ROWS,
    CLASSES,
    LOUDEST,
    SHAPE,
    blocks_of,
    columns,
    energies,
    pixels,
)


def test_pixels_are_the_published_grey_and_go_back_to_energies():
    # Viridis runs from (68, 1, 84) to (253, 231, 36).
    low, high = pixels(np.array([0.0, 1e9]))
    assert low == pytest.approx((0.2125 * 68 + 0.7154 * 1 + 0.0721 * 84) / 255, abs=2e-3)
    assert high == pytest.approx((0.2125 * 253 + 0.7154 * 231 + 0.0721 * 36) / 255, abs=2e-3)
    some = np.linspace(0, LOUDEST, 300)
    assert np.abs(energies(pixels(some)) - some).max() <= 0.051  # half a colour
    assert (np.diff(pixels(some)) >= 0).all()


def test_energies_outside_the_scale_saturate():
    assert pixels(np.array([-5.0])) == pixels(np.array([0.0]))
    assert pixels(np.array([LOUDEST])) == pixels(np.array([100.0]))
    assert energies(np.array([0.0, 1.0])) == pytest.approx([LOUDEST / 512, LOUDEST - LOUDEST / 512])


def test_a_block_has_a_row_an_image_whatever_is_known_of_it():
    image = np.zeros((2, *SHAPE), np.float32)
    block = columns(image, ["Chirp", "Blip"], ["a", "b"], [0, -1], ["g", "g"], [9.5, np.nan], 0.5)
    assert block["label"].tolist() == ["Chirp", "Blip"]
    assert block["part"].tolist() == [0, -1]
    assert block["duration"].tolist() == [0.5, 0.5]
    assert {name: values.dtype.kind for name, values in block.items()} == {
        "image": "f",
        "label": "U",
        "id": "U",
        "part": "i",
        "group": "U",
        "snr": "f",
        "duration": "f",
    }
    assert max(map(len, CLASSES)) <= block["label"].dtype.itemsize // 4  # none is cut off


@pytest.mark.parametrize("count", [0, 1, BLOCK_ROWS, BLOCK_ROWS + 1, 3 * BLOCK_ROWS])
def test_blocks_cover_all_rows_in_order_and_none_is_too_long(count):
    ranges = list(blocks_of(count))
    assert [row for rows in ranges for row in rows] == list(range(count))
    assert max(map(len, ranges)) <= BLOCK_ROWS
    assert len(ranges) == max(1, -(-count // BLOCK_ROWS))
