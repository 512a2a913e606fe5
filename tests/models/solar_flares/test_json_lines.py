"""Lines are parsed the same by both ways, and broken lines named."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.solar_flares.json_lines import Piece, parse, to_json_line
from models.solar_flares.records import PARAMETERS, SAMPLES
from models.solar_flares.simulation import simulate

ROWS = 6


@pytest.fixture(scope="module")
def records():
    blocks = list(simulate({1: ROWS}, seed=3))
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


@pytest.fixture(scope="module")
def lines(records):
    numbered = (json.loads(to_json_line(records, row)) | {"id": row} for row in range(ROWS))
    return [json.dumps(record).encode() for record in numbered]


def piece(*lines):
    result = Piece()
    for number, line in enumerate(lines, start=1):
        result.add(number, line, sampled=True)
    return result


def test_the_first_line_gives_the_layout_by_which_the_others_are_parsed(lines, records):
    parsed, layout = parse(piece(lines[0]), None)
    assert layout is not None
    assert layout.values.shape == (SAMPLES, len(PARAMETERS))
    fast, same = parse(piece(*lines[1:]), layout)
    assert same is layout
    values = np.concatenate([parsed.values, fast.values])
    np.testing.assert_array_equal(values, records["values"])
    assert parsed.labels + fast.labels == records["label"].tolist()
    assert parsed.ids + fast.ids == [str(row) for row in range(ROWS)]


def test_another_writing_is_parsed_strictly_to_the_same_record(lines, records):
    _, layout = parse(piece(lines[0]), None)
    compact = json.dumps(json.loads(lines[1]), separators=(",", ":")).encode()
    parsed, latest = parse(piece(compact), layout)
    np.testing.assert_array_equal(parsed.values[0], records["values"][1])
    assert latest is not layout
    assert not latest.spaced
    assert layout.spaced


def test_a_broken_line_is_named_and_the_others_are_kept(lines):
    parsed, _ = parse(piece(lines[0], b'{"id": 1}', lines[1]), None)
    assert len(parsed.values) == 2
    assert parsed.bad == [(2, "it has no classNum")]
    assert parsed.lines == 3


def test_lines_outside_the_sample_are_counted_and_checked_for_their_ends_alone():
    result = Piece()
    assert result.add(1, b"  \n", sampled=True) == 0
    assert result.add(2, b' {"anything"} \n', sampled=False) == 0
    assert result.add(3, b"{cut off", sampled=False) == 0
    assert result.add(4, b" {} \n", sampled=True) == 2
    assert (result.seen, result.lines, result.numbers) == (3, [b"{}"], [4])
    assert result.bad == [(3, "it does not begin with { and end with }")]


def test_an_empty_piece_has_no_records():
    parsed, layout = parse(Piece(), None)
    assert (parsed.values.shape, parsed.labels, layout) == ((0, SAMPLES, 25), [], None)


def test_a_missing_sample_is_written_as_the_bare_word(records):
    one = {name: values[:1].copy() for name, values in records.items()}
    one["values"][0, 7, 3] = np.nan
    line = to_json_line(one, 0)
    assert '"7": NaN' in line.split(f'"{PARAMETERS[3]}": ')[1].split("}")[0]
    parsed, _ = parse(piece(line.encode()), None)
    assert np.isnan(parsed.values[0, 7, 3])
