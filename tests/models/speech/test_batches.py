from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.errors import BadInput
from models.speech import batches
from models.speech.batches import (
    PADDING,
    Augmentation,
    RaggedBatches,
    Utterances,
    augmented,
    played,
    targets,
)

STRIDED = [{"kernel": 3, "stride": 2, "padding": "valid", "dilation": 1}]


def made(lengths: list[int], texts: list[str] | None = None, bins: int = 2) -> Utterances:
    """Utterance k holds the value k + 1 throughout."""
    starts = np.cumsum([0, *lengths[:-1]])
    table = pd.DataFrame(
        {
            "key": [f"u{k}" for k in range(len(lengths))],
            "speaker": "s",
            "text": texts or ["a"] * len(lengths),
            "start": starts,
            "frames": lengths,
        }
    )
    values = np.repeat(np.arange(1.0, len(lengths) + 1), lengths)[:, None].repeat(bins, axis=1)
    return Utterances(table, values.astype(np.float32))


def test_a_centred_utterance_keeps_the_std_alone_of_the_scaling() -> None:
    utterances = made([2, 2])
    utterances.values[:2, 0] = [1, 3]  # type: ignore[index]  # 5 and 9, scaled by mean 3, std 2
    assert replace(utterances, centred=True).read(0)[:, 0].tolist() == [-1, 1]
    assert utterances.read(0)[:, 0].tolist() == [1, 3]


def test_a_transcript_that_just_fits_is_taken_and_one_symbol_more_names_the_utterance() -> None:
    # 7 frames give (7 - 3) // 2 + 1 = 3 outputs.
    codes, outputs = targets(made([7], ["abc"]), STRIDED)
    assert outputs.tolist() == [3]
    assert codes[0].tolist() == [0, 1, 2]
    with pytest.raises(BadInput, match=r"u1, .*4 symbols needs 4 outputs.* gives 3 .*7 frames"):
        targets(made([9, 7], ["abc", "abca"]), STRIDED)
    with pytest.raises(BadInput, match=r"u0, .*3 symbols needs 4 outputs"):
        targets(made([7], ["aab"]), STRIDED)


def test_an_utterance_too_short_for_any_output_is_refused() -> None:
    with pytest.raises(BadInput, match=r"gives 0 for its 1 frames"):
        targets(made([1]), STRIDED)


def test_a_batch_is_padded_with_zeros_to_its_longest_and_says_how_long_each_is() -> None:
    utterances = made([5, 9, 7, 20], ["ab", "a", "abc", "a"])
    ragged = RaggedBatches(utterances, STRIDED, batch=3, shuffle=False)
    assert (ragged.steps, ragged.samples) == (2, 4)
    (x, y), (last, _) = ragged.epoch(0)
    assert isinstance(x, np.ndarray)
    assert x.shape == (3, 9, 2)
    # In ascending order of length: u0 (5), u2 (7), u1 (9).
    np.testing.assert_array_equal(x[0, :, 0], [1] * 5 + [0] * 4)
    np.testing.assert_array_equal(x[2, :, 0], [2] * 9)
    np.testing.assert_array_equal(y, [[2, 0, 1, PADDING], [3, 0, 1, 2], [4, 0, PADDING, PADDING]])
    assert np.shape(last) == (1, 20, 2)


def test_every_utterance_comes_once_an_epoch_in_another_order_the_same_for_a_seed() -> None:
    lengths = np.random.default_rng(1).integers(50, 500, 37).tolist()
    ragged = RaggedBatches(made(lengths), [], batch=4, seed=5)
    first, second = ragged.order(0), ragged.order(1)
    assert sorted(first) == sorted(second) == list(range(37))
    assert first.tolist() != second.tolist()
    again = RaggedBatches(made(lengths), [], batch=4, seed=5)
    np.testing.assert_array_equal(again.order(1), second)
    assert RaggedBatches(made(lengths), [], batch=4, seed=6).order(1).tolist() != second.tolist()


def test_the_first_epoch_may_go_from_short_to_long() -> None:
    lengths = [50, 20, 40, 10, 30]
    ragged = RaggedBatches(made(lengths), [], batch=2, sorted_first=True)
    assert ragged.order(0).tolist() == [3, 1, 4, 2, 0]
    assert any(ragged.order(number).tolist() != [3, 1, 4, 2, 0] for number in (1, 2, 3))


def test_like_lengths_go_together_so_that_little_is_padded() -> None:
    lengths = np.random.default_rng(2).integers(100, 1000, 200).tolist()

    def padded(ragged: RaggedBatches) -> float:
        frames = np.array(lengths)
        return sum(len(rows) * int(frames[rows].max()) for rows in ragged.rows(1)) / frames.sum()

    assert padded(RaggedBatches(made(lengths), [], batch=20)) < 1.12
    assert padded(RaggedBatches(made(lengths), [], batch=20, bucketed=False)) > 1.5


def test_masks_hide_bins_and_frames_anew_in_each_epoch_and_the_same_for_a_seed() -> None:
    utterances = made([100, 100, 100], bins=20)
    ragged = RaggedBatches(utterances, [], batch=3, seed=1, augmentation=Augmentation())
    (first, _), (second, _), (again, _) = (next(ragged.epoch(k)) for k in (1, 2, 1))
    assert isinstance(first, np.ndarray)
    hidden = first == 0
    assert 0 < hidden.mean() < 0.6
    assert (hidden.all(axis=1) | hidden.all(axis=2)[:, :1]).any()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, again)
    plain, _ = next(RaggedBatches(utterances, [], batch=3, seed=1).epoch(1))
    assert isinstance(plain, np.ndarray)
    assert (plain > 0).all()


def test_a_mask_is_no_wider_than_its_share() -> None:
    generator = np.random.default_rng(3)
    for _ in range(50):
        values = augmented(np.ones((100, 20), np.float32), Augmentation(1, 0.2, 1, 0.08), generator)
        assert (values == 0).all(axis=0).sum() <= 4
        assert (values == 0).all(axis=1).sum() <= 8


def test_a_warp_stretches_frequencies_by_no_more_than_its_share_and_keeps_the_frames() -> None:
    generator = np.random.default_rng(4)
    values = np.zeros((7, 161), np.float32)
    values[3, 100] = 1
    peaks = []
    for _ in range(40):
        warped = augmented(values, Augmentation(0, 0, 0, 0, warp=0.1), generator)
        assert not warped[[0, 1, 2, 4, 5, 6]].any()
        if warped.any():
            peaks.append(int(warped[3].argmax()))
    assert 90 <= min(peaks) < 96 < 104 < max(peaks) <= 112
    assert values[3, 100] == 1


def test_what_is_played_slower_lies_between_the_frames_and_keeps_the_first_and_last() -> None:
    values = np.array([[0, 1], [2, 3], [6, 1]], np.float32)
    assert played(values, 5).tolist() == [[0, 1], [1, 2], [2, 3], [4, 2], [6, 1]]
    assert played(values, 2).tolist() == [[0, 1], [6, 1]]
    np.testing.assert_array_equal(played(values, 3), values)
    assert played(values[:1], 3).tolist() == [[0, 1]] * 3
    assert values[1].tolist() == [2, 3]


def test_the_pace_changes_by_no_more_than_its_share_and_the_outputs_are_counted_anew() -> None:
    ragged = RaggedBatches(
        made([100] * 200), STRIDED, batch=1, augmentation=Augmentation(0, 0, 0, 0, speed=0.2)
    )
    batches_of = [batch for number in range(2) for batch in ragged.epoch(number)]
    frames = [np.shape(x)[1] for x, _ in batches_of]
    assert 83 <= min(frames) < 88 < 118 < max(frames) <= 125
    assert [y[0, 0] for _, y in batches_of] == [(many - 3) // 2 + 1 for many in frames]
    assert all(np.allclose(x, np.asarray(x)[0, 0, 0]) for x, _ in batches_of)


def test_no_utterance_is_played_so_fast_that_its_transcript_no_longer_fits() -> None:
    # "abc" needs 3 outputs, so 7 frames: it may be played slower, and not faster.
    varied = RaggedBatches(
        made([7] * 50, ["abc"] * 50), STRIDED, batch=1, augmentation=Augmentation(speed=0.4)
    )
    frames = {np.shape(x)[1] for x, _ in varied.epoch(1)}
    assert min(frames) == 7
    assert max(frames) > 9


def test_frames_too_many_for_memory_are_read_batch_by_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    utterances = made([5, 9, 7])
    kept = list(RaggedBatches(utterances, STRIDED, batch=2).epoch(3))
    monkeypatch.setattr(batches, "MEMORY_BYTES", 10)
    read: list[Any] = list(RaggedBatches(utterances, STRIDED, batch=2).epoch(3))
    for (x, y), (x_read, y_read) in zip(kept, read, strict=True):
        np.testing.assert_array_equal(x, x_read)
        np.testing.assert_array_equal(y, y_read)


def test_a_value_that_is_not_finite_names_its_utterance() -> None:
    utterances = made([5, 9])
    utterances.values[7] = np.nan  # type: ignore[index]
    with pytest.raises(ValueError, match="utterance u1 holds NaN or inf"):
        RaggedBatches(utterances, STRIDED)


def test_a_batch_holds_at_least_one() -> None:
    with pytest.raises(ValueError, match="batch must be 1 or more, not 0"):
        RaggedBatches(made([5]), [], batch=0)


def test_the_first_ones_can_be_taken_alone() -> None:
    utterances = replace(made([5, 9, 7]))
    assert utterances.first(2).frames.tolist() == [5, 9]
    assert len(utterances.first(10)) == 3
