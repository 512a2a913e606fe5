"""Reading JSON lines: the same records whatever the engine, and broken lines named."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from models.errors import BadInput
from models.solar_flares.ingestion import FoldFile, Tally, _mixed, in_sample, read_json_lines
from models.solar_flares.json_lines import to_json_line
from models.solar_flares.records import PARAMETERS, SAMPLES
from models.solar_flares.simulation import simulate

ROOT = Path(__file__).parents[3]
RECORDS = 24


def joined(blocks):
    parts = list(blocks)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def read(path, fraction=1.0, fold=1, **options):
    tallies: dict[int, Tally] = {}
    blocks = read_json_lines([FoldFile(path, fold, fraction)], tallies, **options)
    return joined(blocks), tallies[fold]


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        equal_nan = one[name].dtype.kind == "f"
        assert np.array_equal(one[name], other[name], equal_nan=equal_nan), name


@pytest.fixture(scope="module")
def simulated():
    return joined(simulate({1: RECORDS}, seed=3))


@pytest.fixture(scope="module")
def lines(simulated):
    return [to_json_line(simulated, row) for row in range(RECORDS)]


@pytest.fixture
def file(tmp_path, lines):
    path = tmp_path / "fold1Training.json"
    path.write_text("".join(lines))
    return path


def record(line):
    return json.loads(line)


def test_values_come_back_exactly_with_bare_nan_as_nan(file, simulated):
    assert "NaN" in file.read_text()
    found, tally = read(file)
    assert np.array_equal(found["values"], simulated["values"], equal_nan=True)
    assert np.array_equal(found["label"], simulated["label"])
    assert np.array_equal(found["id"], simulated["id"])
    assert found["region"][0] == f"fold1-{found['id'][0]}"
    assert tally == Tally(lines=RECORDS, records=RECORDS)


def test_whole_number_ids_are_read_as_text(tmp_path, lines):
    path = tmp_path / "a.json"
    path.write_text("".join(json.dumps({**record(x), "id": k}) + "\n" for k, x in enumerate(lines)))
    assert read(path)[0]["id"].tolist() == [str(k) for k in range(RECORDS)]


def test_blocks_have_the_same_length_whatever_the_pieces(file):
    lengths = []
    for piece_bytes in (1, 1 << 20):
        blocks = read_json_lines([FoldFile(file, 1)], {}, piece_bytes=piece_bytes)
        lengths.append([len(block["label"]) for block in blocks])
    assert lengths[0] == lengths[1]


@pytest.mark.parametrize("fraction", [0.3, 1.0])
def test_sample_is_the_same_for_every_piece_size_and_worker_count(file, fraction):
    first, _ = read(file, fraction, seed=5)
    for workers, piece_bytes in ((1, 1), (2, 100_000), (4, 1 << 22)):
        again, _ = read(file, fraction, seed=5, workers=workers, piece_bytes=piece_bytes)
        assert_equal(first, again)


def test_spark_takes_byte_equal_records(file):
    pytest.importorskip("pyspark", reason="needs the 'spark' extra")
    expected, expected_tally = read(file, 0.4, seed=5)
    records, tally = read(file, 0.4, seed=5, engine="spark")
    assert_equal(expected, records)
    assert tally == expected_tally


def test_sample_is_decided_by_splitmix64():
    # First output of the reference implementation seeded with 0.
    assert int(_mixed(np.zeros(1, np.uint64))[0]) == 0xE220A8397B1DCDAF


def test_a_larger_fraction_keeps_what_a_smaller_one_took():
    numbers = np.arange(1, 20_001)
    small = in_sample(numbers, 0.05, seed=1, fold=1)
    large = in_sample(numbers, 0.3, seed=1, fold=1)
    assert np.all(large[small])
    assert abs(small.mean() - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 20_000)
    assert abs(large.mean() - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 20_000)


def test_seeds_and_folds_are_sampled_independently():
    numbers = np.arange(1, 20_001)
    one = in_sample(numbers, 0.5, seed=1, fold=1)
    for seed, fold in ((2, 1), (1, 2), (0, 1)):
        other = in_sample(numbers, 0.5, seed=seed, fold=fold)
        assert abs((one & other).mean() - 0.25) < 0.02


def test_gzip_and_zip_hold_the_same_records(file, tmp_path):
    expected, _ = read(file, 0.5)
    packed = tmp_path / "fold1.json.gz"
    packed.write_bytes(gzip.compress(file.read_bytes(), 1))
    assert_equal(expected, read(packed, 0.5)[0])
    zipped = tmp_path / "fold1.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, "fold1Training.json")
    assert_equal(expected, read(zipped, 0.5)[0])


def test_truncated_archives_are_named(file, tmp_path):
    packed = tmp_path / "fold1.json.gz"
    packed.write_bytes(gzip.compress(file.read_bytes(), 1)[:-1000])
    with pytest.raises(BadInput, match=r"fold1\.json\.gz: it cannot be unpacked"):
        read(packed)
    zipped = tmp_path / "fold1.zip"
    zipped.write_bytes(b"PK\x03\x04" + b"\0" * 100)
    with pytest.raises(BadInput, match=r"fold1\.zip: it cannot be unpacked"):
        read(zipped)


def test_zip_with_two_files_is_refused(tmp_path):
    path = tmp_path / "folds.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", "{}")
        archive.writestr("b.json", "{}")
    with pytest.raises(BadInput, match="holds 2 files; expected one file of JSON lines"):
        read(path)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda x: json.dumps(record(x), separators=(",", ":")),
        lambda x: json.dumps(record(x), separators=(" , ", " : ")),
        lambda x: json.dumps(dict(reversed(record(x).items()))),
        lambda x: json.dumps(
            {**record(x), "values": dict(reversed(record(x)["values"].items())), "more": [1, "a"]}
        ),
        lambda x: x.strip() + "\r",
        lambda x: x.replace("NaN", "null").strip(),
        lambda x: x.strip() + "\n   \n",
    ],
    ids=["compact", "wide", "values-first", "other-order", "crlf", "null", "blank-lines"],
)
def test_writing_makes_no_difference(tmp_path, lines, file, rewrite):
    path = tmp_path / "rewritten.json"
    path.write_bytes(("\ufeff" + "\n".join(rewrite(x) for x in lines)).encode())
    expected, _ = read(file)
    assert_equal(expected, read(path)[0])


def test_absent_samples_are_missing(tmp_path, lines):
    changed = record(lines[0])
    del changed["values"]["R_VALUE"]["7"]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(changed) + "\n" + lines[1])
    values = read(path)[0]["values"]
    assert math.isnan(values[0, 7, PARAMETERS.index("R_VALUE")])


def broken(line, change):
    changed = record(line)
    change(changed)
    return json.dumps(changed) + "\n"


def first_number(line, text):
    """Write the first sample of the first parameter as ``text``."""
    start = line.index('"0": ') + len('"0": ')
    return line[:start] + text + line[line.index(",", start) :]


BROKEN = {
    "cut off": (lambda x: x[:300] + "\n", "line 20 is broken: not JSON: "),
    "a list": (lambda x: "[1]\n", "not an object with id, classNum and values"),
    "no class": (lambda x: broken(x, lambda r: r.pop("classNum")), "it has no classNum"),
    "class 2": (lambda x: broken(x, lambda r: r.update(classNum=2)), "classNum is 2, neither"),
    "class true": (lambda x: broken(x, lambda r: r.update(classNum=True)), "classNum is True"),
    "id null": (lambda x: broken(x, lambda r: r.update(id=None)), "id is None, neither a whole"),
    "id long": (lambda x: broken(x, lambda r: r.update(id="x" * 33)), "longer than 32 char"),
    "values a list": (lambda x: broken(x, lambda r: r.update(values=[])), "values is not an obj"),
    "parameter gone": (
        lambda x: broken(x, lambda r: r["values"].pop("EPSX")),
        "it has no EPSX",
    ),
    "parameter a list": (
        lambda x: broken(x, lambda r: r["values"].update(EPSX=[1.0])),
        "EPSX is not an object of samples",
    ),
    "sample 60": (
        lambda x: broken(x, lambda r: r["values"]["EPSX"].update({"60": 1.0})),
        "EPSX has a sample '60', expected 0 ... 59",
    ),
    "text for a number": (
        lambda x: broken(x, lambda r: r["values"]["EPSX"].update({"3": "1.0"})),
        "EPSX sample 3 is '1.0', not a number",
    ),
    "infinite": (lambda x: first_number(x, "-Infinity"), "sample 0 is -inf, beyond 32-bit"),
    "too large": (lambda x: first_number(x, "1e39"), r"sample 0 is 1e\+39, beyond 32-bit"),
    "not UTF-8": (lambda x: x.replace('"id"', '"i\udcff"'), "not UTF-8 at byte 4"),
    **{
        f"number {text}": (lambda x, text=text: first_number(x, text), "not JSON")
        for text in (
            "",
            "01",
            "-01",
            ".5",
            "-.5",
            "5.",
            "5.e3",
            "-5.E3",
            "+5",
            "0x10",
            "nan",
            "Nan",
            "inf",
            "1 2",
        )
    },
    "a stray digit": (lambda x: x.replace('"0": ', '"0"7: ', 1), "not JSON"),
    "a stray brace": (lambda x: x.replace('"0": ', '"0": 5{', 1), "not JSON"),
}


@pytest.mark.parametrize("place", [0, 19], ids=["first", "among others"])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_line_is_named_or_skipped(tmp_path, lines, name, place):
    change, reason = BROKEN[name]
    # Compact text of the same records would take the strict way; these lines take the fast one.
    changed = [*lines[:place], change(lines[place]), *lines[place + 1 :]]
    path = tmp_path / "fold1.json"
    path.write_bytes("".join(changed).encode(errors="surrogateescape"))
    reason = reason.replace("line 20", f"line {place + 1}")
    with pytest.raises(BadInput, match=reason) as caught:
        read(path)
    assert caught.value.row == place + 1
    assert caught.value.file == str(path)
    assert f"line {place + 1} is broken" in str(caught.value)
    found, tally = read(path, on_bad="skip", limit=1)
    assert (tally.lines, tally.records, tally.bad) == (RECORDS, RECORDS - 1, 1)
    assert tally.bad_lines[0].startswith(f"fold1.json, line {place + 1}: ")
    whole = tmp_path / "whole.json"
    whole.write_text("".join([*lines[:place], *lines[place + 1 :]]))
    assert_equal(found, read(whole)[0])


def test_numbers_are_read_as_python_reads_them(tmp_path, lines):
    texts = ["0", "-0", "7", "-0.0", "1e5", "1E+5", "1.5e-3", "1e-400", "-12", "3.4e38"]
    texts += ["123456789012345678901234567890", "0.1", "8.589973e9", "16777217", "null", "NaN"]
    path = tmp_path / "fold1.json"
    path.write_text("".join([lines[0], *(first_number(lines[1], text) for text in texts)]))
    records = read(path)[0]["values"][1:, 0, 0]
    expected = [math.nan if text in {"null", "NaN"} else float(text) for text in texts]
    assert np.array_equal(records, np.array(expected).astype(np.float32), equal_nan=True)


def test_more_broken_lines_than_the_limit_stop(tmp_path, lines):
    path = tmp_path / "fold1.json"
    path.write_text("".join([lines[0], "{}\n", lines[1], "{}\n", "{}\n"]))
    with pytest.raises(BadInput, match=r"line 5 is broken \(it has no id\), and with it more than"):
        read(path, on_bad="skip", limit=2)
    assert read(path, on_bad="skip", limit=3)[1].bad == 3


def test_a_line_outside_the_sample_is_checked_for_its_ends(tmp_path, lines):
    numbers = np.arange(1, RECORDS + 1)
    out = int(np.flatnonzero(~in_sample(numbers, 0.3, seed=0, fold=1))[0])
    path = tmp_path / "fold1.json"
    path.write_text("".join([*lines[:out], lines[out][:100] + "\n", *lines[out + 1 :]]))
    with pytest.raises(BadInput, match=f"line {out + 1} is broken: it does not begin with {{ and"):
        read(path, 0.3)


def test_a_file_without_line_feeds_is_refused_early(tmp_path):
    path = tmp_path / "fold1.json"
    path.write_bytes(b"[" + b"1," * (1 << 24))
    with pytest.raises(BadInput, match=r"line 1 is longer than 16,777,216 bytes"):
        read(path)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"on_bad": "ignore"}, "on_bad must be 'stop' or 'skip'"),
        ({"engine": "dask"}, "engine must be 'arrow' or 'spark'"),
    ],
)
def test_unknown_options_are_refused(file, options, text):
    with pytest.raises(ValueError, match=text):
        read_json_lines([FoldFile(file, 1)], {}, **options)


def test_folds_and_fractions_are_checked(file):
    with pytest.raises(ValueError, match="fraction must be above 0 and up to 1, not 0"):
        FoldFile(file, 1, 0)
    with pytest.raises(ValueError, match="two files have the same fold number"):
        read_json_lines([FoldFile(file, 1), FoldFile(file, 1)], {})


def test_published_file_of_real_records(shared):
    path = shared / "data" / "solar_flares" / "swan_mvts_12_kaggle_layout.json"
    found, tally = read(path)
    assert tally == Tally(lines=12, records=12)
    assert found["values"].shape == (12, SAMPLES, len(PARAMETERS))
    assert found["label"].tolist() == [0] * 6 + [1] * 4 + [0] * 2
    assert found["values"][0, 0, 0] == np.float32(1152.02112298808)
    assert math.isnan(found["values"][0, 4, 0])
    assert np.isnan(found["values"]).sum() == path.read_bytes().count(b"NaN")


MEASURE = r"""
import re, sys
from pathlib import Path
from models.solar_flares.ingestion import FoldFile, read_json_lines
count = sum(len(b["label"]) for b in read_json_lines([FoldFile(Path(sys.argv[1]), 1)], {}))
# Not getrusage: its maximum counts the process that this one was forked from.
print(count, int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory from /proc")
def test_memory_does_not_grow_with_the_file(tmp_path, lines):
    peaks = []
    for times in (20, 80):  # 20 and 80 MB
        path = tmp_path / "fold1.json"
        with path.open("w") as handle:
            for _ in range(times):
                handle.writelines(lines)
        out = subprocess.run(
            [sys.executable, "-c", MEASURE, str(path)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        count, peak = map(int, out.stdout.split())
        assert count == times * RECORDS
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 30
    assert peaks[1] < 500
