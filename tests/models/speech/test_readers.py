"""Corpora on disk: what is read, what is made of it, and what is said of bad ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.errors import BadInput
from models.speech.corpus import RATE, audio_blocks, audio_of, table_of
from models.speech.readers import Tally, read_files


def noise(seconds=0.5, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(-20_000, 20_000, round(seconds * RATE)).astype(np.int16)


def write(path, audio, rate=RATE, **options):
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate, **options)


def lines(folder, *objects, name="corpus.json"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(f"{json.dumps(one)}\n" for one in objects))


def read(path, **options):
    tally = Tally()
    return list(read_files(path, tally, **options)), tally


def refusal(path, **options):
    with pytest.raises(BadInput) as error:
        read(path, **options)
    return str(error.value)


@pytest.fixture
def one(tmp_path):
    """A corpus of one good recording, whose line or audio a test then spoils."""
    folder = tmp_path / "corpus"
    write(folder / "sam/a.wav", noise())
    lines(folder, {"key": "sam/a.wav", "duration": 0.5, "text": "hello"})
    return folder


# what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["flac", "wav"])
def test_librispeech_folders_are_read_sample_by_sample(tmp_path, ending):
    folder = tmp_path / "LibriSpeech/train-clean-100"
    for speaker, part in ((84, "train-clean-100"), (2412, "dev-clean")):
        chapter = tmp_path / f"LibriSpeech/{part}/{speaker}/7"
        write(chapter / f"{speaker}-7-0000.{ending}", noise(seed=speaker))
        write(chapter / f"{speaker}-7-0001.{ending}", noise(0.3))
        (chapter / f"{speaker}-7.trans.txt").write_text(
            f"{speaker}-7-0000 MISTER QUILTER'S MANNER\n{speaker}-7-0001 NO\n"
        )
    records, tally = read(tmp_path / "LibriSpeech")
    assert [(u.key, u.speaker, u.part, u.text) for u in records] == [
        ("2412-7-0000", "2412", 1, "mister quilter's manner"),
        ("2412-7-0001", "2412", 1, "no"),
        ("84-7-0000", "84", 0, "mister quilter's manner"),
        ("84-7-0001", "84", 0, "no"),
    ]
    assert np.array_equal(records[2].audio, noise(seed=84))
    assert tally == Tally(utterances=4)
    assert [u.part for u in read(folder)[0]] == [0, 0]


def test_json_lines_are_read_with_speakers_given_or_guessed(tmp_path):
    for name in ("84/1/84-1-0000.mp3", "jane/b.wav", "jane/c.wav"):
        write(tmp_path / name, noise(0.4))
    keys = [{"key": "84/1/84-1-0000.mp3"}, {"key": "jane/b.wav", "speaker": None}]
    lines(tmp_path, *({**key, "duration": 0.4, "text": "Yes"} for key in keys), name="train.json")
    lines(tmp_path, {"key": "jane/c.wav", "text": "no", "speaker": "J"}, name="valid_corpus.jsonl")
    records, _ = read(tmp_path)
    assert [(u.key, u.speaker, u.part, u.text) for u in records] == [
        ("84/1/84-1-0000.mp3", "84", 0, "yes"),
        ("jane/b.wav", "jane", 0, "yes"),
        ("jane/c.wav", "J", 1, "no"),
    ]
    assert len(records[0].audio) == 0.4 * RATE
    assert [u.key for u in read(tmp_path / "valid_corpus.jsonl")[0]] == ["jane/c.wav"]


def test_the_real_corpus_is_read_whole(shared):
    folder = shared / "data/librispeech"
    rows = []
    samples = sum(len(block["sample"]) for block in audio_blocks(read_files(folder, Tally()), rows))
    table = table_of(rows)
    assert len(table) == 901
    assert table["speaker"].nunique() == 14
    assert samples == table["samples"].sum()
    assert table["seconds"].sum() / 3600 == pytest.approx(1.893, abs=0.001)
    # Of all 2,703 utterances of dev-clean the study took 2,023, which is 75 %.
    assert np.mean(table["seconds"] <= 10) == pytest.approx(2023 / 2703, abs=0.03)


@pytest.mark.parametrize("workers", [1, 3])
def test_order_does_not_depend_on_the_workers(tmp_path, workers):
    given = []
    for k in range(20):
        write(tmp_path / f"s/{k}.wav", noise(0.1 if k % 2 else 2.0, seed=k))
        given.append({"key": f"s/{k}.wav", "text": "a"})
    lines(tmp_path, *given)
    records, _ = read(tmp_path, workers=workers)
    assert [u.key for u in records] == [one["key"] for one in given]


def test_the_audio_lies_end_to_end_as_the_table_says(tmp_path):
    for k, seconds in enumerate((0.3, 70.0, 0.5)):  # the second is longer than a block
        write(tmp_path / f"s/{k}.wav", noise(seconds, seed=k))
    lines(tmp_path, *({"key": f"s/{k}.wav", "text": "a"} for k in range(3)))
    rows = []
    blocks = list(audio_blocks(read_files(tmp_path, Tally()), rows))
    sample = np.concatenate([block["sample"] for block in blocks])
    assert len(blocks) == 2
    table = table_of(rows)
    assert table["seconds"].tolist() == [0.3, 70.0, 0.5]
    for k, row in enumerate(table.itertuples()):
        assert np.array_equal(audio_of(sample, row), noise(row.seconds, seed=k))


# what is made of it ---------------------------------------------------------------------------


def test_channels_are_mixed_down(one):
    left, right = noise(seed=1) // 2, noise(seed=2) // 2
    write(one / "sam/a.wav", np.stack([left, right], axis=1))
    (records,), tally = read(one)
    np.testing.assert_allclose(records.audio, (left + right) / 2, atol=0.51)
    assert tally.mixed_down == 1


@pytest.mark.parametrize("rate", [8000, 44_100])
def test_other_rates_are_resampled_and_it_is_said(one, rate):
    time = np.arange(rate // 2) / rate
    write(one / "sam/a.wav", (16384 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16), rate)
    (records,), tally = read(one)
    assert tally.resampled == {f"{rate} Hz": 1}
    assert records.source_rate == rate
    assert len(records.audio) == RATE // 2
    middle = slice(2000, 6000)
    expected = 16384 * np.sin(2 * np.pi * 1000 * np.arange(RATE // 2) / RATE)
    np.testing.assert_allclose(records.audio[middle], expected[middle], atol=60)


@pytest.mark.parametrize("text", ["in 1984", "this & that", "café", "10%"])
def test_what_can_be_read_in_two_ways_is_refused(one, text):
    lines(one, {"key": "sam/a.wav", "text": text})
    message = refusal(one)
    culprit = next(c for c in text if not (c.isascii() and c.isalpha()) and c != " ")
    assert f"corpus.json, row 1: utterance sam/a.wav: the transcript holds {culprit!r}" in message
    assert message.endswith("Write numbers and signs as they were spoken.")


# bad ones -------------------------------------------------------------------------------------


def test_a_missing_recording_is_named(one):
    (one / "sam/a.wav").unlink()
    assert "a.wav: utterance sam/a.wav: it is not there" in refusal(one)


def test_an_empty_file_is_named(one):
    (one / "sam/a.wav").write_bytes(b"")
    assert "sam/a.wav: it is empty" in refusal(one)


def test_a_recording_without_sound_is_named(one):
    write(one / "sam/a.wav", noise(0))
    assert "it holds no sound" in refusal(one)


def test_a_recording_shorter_than_a_frame_is_named(one):
    write(one / "sam/a.wav", noise(0.01))
    assert "it lasts 0.010 s, less than a frame of 0.02 s" in refusal(one)


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_truncated_recording_is_named_without_a_duration_to_tell(tmp_path, ending, kept):
    write(tmp_path / f"s/a.{ending}", noise(3.0))
    whole = (tmp_path / f"s/a.{ending}").read_bytes()
    (tmp_path / f"s/a.{ending}").write_bytes(whole[: int(kept * len(whole))])
    lines(tmp_path, {"key": f"s/a.{ending}", "text": "a"})
    assert "truncated" in refusal(tmp_path)


def test_what_is_no_audio_is_named(one):
    (one / "sam/a.wav").write_text("<html>not found</html>" * 100)
    assert "it can't be decoded" in refusal(one)


def test_nan_is_named(one):
    write(one / "sam/a.wav", np.full(8000, np.nan), subtype="FLOAT")
    assert "it holds NaN or inf" in refusal(one)


def test_a_wav_whose_writer_did_not_know_its_length_is_whole(one):
    whole = bytearray((one / "sam/a.wav").read_bytes())
    place = whole.index(b"data") + 4
    whole[place : place + 4] = b"\xff" * 4
    (one / "sam/a.wav").write_bytes(whole)
    (records,), _ = read(one)
    assert np.array_equal(records.audio, noise())


@pytest.mark.parametrize(("given", "good"), [(0.55, True), (0.65, False), (3, False)])
def test_a_duration_that_disagrees_is_named(one, given, good):
    lines(one, {"key": "sam/a.wav", "text": "a", "duration": given})
    if good:
        assert len(read(one)[0]) == 1
    else:
        assert f"it lasts 0.50 s, but the corpus says {given:.2f} s" in refusal(one)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('{"key": "sam/a.wav", "text"', "row 2: not JSON: "),
        ('["sam/a.wav"]', "row 2: it is no object; expected an object with key and text"),
        ('{"text": "a"}', "row 2: there is no key"),
        ('{"key": "b.wav", "text": ""}', "row 2: text is ''"),
        ('{"key": "b.wav", "text": "?"}', "utterance b.wav: the transcript holds no word"),
        ('{"key": "b.wav", "text": "a", "duration": "5"}', "duration is '5'; expected seconds"),
        ('{"key": "b.wav", "text": "a", "duration": NaN}', "duration is nan"),
        (
            '{"key": "sam/a.wav", "text": "a"}',
            "given before, in corpus.json, row 1",
        ),
    ],
)
def test_a_wrong_line_is_named(one, line, text):
    with (one / "corpus.json").open("a") as file:
        file.write(line + "\n")
    message = refusal(one)
    assert "corpus.json, row 2: " in message
    assert text in message


def test_a_wrong_line_of_a_transcript_is_named(tmp_path):
    write(tmp_path / "84/7/84-7-0000.flac", noise())
    (tmp_path / "84/7/84-7.trans.txt").write_text("84-7-0000 YES\n84_7_0001 NO\n")
    assert "84-7.trans.txt, row 2: '84_7_0001' is no key" in refusal(tmp_path)


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "corpus.json").write_bytes(b"\xff\xfe\x00")
    assert "it is not text" in refusal(tmp_path)


@pytest.mark.parametrize(("name", "what"), [("", "it holds no corpus"), ("no", "it is not there")])
def test_a_path_without_a_corpus_says_what_was_expected(tmp_path, name, what):
    assert f"{what}; expected LibriSpeech's folders" in refusal(tmp_path / name)


def test_bad_utterances_can_be_skipped_and_are_counted(one):
    lines(
        one,
        {"key": "sam/a.wav", "text": "yes"},
        {"key": "sam/no.wav", "text": "yes"},
        {"key": "sam/a.wav", "text": "again"},
        {"key": "sam/b.wav", "text": "in 1984"},
    )
    records, tally = read(one, on_bad="skip", limit=3)
    assert [u.text for u in records] == ["yes"]
    assert (tally.utterances, tally.bad) == (1, 3)
    assert "sam/no.wav: it is not there" in tally.bad_utterances[0]
    assert "more than 2 utterances are bad; the last one: " in refusal(one, on_bad="skip", limit=2)
    with pytest.raises(ValueError, match="on_bad must be 'stop' or 'skip'"):
        read(one, on_bad="ignore")
