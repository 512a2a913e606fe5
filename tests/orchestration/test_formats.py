"""Every format gives back what it was given, and equal content an equal hash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.arrays import Blocks
from orchestration.formats import FORMATS

ARRAYS = {
    "flux": np.arange(40, dtype=np.float32).reshape(10, 4),
    "label": np.array([0, 1] * 5, np.int8),
    "star": np.array([f"KIC {k} é" for k in range(10)]),
}


def write(name: str, value: object, path: Path) -> str:
    return FORMATS[name].write(value, path).content


def blocks(rows: int) -> Blocks:
    return Blocks(
        {name: array[start : start + rows] for name, array in ARRAYS.items()}
        for start in range(0, 10, rows)
    )


def test_arrays_come_back_row_by_row_as_they_were(tmp_path: Path) -> None:
    write("arrays", ARRAYS, tmp_path / "a.h5")
    stored = FORMATS["arrays"].read(tmp_path / "a.h5")
    assert sorted(stored) == ["flux", "label", "star"]
    for name, array in ARRAYS.items():
        assert stored[name].shape == array.shape
        np.testing.assert_array_equal(np.asarray(stored[name]), array)
        np.testing.assert_array_equal(stored[name][3:7], array[3:7])
        rows = np.array([7, 2, 2, -1])
        np.testing.assert_array_equal(stored[name][rows], array[rows])
    assert stored["flux"].dtype == np.float32
    with pytest.raises(KeyError, match="no array 'flix'; there are"):
        stored["flix"]


@pytest.mark.parametrize("rows", [1, 3, 10])
def test_how_arrays_are_cut_into_blocks_does_not_count(rows: int, tmp_path: Path) -> None:
    whole = write("arrays", ARRAYS, tmp_path / "whole.h5")
    assert write("arrays", blocks(rows), tmp_path / "cut.h5") == whole


@pytest.mark.parametrize(
    "change",
    [
        {"flux": ARRAYS["flux"].astype(np.float64)},
        {"flux": ARRAYS["flux"].reshape(10, 2, 2)},
        {"label": 1 - ARRAYS["label"]},
        {"star": np.char.upper(ARRAYS["star"])},
        {"more": ARRAYS["label"]},
    ],
    ids=["dtype", "shape", "values", "strings", "names"],
)
def test_what_arrays_hold_counts(change: dict[str, Any], tmp_path: Path) -> None:
    before = write("arrays", ARRAYS, tmp_path / "before.h5")
    assert write("arrays", ARRAYS | change, tmp_path / "after.h5") != before


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"x": np.array([object()])}, "only numbers, booleans and strings"),
        ({"x": np.float32(1)}, "a single value"),
        (Blocks([]), "the stream of blocks is empty"),
        (Blocks([{"x": np.zeros(2)}, {"y": np.zeros(2)}]), r"\['y'\], the first had \['x'\]"),
        (Blocks([{"x": np.zeros(2)}, {"x": np.zeros((2, 2))}]), "rows of"),
        (Blocks([{"x": np.zeros(2)}, {"x": np.zeros(2, np.float32)}]), "float32"),
    ],
)
def test_arrays_that_cannot_be_stored_say_why(value: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        write("arrays", value, tmp_path / "a.h5")


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {"star": ["a", None, "c"], "snr": [1.5, np.nan, -0.5], "flagged": [True] * 3}
    )


def test_a_table_comes_back_and_its_index_does_not_count(tmp_path: Path) -> None:
    first = write("tables", table(), tmp_path / "a.parquet")
    moved = table().set_index(pd.Index([7, 8, 9]))
    assert write("tables", moved, tmp_path / "b.parquet") == first
    pd.testing.assert_frame_equal(FORMATS["tables"].read(tmp_path / "a.parquet"), table())
    for column, value in (("snr", 2.0), ("star", "x"), ("flagged", False)):
        other = table()
        other.loc[0, column] = value
        assert write("tables", other, tmp_path / "c.parquet") != first


def test_json_does_not_care_for_the_order_of_names(tmp_path: Path) -> None:
    first = write("json", {"a": 1, "b": [None, 0.1]}, tmp_path / "a.json")
    assert write("json", {"b": [None, 0.1], "a": 1}, tmp_path / "b.json") == first
    assert FORMATS["json"].read(tmp_path / "a.json") == {"a": 1, "b": [None, 0.1]}


def test_json_refuses_what_is_undefined_and_says_where(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"metrics.*recall.*null"):
        write("json", {"metrics": {"recall": float("nan")}}, tmp_path / "a.json")


def test_a_folder_of_files_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    files = {"index.html": b"<p>", "pictures/a.png": b"\x89PNG"}
    first = write("folders", files, tmp_path / "a.zip")
    assert write("folders", dict(reversed(files.items())), tmp_path / "b.zip") == first
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert FORMATS["folders"].read(tmp_path / "a.zip") == files


TRAIN = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from pathlib import Path
import numpy as np
from orchestration.formats import FORMATS
x = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
y = (x[:, 0] > 0).astype("int8")
def network(seed):
    import keras
    from models.sampling import Batches
    from models.training import Phase, fresh, train
    built = fresh(lambda: keras.Sequential(
        [keras.Input((4,), name="x"), keras.layers.Dense(1, activation="sigmoid", name="y")],
        name="toy"), seed)
    train(built, Batches(x, y, seed=seed), None, phases=[Phase(1, 0.1)], optimiser="adam",
          loss="binary_crossentropy", seed=seed)
    return "networks", built
def forest(seed):
    from sklearn.ensemble import RandomForestClassifier
    return "estimators", RandomForestClassifier(5, random_state=seed).fit(x, y)
for make in (network, forest):
    for seed in (1, 1, 2):
        name, fitted = make(seed)
        path = Path(sys.argv[1]) / f"{name}{FORMATS[name].suffix}"
        print(name, FORMATS[name].write(fitted, path).content)
        again = FORMATS[name].read(path)
        ask = (lambda m: m.predict(x, verbose=0)) if name == "networks" else (
            lambda m: m.predict_proba(x))
        assert np.array_equal(ask(fitted), ask(again))
"""


def test_what_is_trained_twice_from_one_seed_has_one_hash_in_any_process(tmp_path: Path) -> None:
    said = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", TRAIN, str(folder)],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.split("\n"))
    assert said[0] == said[1]
    networks, forests = said[0][:3], said[0][3:6]
    for lines in (networks, forests):
        assert lines[0] == lines[1] != lines[2]
