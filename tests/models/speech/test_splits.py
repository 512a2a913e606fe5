"""Official parts are the splits, or speakers are shared out whole; texts never are in two."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.speech.splits import rows_in, split_corpus, utterances_in


def corpus(speakers, parts=None, seconds=5.0, texts=None):
    count = len(speakers)
    return pd.DataFrame(
        {
            "key": [f"u{k}" for k in range(count)],
            "speaker": speakers,
            "part": parts or [-1] * count,
            "seconds": seconds,
            "text": texts or [f"text {k}" for k in range(count)],
        }
    )


def split(table, max_seconds=10.0, validation=0.2, test=0.2, seed=0):
    result = split_corpus(table, max_seconds, validation, test, seed)
    found = pd.DataFrame({"key": result.columns["key"], "split": result.codes})
    return found, result.method, result.left_out


def test_official_parts_are_the_splits():
    table, how, left_out = split(corpus(list("abcd"), [0, 2, 1, 0]))
    assert table.to_dict("list") == {"key": ["u0", "u1", "u2", "u3"], "split": [0, 2, 1, 0]}
    assert table["split"].dtype == np.int8
    assert how == "official parts"
    assert set(left_out.values()) == {0}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_without_them_speakers_stay_whole_and_shares_are_near(seed):
    speakers = [f"s{k % 20}" for k in range(400)]
    table = corpus(speakers, [0] * 400, seconds=np.random.default_rng(seed).uniform(1, 9, 400))
    found, how, _ = split(table, seed=seed)
    assert how.startswith("by speaker")
    joined = table.merge(found, on="key")
    assert len(joined) == 400
    assert joined.groupby("speaker")["split"].nunique().max() == 1
    shares = joined.groupby("split")["seconds"].sum() / joined["seconds"].sum()
    assert shares.tolist() == pytest.approx([0.6, 0.2, 0.2], abs=0.05)
    assert found.equals(split(table, seed=seed)[0])


def test_three_speakers_of_very_different_length_still_fill_three_splits():
    table, _, _ = split(corpus(["a"] * 50 + ["b", "c"]))
    assert sorted(table["split"].value_counts().tolist()) == [1, 1, 50]
    assert table["split"][0] == 0


def test_long_utterances_are_left_out_and_ten_seconds_is_not_long():
    table = corpus(list("abcabc"), [0, 1, 2] * 2, seconds=[10.0, 1, 1, 10.001, 1, 1])
    found, _, left_out = split(table)
    assert found["key"].tolist() == ["u0", "u1", "u2", "u4", "u5"]
    assert left_out["longer than 10 s"] == 1
    with pytest.raises(ValueError, match=r"all 6 utterances last longer than 0\.5 s"):
        split(table, max_seconds=0.5)


def test_shared_texts_stay_in_the_test_then_in_validation():
    texts = ["x", "y", "x", "y", "x", "own", "y", "mine"]
    table, _, left_out = split(corpus(list("aabbcaab"), [0, 0, 1, 1, 2, 0, 0, 1], texts=texts))
    # "x" is left to the test (u4), "y" to validation (u3); training keeps its own.
    assert table["key"].tolist() == ["u3", "u4", "u5", "u7"]
    assert left_out["text shared between splits"] == 4
    with pytest.raises(ValueError, match="share all their texts"):
        split(corpus(list("abc"), [0, 1, 2], texts=["x"] * 3))


def test_a_speaker_in_two_official_parts_is_refused():
    with pytest.raises(ValueError, match="speaker 'a' is in more than one official part"):
        split(corpus(list("aabc"), [0, 1, 1, 2]))


def test_too_few_speakers_are_refused():
    with pytest.raises(ValueError, match=r"2 speakers \(a, b\) are too few"):
        split(corpus(list("abab")))


def test_shares_must_leave_something_to_train_on():
    with pytest.raises(ValueError, match="leave nothing to train on"):
        split(corpus(list("abc")), validation=0.5, test=0.5)


def test_the_utterances_of_a_split_have_their_frames_end_to_end():
    table = corpus(list("abac"), [0, 1, 0, 2]).assign(
        start=[0, 1000, 6000, 706_000], samples=[1000, 5000, 700_000, 800], source_rate=16_000
    )
    split = split_corpus(table, 10.0, 0.2, 0.2, 0)
    splits = pd.DataFrame(split.to_arrays())
    assert rows_in(splits, "train")["start"].tolist() == [0, 6000]
    train = utterances_in(splits, "train")
    assert train.to_dict("list") == {
        "key": ["u0", "u2"],
        "speaker": ["a", "a"],
        "text": ["text 0", "text 2"],
        "seconds": [5.0, 5.0],
        "source_rate": [16_000, 16_000],
        "start": [0, 5],
        "frames": [5, 4374],
    }
    tested = utterances_in(splits, "test")
    assert tested[["key", "start", "frames"]].to_numpy().tolist() == [["u3", 0, 4]]
