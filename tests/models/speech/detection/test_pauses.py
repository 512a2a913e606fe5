"""Where a recording is cut: by hand, in noise, and whatever its length."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from models.speech.corpus import RATE
from models.speech.detection.pauses import HOP, Lengths, levels, segments

LENGTHS = Lengths(shortest=1.0, usual=4.0, longest=8.0)


def level(*parts: tuple[float, float]) -> np.ndarray:
    """Levels of stretches: seconds, and dB."""
    return np.concatenate([np.full(round(s * 100), db, np.float32) for s, db in parts])


def seconds(found: list[tuple[int, int]]) -> list[tuple[float, float]]:
    return [(start / 100, stop / 100) for start, stop in found]


def test_levels_are_root_mean_squares_below_full_scale() -> None:
    audio = np.zeros(3 * HOP + 17, np.int16)
    audio[:HOP:2], audio[1:HOP:2] = 16384, -16384  # half of full scale
    audio[HOP : 2 * HOP] = 328  # a hundredth
    assert levels(audio) == pytest.approx([-6.02, -40.0, -100.0], abs=0.02)
    assert len(levels(audio[:10])) == 0


def test_pauses_part_segments_that_keep_a_margin_of_quiet() -> None:
    found = segments(level((2, -60), (3, -20), (2, -60), (3, -25), (1, -60)), LENGTHS)
    # Speech from 2 to 5 and from 7 to 10 s, 0.02 s more as levels are averaged, 0.15 s of margin.
    assert seconds(found) == [(1.83, 5.17), (6.83, 10.17)]


def test_short_pauses_are_within_a_segment_as_far_as_it_is_as_long_as_usual() -> None:
    parts = [(1, -60), (1.5, -20), (0.5, -60), (1.5, -20), (0.5, -60), (1.5, -20), (1, -60)]
    assert seconds(segments(level(*parts), LENGTHS)) == [(0.83, 4.67), (4.83, 6.67)]
    longer = Lengths(1.0, 7.0, 8.0)
    assert seconds(segments(level(*parts), longer)) == [(0.83, 6.67)]


def test_a_word_alone_has_more_quiet_around_it_to_be_as_long_as_the_shortest() -> None:
    found = segments(level((5, -60), (0.3, -20), (5, -60), (3, -20), (1, -60)), LENGTHS)
    first, _ = seconds(found)
    assert first == (4.65, 5.65)


def test_a_word_next_to_others_is_joined_to_them() -> None:
    found = segments(level((1, -60), (3.9, -20), (0.8, -60), (0.3, -20), (3, -60)), LENGTHS)
    assert seconds(found) == [(0.83, 6.17)]


def test_speech_without_a_pause_is_cut_at_its_quietest_place() -> None:
    found = segments(
        level((1, -60), (6, -20), (0.1, -30), (6, -20), (0.1, -28), (4, -20), (1, -60)), LENGTHS
    )
    assert len(found) == 3
    assert found[0][1] == found[1][0] == pytest.approx(705, abs=6)
    assert found[1][1] == found[2][0] == pytest.approx(1315, abs=6)
    assert max(stop - start for start, stop in found) <= 800


def test_clicks_are_no_speech() -> None:
    found = segments(level((3, -60), (0.02, -15), (3, -60), (2, -20), (3, -60)), LENGTHS)
    assert seconds(found) == [(5.85, 8.19)]


def test_a_quiet_speaker_beside_a_loud_one_and_hours_of_noise() -> None:
    found = segments(
        level((300, -58), (4, -15), (120, -58), (4, -38), (300, -58)), Lengths(1.0, 5.0, 8.0)
    )
    assert seconds(found) == [(299.83, 304.17), (423.83, 428.17)]


def test_noise_alone_is_cut_into_long_parts_that_cover_it() -> None:
    noise = np.random.default_rng(0).normal(-30, 0.5, 3000).astype(np.float32)
    found = segments(noise, LENGTHS)
    assert found[0][0] == 0
    assert found[-1][1] == 3000
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert max(stop - start for start, stop in found) <= 830


@pytest.mark.parametrize("seed", range(20))
def test_segments_are_in_order_apart_within_the_recording_and_short_enough(seed: int) -> None:
    generator = np.random.default_rng(seed)
    parts = [
        (generator.uniform(0.01, 6) ** 2 / 4, generator.choice([-60, -50, -30, -20, -10]))
        for _ in range(60)
    ]
    noisy = level(*parts)
    noisy += generator.normal(0, 2, len(noisy)).astype(np.float32)
    found = segments(noisy, LENGTHS)
    edges = np.array(found).ravel()
    assert (np.diff(edges) >= 0).all()
    assert edges[0] >= 0
    assert edges[-1] <= len(noisy)
    lengths = np.diff(np.array(found), axis=1) * HOP / RATE
    assert lengths.max() <= LENGTHS.longest + 0.3
    assert lengths.min() > 0.1
