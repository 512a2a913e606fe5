"""Reading the series of SWAN-SF."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import BadInput
from models.solar_flares.ingestion import FoldFile, read_json_lines
from models.solar_flares.records import PARAMETERS
from models.solar_flares.swan_sf import read_swan_sf

NAME = "lab[M]1.5@7571_id[3686]_st[2014-02-03T17:00:00]_et[2014-02-04T04:48:00].csv"


def write(folder, *, name=NAME, rows=60, change=lambda cells: cells):
    table = [["Timestamp", *PARAMETERS]]
    table += [[f"t{row}", *(f"{row}.{k}" for k in range(len(PARAMETERS)))] for row in range(rows)]
    (folder / name).write_text("".join("\t".join(cells) + "\n" for cells in change(table)))


def read(folder):
    (block,) = read_swan_sf(folder, fold=2)
    return block


def test_a_series_is_one_record_of_its_patch(tmp_path):
    write(tmp_path)
    (tmp_path / "README.txt").write_text("passed over")
    block = read(tmp_path)
    assert block["values"].shape == (1, 60, 25)
    assert block["values"][0, 3, 7] == np.float32(3.7)
    assert block["label"].tolist() == [1]
    assert block["region"].tolist() == ["HARP3686"]
    assert block["id"].tolist() == ["3686-2014-02-03T17:00:00"]
    assert block["fold"].tolist() == [2]


@pytest.mark.parametrize(("flare", "label"), [("NF", 0), ("B", 0), ("C", 0), ("M", 1), ("X", 1)])
def test_only_m_and_x_are_flares(tmp_path, flare, label):
    write(tmp_path, name=NAME.replace("[M]1.5@7571", f"[{flare}]"))
    assert read(tmp_path)["label"].tolist() == [label]


@pytest.mark.parametrize("text", ["", "NA", "NaN", "None"])
def test_missing_samples_are_nan(tmp_path, text):
    def change(table):
        table[5][2] = text
        return table

    write(tmp_path, change=change)
    assert np.argwhere(np.isnan(read(tmp_path)["values"])).tolist() == [[0, 4, 1]]


def test_a_bad_value_is_named_by_row_and_column(tmp_path):
    def change(table):
        table[5][2] = "high"
        return table

    write(tmp_path, change=change)
    with pytest.raises(BadInput, match="row 5, column TOTBSQ: 'high' is not a finite number"):
        read(tmp_path)


def test_a_column_that_is_gone_is_named(tmp_path):
    write(tmp_path, change=lambda table: [cells[:-1] for cells in table])
    with pytest.raises(BadInput, match="column XR_MAX: it has no column XR_MAX"):
        read(tmp_path)


def test_a_short_series_is_refused(tmp_path):
    write(tmp_path, rows=59)
    with pytest.raises(BadInput, match="it has 59 rows; expected 60 rows 12 minutes apart"):
        read(tmp_path)


def test_a_name_without_class_is_refused(tmp_path):
    write(tmp_path, name="series.csv")
    with pytest.raises(BadInput, match=r"series\.csv: its name tells no flare class and patch"):
        read(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"it holds no \.csv file"):
        read_swan_sf(tmp_path, fold=1)


def test_real_series_equal_the_real_json_lines(shared):
    folder = shared / "data" / "solar_flares"
    series = read(folder / "swan_sf")
    (lines,) = read_json_lines([FoldFile(folder / "swan_mvts_12_kaggle_layout.json", 2)], {})
    assert np.array_equal(series["values"], lines["values"], equal_nan=True)
    assert np.array_equal(series["label"], lines["label"])
    assert len(set(series["region"])) == 9
