from __future__ import annotations

import gzip
import hashlib
import json
import logging
import tracemalloc
import zipfile

import numpy as np
import pytest

from models.errors import BadInput
from models.exoplanets import readers
from models.exoplanets.readers import CADENCES, read_files, read_kepler_quarters, to_row

HEADER = ",".join(["LABEL", *(f"FLUX.{i}" for i in range(1, CADENCES + 1))])


def gathered(blocks):
    parts = list(blocks)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def table(labels, *, changes=(), header=HEADER, end="\n"):
    """A CSV in the Kaggle layout: row r (from 1), flux i is r + i / 10000; changed cell by cell."""
    lines = [
        [str(label), *(f"{row + i / 10_000:.4f}" for i in range(1, CADENCES + 1))]
        for row, label in enumerate(labels, 1)
    ]
    for row, column, value in changes:
        lines[row - 1][column] = value
    return end.join([header, *(",".join(line) for line in lines), ""])


# The Kaggle set


@pytest.fixture
def pair(tmp_path):
    (tmp_path / "exoTrain.csv").write_text(table([2, 1, 1, 2, 1]))
    (tmp_path / "exoTest.csv").write_text(table([1, 2]))
    return tmp_path


def test_the_pair_becomes_two_parts(pair):
    made = gathered(read_files(pair))
    assert made["label"].tolist() == [1, 0, 0, 1, 0, 0, 1]
    assert made["part"].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert made["star"][[0, 4, 5]].tolist() == ["exoTrain:1", "exoTrain:5", "exoTest:1"]
    assert (made["host"] == made["star"]).all()
    assert made["kind"].tolist()[:2] == ["planet", "unknown"]
    assert np.isnan([made["period"], made["depth"], made["snr"]]).all()
    row, i = np.arange(1, 6)[:, None], np.arange(1, CADENCES + 1)
    np.testing.assert_allclose(made["flux"][:5], row + i / 10_000, rtol=1e-6)


def test_rows_have_the_shape_and_types_of_every_source(pair):
    made = gathered(read_files(pair))
    assert {name: str(array.dtype) for name, array in made.items()} == {
        "flux": "float32",
        "label": "int8",
        "star": "<U48",
        "host": "<U48",
        "part": "int8",
        "kind": "<U16",
        "period": "float64",
        "depth": "float64",
        "snr": "float64",
    }
    assert made["flux"].shape == (7, CADENCES)


def test_no_row_is_lost_or_doubled_between_blocks(pair):
    whole = gathered(read_files(pair))
    blocks = list(read_files(pair, block_rows=2))
    assert [len(block["flux"]) for block in blocks] == [2, 2, 1, 2]
    for name, array in gathered(blocks).items():
        np.testing.assert_array_equal(array, whole[name])


@pytest.mark.parametrize("form", ["crlf", "gz", "zip", "nested zip", "byte order mark"])
def test_every_form_in_which_the_pair_is_found_reads_the_same(pair, tmp_path, form):
    whole = gathered(read_files(pair))
    path = other = tmp_path / "other"
    other.mkdir()
    for file in pair.glob("*.csv"):
        data = file.read_bytes()
        if form == "crlf":
            (other / file.name).write_bytes(data.replace(b"\n", b"\r\n"))
        elif form == "gz":
            (other / f"{file.name}.gz").write_bytes(gzip.compress(data, 1))
        elif form == "byte order mark":
            (other / file.name).write_bytes(b"\xef\xbb\xbf" + data)
        else:
            path = other if form == "zip" else other / "archive.zip"
            with zipfile.ZipFile(other / "archive.zip", "a") as pack:
                pack.writestr(f"{'data/' if form == 'nested zip' else ''}{file.name}", data)
    for name, array in gathered(read_files(path)).items():
        np.testing.assert_array_equal(array, whole[name])


def test_a_single_file_is_all_one_part(pair):
    made = gathered(read_files(pair / "exoTest.csv"))
    assert made["part"].tolist() == [0, 0]


def test_the_real_rows_are_read(shared):
    made = gathered(read_files(shared / "data/kepler/kepler_real_40_rows_kaggle_layout.csv.gz"))
    assert made["flux"].shape == (40, CADENCES)
    assert made["label"].sum() == 3
    np.testing.assert_array_equal(
        made["flux"][0, [0, 12, 13, 14]].astype(str), ["7909.8", "7909.8", "7850.3", "7778.6"]
    )


def test_published_values_come_through(shared, tmp_path):
    anchors = json.loads((shared / "data/kepler/kaggle_anchor_values.json").read_text())
    values = [anchors["exoTest_row0_FLUX_1_99"], anchors["exoTest_row1_FLUX_1_99"]]
    lines = [",".join(["2", *map(str, v), *["0.0"] * (CADENCES - 99)]) for v in values]
    rest = ",".join(["1", *["0"] * CADENCES])
    (tmp_path / "exoTest.csv").write_text("\n".join([HEADER, *lines, rest]))
    made = gathered(read_files(tmp_path / "exoTest.csv"))
    np.testing.assert_array_equal(made["flux"][:2, :99], np.array(values, np.float32))


def test_memory_does_not_grow_with_the_rows(tmp_path):
    def peak(rows):
        file = tmp_path / "exoTrain.csv"
        file.write_text(table([2, 1] * (rows // 2)))
        tracemalloc.start()
        for _ in read_files(file, block_rows=10):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(20)
    assert peak(200) < 1.2 * peak(40)


def bad(path, text=None, **where):
    """Read, and return the one error, which must name the file, row and column."""
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadInput) as caught:
        gathered(read_files(path))
    error = caught.value
    assert str(path) in error.file
    assert {"row": error.row, "column": error.column} == {"row": None, "column": None, **where}
    for value in (path, *where.values()):
        assert str(value) in str(error)
    return str(error)


def test_a_missing_column_is_named(tmp_path):
    header = HEADER.replace(",FLUX.7,", ",")
    text = bad(tmp_path / "exoTrain.csv", table([2, 1], header=header), column="FLUX.7")
    assert "the header has no such column; expected LABEL, then FLUX.1 to FLUX.3197" in text


@pytest.mark.parametrize(
    ("header", "column"),
    [
        (HEADER + ",FLUX.3198", "FLUX.3198"),
        (HEADER.replace("FLUX.1,FLUX.2,", "FLUX.2,FLUX.1,"), "FLUX.2"),
    ],
)
def test_a_column_too_many_or_out_of_place_is_named(tmp_path, header, column):
    text = bad(tmp_path / "exoTrain.csv", table([2, 1], header=header), column=column)
    assert "out of place" in text


@pytest.mark.parametrize(("cell", "count"), [("1,1", 3199), ("", 3198)])
def test_a_wrong_count_of_values_names_the_row(tmp_path, cell, count):
    if count == 3198:  # a value left out: the comma before it goes too
        content = table([2, 1, 1]).splitlines()
        content[2] = content[2].rpartition(",")[0]
        text = bad(tmp_path / "exoTrain.csv", "\n".join(content), row=2)
        assert "3197 values; expected 3198" in text
    else:
        content = table([2, 1, 1], changes=[(2, 5, cell)])
        text = bad(tmp_path / "exoTrain.csv", content, row=2)
        assert "3199 values; expected 3198" in text


@pytest.mark.parametrize("value", ["abc", "", "NaN", "nan", "inf", "-Infinity", "1e99", "1.5x"])
@pytest.mark.parametrize("column", [1, 1600, CADENCES])
def test_text_nan_and_infinity_name_row_and_column(tmp_path, value, column):
    content = table([2, 1, 1], changes=[(3, column, value)])
    text = bad(tmp_path / "exoTrain.csv", content, row=3, column=f"FLUX.{column}")
    assert f"the flux is {value!r}; expected a finite number in e-/s" in text


@pytest.mark.parametrize("value", ["0", "3", "1.5", "planet", "", "nan"])
def test_a_label_other_than_1_and_2_names_the_row(tmp_path, value):
    content = table([2, 1, 1], changes=[(2, 0, value)])
    text = bad(tmp_path / "exoTrain.csv", content, row=2, column="LABEL")
    assert f"the label is {value!r}; expected 2 (with a planet) or 1 (without)" in text


def test_rows_are_counted_across_blocks(tmp_path):
    path = tmp_path / "exoTrain.csv"
    path.write_text(table([2, 1, 1, 1, 1], changes=[(5, 9, "x")]))
    with pytest.raises(BadInput, match=r"row 5, column FLUX\.9"):
        list(read_files(path, block_rows=2))


@pytest.mark.parametrize(("labels", "none"), [([1, 1], 2), ([2, 2], 1)])
def test_a_split_without_planets_or_with_nothing_else_is_refused(pair, labels, none):
    path = pair / "exoTest.csv"
    path.write_text(table(labels))
    with pytest.raises(BadInput, match=f"none of the 2 rows has label {none}") as caught:
        list(read_files(pair))
    assert caught.value.file == str(path)
    assert caught.value.column == "LABEL"


def test_what_came_before_a_bad_row_was_given(tmp_path):
    path = tmp_path / "exoTrain.csv"
    path.write_text(table([2, 1, 1], changes=[(3, 9, "x")]))
    stream = iter(read_files(path, block_rows=2))
    assert len(next(stream)["flux"]) == 2
    with pytest.raises(BadInput):
        next(stream)


def test_a_truncated_gzip_says_how_far_it_went(tmp_path):
    path = tmp_path / "exoTrain.csv.gz"
    whole = gzip.compress(table([2, 1] * 20).encode())
    path.write_bytes(whole[: len(whole) // 2])
    # Up to 128 kB, or four rows, may be on their way.
    assert 14 <= int(bad(path).partition("after row ")[2].split()[0]) <= 20
    path.write_bytes(whole[:-1])  # all is there but the last byte of the checksum
    assert "Download the file again" in bad(path)
    path.write_bytes(whole[:-6] + bytes(6))
    bad(path)


def test_empty_files_say_so(tmp_path):
    assert "the file is empty" in bad(tmp_path / "exoTrain.csv", "")
    assert "no row under the header" in bad(tmp_path / "exoTrain.csv", HEADER + "\n")
    (tmp_path / "exoTest.csv.gz").write_bytes(b"")
    assert "the file is empty" in bad(tmp_path / "exoTest.csv.gz")


def test_a_cut_off_last_row_says_so(tmp_path):
    text = table([2, 1, 1])
    assert "cut off" in bad(tmp_path / "exoTrain.csv", text[: len(text) - 5000], row=3)


def test_quoted_numbers_are_refused_with_the_row(tmp_path):
    assert "quotes" in bad(
        tmp_path / "exoTrain.csv", table([2, 1], changes=[(2, 4, '"1.0"')]), row=2
    )


def test_a_path_with_nothing_in_it_says_what_was_expected(tmp_path):
    assert "expected a CSV file" in bad(tmp_path / "nowhere")
    assert "expected exoTrain.csv and exoTest.csv" in bad(tmp_path)
    (tmp_path / "a.zip").write_bytes(b"PK nonsense")
    assert "damaged zip file" in bad(tmp_path / "a.zip")


def test_the_kaggle_pair_is_downloaded_and_verified(misbehaving, session, tmp_path, monkeypatch):
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "s3cr3t")
    files, path = {}, "/api/v1/datasets/download/keplersmachines/kepler-labelled-time-series-data/"
    for name, labels in (("exoTrain.csv", [2, 1, 1]), ("exoTest.csv", [1, 2])):
        body = table(labels).encode()
        files[name] = (len(body), hashlib.sha256(body).hexdigest())
        misbehaving.put(path + name, body)
    monkeypatch.setattr(readers, "KAGGLE_FILES", files)
    folder = readers.download_kaggle(
        tmp_path / "kaggle", base_url=misbehaving.url("/api/v1"), session=session
    )
    assert gathered(read_files(folder))["part"].tolist() == [0, 0, 0, 1, 1]


# Kepler quarters


def curve(n=CADENCES + 100, seed=0):
    """Time, flux and quality with a gap of 5 cadences at 100."""
    rng = np.random.default_rng(seed)
    flux = 1000 + rng.normal(0, 1, n)
    flux[100:105] = np.nan
    return 131.5 + np.arange(n) * 0.0204, flux, np.arange(n) % 3


def write_fits(path, names=("TIME", "PDCSAP_FLUX", "SAP_QUALITY"), **options):
    from astropy.io import fits

    formats = {"TIME": "D", "PDCSAP_FLUX": "E", "SAP_QUALITY": "J", "SAP_FLUX": "E"}
    data = dict(zip(("TIME", "PDCSAP_FLUX", "SAP_QUALITY"), curve(**options), strict=True))
    data["SAP_FLUX"] = data["PDCSAP_FLUX"]
    columns = [fits.Column(name, formats[name], array=data[name]) for name in names]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path)


def write_csv(path, *, header=False, quoted=False, **options):
    time, flux, quality = curve(**options)
    lines = [",".join(readers.COLUMNS)] if header else []
    for t, f, q in zip(time, flux, quality, strict=True):
        cells = [" "] * 20
        cells[0], cells[9] = f"{t:.7f}", f"{q:016d}"
        cells[7] = " " if np.isnan(f) else f"{f:.7E}"
        if quoted:
            cells = [f'"{cell}"' if cell != " " else '"NULL"' for cell in cells]
        lines.append(",".join(cells))
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)


STAMP = "2009166043257"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (f"kplr000000012-{STAMP}_llc.fits", {}),
        (f"kplr000000012-{STAMP}_llc.fits.gz", {}),
        (f"kplr000000012-{STAMP}_llc_t1.txt.gz", {}),
        (f"kplr000000012-{STAMP}_llc_t1.txt", {"quoted": True}),
        (f"kplr000000012-{STAMP}_llc.csv.gz", {"header": True}),
        (f"CONFIRMED__kplr000000012-{STAMP}_llc.csv", {"header": True, "quoted": True}),
    ],
)
def test_quarters_are_read_from_every_form(tmp_path, name, options):
    write = write_fits if ".fits" in name else write_csv
    write(tmp_path / name, **options)
    (quarter,) = read_kepler_quarters(tmp_path)
    time, flux, quality = curve()
    assert (quarter.kic, quarter.name, quarter.file) == (12, STAMP, tmp_path / name)
    assert quarter.disposition == ("CONFIRMED" if name.startswith("C") else "")
    np.testing.assert_allclose(quarter.time, time, atol=1e-7)
    np.testing.assert_allclose(quarter.flux, flux, rtol=1e-6)
    np.testing.assert_array_equal(quarter.quality, quality)
    assert quarter.time.dtype == quarter.flux.dtype == np.float64
    assert quarter.time.dtype.isnative


def test_the_real_quarters_are_read(shared):
    quarters = read_kepler_quarters(shared / "data/kepler/raw")
    assert len(quarters) == 46
    assert quarters == sorted(quarters, key=lambda quarter: (quarter.kic, quarter.name))
    dispositions = {quarter.kic: quarter.disposition for quarter in quarters}
    assert sorted(kic for kic, d in dispositions.items() if d == "CONFIRMED") == [
        10666592,
        10748390,
        11446443,
    ]
    first = next(quarter for quarter in quarters if quarter.kic == 10666592)
    assert 120.53 < first.time[0] < 120.54
    assert np.isnan(first.flux).sum() == 7
    assert np.nanmedian(first.flux) == pytest.approx(1.0357e6, rel=1e-4)


def test_rows_made_of_the_real_quarters_are_those_that_others_made(shared, caplog):
    others = gathered(read_files(shared / "data/kepler/kepler_real_40_rows_kaggle_layout.csv.gz"))
    made = gathered(read_files(shared / "data/kepler/raw", block_rows=7))
    assert made["flux"].shape == (38, CADENCES)
    for row in made["flux"]:
        nearest = np.abs(others["flux"] - row).max(axis=1).min()
        assert nearest < 0.006  # they kept two decimals or five digits
    assert made["label"].sum() == 1
    assert len(np.unique(made["star"])) == 38
    assert len(np.unique(made["host"])) == 5
    assert "skipped 8 light curves with fewer than 3197 cadences" in caplog.text
    assert "kplr010666592-2009131105131" in caplog.text


def test_gaps_are_interpolated_and_the_median_is_subtracted():
    flux = np.full(CADENCES + 50, 10.0)
    flux[1:4] = 11.0, np.nan, 13.0
    flux[5] = 10.5
    flux[CADENCES:] = 1e6  # beyond the row: no part of it, nor of its median
    row = to_row(flux)
    assert row.dtype == np.float32
    assert row[:6].tolist() == [0, 1, 2, 3, 0, 0.5]
    assert len(row) == CADENCES


def test_labels_come_from_the_table_before_the_file_name(tmp_path):
    write_csv(tmp_path / f"FALSE-POSITIVE__kplr000000012-{STAMP}_llc.csv")
    write_csv(tmp_path / f"kplr000000013-{STAMP}_llc.csv", seed=1)
    (tmp_path / "labels.csv").write_text("kic,label\n12,2\n13,1\n")
    made = gathered(read_files(tmp_path))
    assert made["label"].tolist() == [1, 0]
    assert made["star"].tolist() == [f"KIC 12 {STAMP}", f"KIC 13 {STAMP}"]
    assert made["host"].tolist() == ["KIC 12", "KIC 13"]


def test_a_star_without_a_label_is_named_with_the_remedy(tmp_path):
    write_csv(tmp_path / f"kplr000000012-{STAMP}_llc.csv")
    with pytest.raises(BadInput, match=r"KIC 12 has a planet.*Add to labels\.csv 12,2"):
        list(read_files(tmp_path))


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("kic\n12\n", None, "label"),
        ("kic,label\n12,2\nabc,1\n", 2, "kic"),
        ("kic,label\n12,3\n", 1, "label"),
        ("kic,label\n12\n", 1, "label"),
    ],
)
def test_a_bad_table_of_labels_is_named(tmp_path, text, row, column):
    write_csv(tmp_path / f"kplr000000012-{STAMP}_llc.csv")
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(BadInput) as caught:
        list(read_files(tmp_path))
    assert caught.value.file == str(tmp_path / "labels.csv")
    assert (caught.value.row, caught.value.column) == (row, column)


def test_a_folder_of_planets_only_or_short_curves_only_is_refused(tmp_path):
    write_csv(tmp_path / f"CONFIRMED__kplr000000012-{STAMP}_llc.csv")
    with pytest.raises(BadInput, match="no star without a planet"):
        list(read_files(tmp_path))
    write_csv(tmp_path / f"FALSE-POSITIVE__kplr000000013-{STAMP}_llc.csv", n=CADENCES - 1)
    with pytest.raises(BadInput, match="no star without a planet"):
        list(read_files(tmp_path))


def bad_quarter(path, **where):
    with pytest.raises(BadInput) as caught:
        read_kepler_quarters(path.parent)
    error = caught.value
    assert error.file == str(path)
    assert {"row": error.row, "column": error.column} == {"row": None, "column": None, **where}
    return str(error)


def test_a_fits_file_without_the_column_names_it(tmp_path):
    path = tmp_path / f"kplr000000012-{STAMP}_llc.fits"
    write_fits(path, names=("TIME", "SAP_FLUX", "SAP_QUALITY"))
    text = bad_quarter(path, column="PDCSAP_FLUX")
    assert "no such column among TIME, SAP_FLUX, SAP_QUALITY" in text


def test_a_damaged_fits_file_is_named(tmp_path):
    path = tmp_path / f"kplr000000012-{STAMP}_llc.fits"
    write_fits(path)
    whole = path.read_bytes()
    for damaged in (b"", b"not a FITS file", whole[:1000], whole[:2880], whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        assert "Download the file again" in bad_quarter(path)


def test_a_damaged_csv_quarter_is_named(tmp_path):
    path = tmp_path / f"kplr000000012-{STAMP}_llc.csv.gz"
    write_csv(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "end early or are damaged after row" in bad_quarter(path)
    path.write_bytes(gzip.compress(b""))
    assert "the file is empty" in bad_quarter(path)


def test_bad_cells_of_a_quarter_name_row_and_column(tmp_path):
    path = tmp_path / f"kplr000000012-{STAMP}_llc.csv"
    write_csv(path, n=10)
    lines = path.read_text().splitlines()

    def changed(row, column, value):
        cells = lines[row - 1].split(",")
        cells[readers.COLUMNS.index(column)] = value
        path.write_text("\n".join([*lines[: row - 1], ",".join(cells), *lines[row:]]))

    changed(4, "PDCSAP_FLUX", "abc")
    assert "'abc' is not a number" in bad_quarter(path, row=4, column="PDCSAP_FLUX")
    changed(5, "TIME", "inf")
    assert "infinite" in bad_quarter(path, row=5, column="TIME")
    changed(6, "TIME", "1,2")
    assert "21 values" in bad_quarter(path, row=6)
    path.write_text(",".join(readers.COLUMNS[:9]) + "\n" + "1" + ",1" * 8)
    bad_quarter(path, column="SAP_QUALITY")


def test_a_light_curve_of_nothing_but_gaps_is_refused(tmp_path):
    path = tmp_path / f"kplr000000012-{STAMP}_llc.csv"
    path.write_text("\n".join([",".join(["1.0", *[" "] * 19])] * 5))
    assert "none of the first 3197 values" in bad_quarter(path, column="PDCSAP_FLUX")


def test_other_files_in_the_folder_are_left_alone(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    write_csv(tmp_path / f"kplr000000012-{STAMP}_llc.csv")
    (tmp_path / "README.txt").write_text("what these are")
    (tmp_path / f"kplr000000012-{STAMP}_slc.fits").write_text("short cadence")
    assert len(read_kepler_quarters(tmp_path)) == 1
