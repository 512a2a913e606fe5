"""Each format gives back what it was given, and knows it by its content."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.arrays import Blocks
from orchestration.store.formats import FORMATS

ARRAYS = {
    "flux": np.arange(12, dtype="float32").reshape(4, 3),
    "count": np.array([1, -2, 3, 4], dtype="int16"),
    "seen": np.array([True, False, True, True]),
    "phase": np.array([1 + 2j, 0, 0, 1j], dtype="complex64"),
    "star": np.array(["KIC 1", "", "Größe", "b"], dtype="U12"),
}


def write(name: str, value: object, path: Path) -> Any:
    return FORMATS[name].write(value, path / f"value{FORMATS[name].suffix}")


def read(name: str, path: Path) -> Any:
    return FORMATS[name].read(path / f"value{FORMATS[name].suffix}")


def content(name: str, value: object, path: Path) -> str:
    path.mkdir(parents=True, exist_ok=True)
    return str(write(name, value, path).content)


# arrays -------------------------------------------------------------------------------------------


def test_arrays_come_back_with_values_types_and_shapes(tmp_path: Path) -> None:
    written = write("arrays", ARRAYS, tmp_path)
    back = read("arrays", tmp_path)
    assert isinstance(back, dict)
    assert list(back) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(np.asarray(back[name]), array)
        assert np.asarray(back[name]).dtype == back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert len(back[name]) == 4
    assert written.rows == 4
    assert written.parts["flux"] == ("float32", (4, 3))
    assert written.parts["star"] == ("string", (4,))


@pytest.mark.parametrize(
    "rows",
    [slice(1, 3), 2, np.array([3, 0, 0, -1]), np.array([True, False, False, True]), ...],
    ids=["slice", "row", "unordered with repeats", "mask", "all"],
)
@pytest.mark.parametrize("name", ["flux", "star"])
def test_rows_of_a_stored_array(tmp_path: Path, rows: Any, name: str) -> None:
    write("arrays", ARRAYS, tmp_path)
    np.testing.assert_array_equal(read("arrays", tmp_path)[name][rows], ARRAYS[name][rows])


def test_rows_far_apart_are_read_one_by_one(tmp_path: Path) -> None:
    values = np.arange(1000)
    write("arrays", {"x": values}, tmp_path)
    rows = np.array([999, 0, 500])
    np.testing.assert_array_equal(read("arrays", tmp_path)["x"][rows], rows)


def test_an_array_on_disk_is_copied_in_parts_and_has_the_content_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory holds a part at a time; the other arrays may have other lengths."""
    import h5py

    values = np.arange(1000, dtype=np.int16).reshape(-1, 4)
    whole = write("arrays", {"x": values, "y": np.arange(3)}, tmp_path)
    read_rows: list[int] = []
    with h5py.File(tmp_path / "source.h5", "w") as file:
        file["x"] = values
        file["empty"] = values[:0]
        monkeypatch.setattr("orchestration.store.formats.arrays.PART_BYTES", 80)
        again = write("arrays", {"x": file["x"], "y": np.arange(3)}, tmp_path)
        stored = read("arrays", tmp_path)["x"]
        get = type(stored).__getitem__

        def count(array: Any, rows: Any) -> Any:
            read_rows.append(len(result := get(array, rows)))
            return result

        monkeypatch.setattr(type(stored), "__getitem__", count)
        (tmp_path / "third").mkdir()
        third = write("arrays", {"x": stored, "y": np.arange(3)}, tmp_path / "third")
        assert write("arrays", {"x": file["empty"]}, tmp_path / "third").parts["x"] == (
            "int16",
            (0, 4),
        )
    assert whole.content == again.content == third.content
    assert max(read_rows) == 10


@pytest.mark.parametrize("sizes", [(4,), (1, 1, 1, 1), (3, 0, 1), (0, 4)])
def test_a_stream_has_the_content_of_the_whole(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    def blocks() -> Any:
        start = 0
        for size in sizes:
            yield {name: array[start : start + size] for name, array in ARRAYS.items()}
            start += size

    assert content("arrays", Blocks(blocks()), tmp_path / "stream") == content(
        "arrays", ARRAYS, tmp_path / "whole"
    )
    back = read("arrays", tmp_path / "stream")
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(np.asarray(back[name]), array)


@pytest.mark.parametrize(
    "other",
    [
        ARRAYS | {"count": np.array([1, -2, 3, 5], dtype="int16")},
        ARRAYS | {"count": ARRAYS["count"].astype("int32")},
        ARRAYS | {"flux": ARRAYS["flux"].reshape(4, 3, 1)},
        ARRAYS | {"star": np.array(["KIC 1", "", "Größe", "c"])},
        ARRAYS | {"star": ARRAYS["star"].astype("U13")},
        ARRAYS | {"star": np.array(["KIC 1G", "", "röße", "b"])},
        {("fluxes" if name == "flux" else name): array for name, array in ARRAYS.items()},
        {name: array for name, array in ARRAYS.items() if name != "flux"},
    ],
    ids=[
        "value",
        "type",
        "shape",
        "text",
        "width of texts",
        "where texts end",
        "name",
        "array left out",
    ],
)
def test_whatever_differs_has_another_content(tmp_path: Path, other: Any) -> None:
    assert content("arrays", ARRAYS, tmp_path / "a") != content("arrays", other, tmp_path / "b")


def test_the_order_of_names_byte_order_and_memory_do_not_count(tmp_path: Path) -> None:
    other = {name: ARRAYS[name] for name in reversed(list(ARRAYS))}
    other["flux"] = np.asfortranarray(other["flux"]).astype(">f4")
    assert content("arrays", ARRAYS, tmp_path / "a") == content("arrays", other, tmp_path / "b")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"x": np.array([object()])}, "'x' holds object: only numbers"),
        ({"x": np.array(["2020-01-01"], dtype="datetime64[D]")}, "only numbers, booleans"),
        ({"x": np.float64(1)}, "'x' has no rows"),
        ([1, 2], "expected named arrays"),
        ({}, "nothing to store"),
        (Blocks(iter(())), "the stream of blocks is empty"),
        (Blocks([{"x": np.zeros(2)}, {"y": np.zeros(2)}]), r"has the arrays \['y'\]"),
        (Blocks([{"x": np.zeros(2)}, {"x": np.zeros(2, "f4")}]), "float32, the blocks before it"),
        (Blocks([{"x": np.zeros((2, 2))}, {"x": np.zeros((2, 3))}]), "a block has rows of"),
        (Blocks([{"x": np.array(["a"])}, {"x": np.array(["a" * 9])}]), "such as dtype 'U32'"),
    ],
)
def test_what_arrays_cannot_hold(tmp_path: Path, value: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        write("arrays", value, tmp_path)


def test_a_fixed_width_leaves_room_for_longer_texts_in_later_blocks(tmp_path: Path) -> None:
    blocks = [{"x": np.array(["a"], dtype="U8")}, {"x": np.array(["größere"], dtype="U8")}]
    write("arrays", Blocks(blocks), tmp_path)
    assert read("arrays", tmp_path)["x"][...].tolist() == ["a", "größere"]


def test_an_unknown_array_names_those_there_are(tmp_path: Path) -> None:
    write("arrays", ARRAYS, tmp_path)
    with pytest.raises(KeyError, match="no array 'fluxes'; there are"):
        read("arrays", tmp_path)["fluxes"]


# tables, JSON, folders ----------------------------------------------------------------------------


def test_tables(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "star": ["a", None, "c"],
            "period": [1.5, np.nan, 2.5],
            "count": [1, 2, 3],
            "planet": [True, False, True],
        }
    )
    written = write("tables", table, tmp_path)
    pd.testing.assert_frame_equal(read("tables", tmp_path), table)
    assert written.rows == 3
    other_index = table.set_axis([7, 8, 9], axis=0)
    assert content("tables", other_index, tmp_path / "i") == written.content
    for column, value in (("star", "b"), ("period", 0.0), ("count", 4), ("planet", False)):
        changed = table.copy()
        changed.loc[2, column] = value
        assert content("tables", changed, tmp_path / column) != written.content
    assert content("tables", table[["period", "star", "count", "planet"]], tmp_path / "o") != (
        written.content
    )


@pytest.mark.parametrize(
    ("categories", "ordered"), [(["b", "a"], False), (["a", "b", "c"], False), (["a", "b"], True)]
)
def test_categories_of_a_column_count_as_they_are_read_back(
    tmp_path: Path, categories: list[str], ordered: bool
) -> None:
    def table(categories: list[str], ordered: bool = False) -> pd.DataFrame:
        values = pd.Categorical(["a", "b", "a"], categories=categories, ordered=ordered)
        return pd.DataFrame({"kind": values})

    plain = content("tables", table(["a", "b"]), tmp_path)
    other = table(categories, ordered)
    assert content("tables", other, tmp_path / "o") != plain
    back = read("tables", tmp_path / "o")["kind"].cat
    assert (list(back.categories), back.ordered) == (categories, ordered)


def test_what_a_table_does_not_keep_does_not_count(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 6], name="row"))
    plain = content("tables", table.reset_index(drop=True), tmp_path)
    table.columns.name, table.attrs["unit"] = "columns", "s"
    assert content("tables", table, tmp_path / "o") == plain
    back = read("tables", tmp_path / "o")
    assert (back.index.name, back.columns.name, back.attrs) == (None, None, {})


def test_json(tmp_path: Path) -> None:
    value = {"b": [1, 2.5, None, True, "größer"], "a": {"nested": {}}}
    written = write("json", value, tmp_path)
    assert read("json", tmp_path) == value
    turned = {"a": value["a"], "b": value["b"]}
    assert list(read("json", tmp_path)) == ["b", "a"]
    assert content("json", turned, tmp_path / "t") != written.content
    assert content("json", [{"x": turned}], tmp_path / "n") != content(
        "json", [{"x": value}], tmp_path / "m"
    )
    assert content("json", value | {"b": 1}, tmp_path / "v") != written.content


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            {"scores": [0.5, float("nan")]},
            r"\$\.scores\[1\] is nan: store what is undefined as null",
        ),
        ([float("inf")], r"\$\[0\] is inf"),
        ({"a": np.float64(1.0)}, r"\$\.a is a numpy\.float64"),
        ({"a": np.arange(2)}, r"\$\.a is a numpy\.ndarray"),
        ({1: "a"}, r"\$ has the key 1: JSON has only text"),
        ({"a": {1, 2}}, r"\$\.a is a builtins\.set"),
    ],
)
def test_what_json_cannot_hold(tmp_path: Path, value: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        write("json", value, tmp_path)


def test_folders(tmp_path: Path) -> None:
    files = {"b.txt": b"two", "sub/a.bin": bytes(range(256))}
    written = write("folders", files, tmp_path)
    assert read("folders", tmp_path) == files
    turned = dict(reversed(files.items()))
    assert content("folders", turned, tmp_path / "t") == written.content
    assert (tmp_path / "value.zip").read_bytes() == (tmp_path / "t" / "value.zip").read_bytes()
    assert content("folders", files | {"b.txt": b"2"}, tmp_path / "v") != written.content


# networks and estimators --------------------------------------------------------------------------

TRAIN = """
import sys
from pathlib import Path
import numpy as np
from orchestration.store.formats import FORMATS

folder = Path(sys.argv[1])
folder.mkdir()
rng = np.random.default_rng(1)
X, y = rng.normal(size=(40, 5)), np.tile([0, 1], 20)

import keras
for name in sys.argv[2:]:  # so that Keras counts layers differently
    keras.layers.Dense(1)
keras.utils.set_random_seed(5)
network = keras.Sequential(
    [keras.Input((5,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)]
)
network.compile("adam", "mse")
network.fit(X, y, epochs=1, verbose=0)
print(FORMATS["networks"].write(network, folder / "n.keras").content)

from sklearn.ensemble import RandomForestClassifier
forest = RandomForestClassifier(5, random_state=3).fit(X, y)
print(FORMATS["estimators"].write(forest, folder / "e.skops").content)
"""


# TensorFlow's tensors and NumPy 2 don't agree yet on how to ask for a copy.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
def test_networks_and_estimators_trained_twice_from_a_seed(tmp_path: Path) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(tmp_path / name), *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, more in (("one", ()), ("two", ("a", "b")))
    ]
    said = [process.communicate() for process in runs]
    assert [process.returncode for process in runs] == [0, 0], said
    assert said[0][0] == said[1][0]
    first = [(tmp_path / name / "n.keras").read_bytes() for name in ("one", "two")]
    assert first[0] != first[1]  # the files differ, the content doesn't

    network = FORMATS["networks"].read(tmp_path / "one" / "n.keras")
    written = FORMATS["networks"].write(network, tmp_path / "again.keras")
    assert written.content == said[0][0].split()[0]
    assert [shape for _, shape in written.parts.values()] == [(5, 4), (4,), (4, 1), (1,)]
    weights = network.get_weights()
    weights[0][0, 0] += 1
    network.set_weights(weights)
    assert FORMATS["networks"].write(network, tmp_path / "n.keras").content != written.content

    forest = FORMATS["estimators"].read(tmp_path / "one" / "e.skops")
    X = np.random.default_rng(2).normal(size=(9, 5))
    again = FORMATS["estimators"].read(tmp_path / "two" / "e.skops")
    np.testing.assert_array_equal(forest.predict_proba(X), again.predict_proba(X))


class Foreign:
    def __init__(self) -> None:
        self.value = 1


def test_the_order_of_class_weights_counts(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    weights = ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0})
    contents = {
        content("estimators", LogisticRegression(class_weight=each), tmp_path / str(number))
        for number, each in enumerate(weights)
    }
    assert len(contents) == 2
    assert list(read("estimators", tmp_path / "1").class_weight) == ["b", "a"]


def test_an_estimator_of_a_foreign_type_is_refused(tmp_path: Path) -> None:
    FORMATS["estimators"].write(Foreign(), tmp_path / "e.skops")
    with pytest.raises(ValueError, match="types that are not trusted"):
        FORMATS["estimators"].read(tmp_path / "e.skops")


def test_hashes_are_the_same_in_another_process(tmp_path: Path) -> None:
    code = """
import sys, json, numpy as np, pandas as pd
from pathlib import Path
from orchestration.store.formats import FORMATS
out = {}
for name, value in {
    "arrays": {"x": np.arange(5.0), "s": np.array(["a", "bc"])},
    "tables": pd.DataFrame({"x": [1.0, 2.0], "s": ["a", "b"]}),
    "json": {"a": {"b": 1, "c": 2}},
    "folders": {"a": b"1"},
}.items():
    out[name] = FORMATS[name].write(value, Path(sys.argv[1]) / f"v{FORMATS[name].suffix}").content
print(json.dumps(out))
"""
    said = []
    for seed in ("1", "2"):
        (tmp_path / seed).mkdir()
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / seed)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(json.loads(done.stdout))
    assert said[0] == said[1]


OWN = """
import keras

@keras.saving.register_keras_serializable(package="own")
class Twice(keras.layers.Layer):
    def call(self, x):
        return 2 * x

class Threshold:
    def __init__(self):
        self.value = 0.5
"""

READ_OWN = """
import sys
from pathlib import Path
from orchestration.store import Slot, Store

folder = Path(sys.argv[1])
store = Store(folder / "store", folder / "locks", sys.argv[2:])
network = store.load(Slot("network"))
print(type(network.layers[-1]).__name__, store.load(Slot("threshold")).value)
"""


def test_types_of_the_projects_own_packages_are_trusted_and_no_others(tmp_path: Path) -> None:
    """Whatever the packages are called: the store is told."""
    (tmp_path / "detectors").mkdir()
    (tmp_path / "detectors" / "__init__.py").write_text("")
    (tmp_path / "detectors" / "layers.py").write_text(OWN)
    write_own = (
        "import keras, sys; from pathlib import Path;"
        "from detectors.layers import Threshold, Twice;"
        "from orchestration.store import Slot, Store; folder = Path(sys.argv[1]);"
        "store = Store(folder / 'store', folder / 'locks');"
        "network = keras.Sequential([keras.Input((2,)), Twice()]);"
        "settings = {'version': {}, 'inputs': {}, 'build': 'one'};"
        "store.write(Slot('network'), network, 'networks', **settings);"
        "store.write(Slot('threshold'), Threshold(), 'estimators', **settings)"
    )
    root = Path(__file__).parents[3]
    env = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}

    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    assert run(write_own).returncode == 0
    done = run(READ_OWN, "detectors")
    assert done.stdout.split() == ["Twice", "0.5"], done.stderr
    refused = run(READ_OWN, "others")
    assert refused.returncode == 1
    assert "Twice" in refused.stderr
