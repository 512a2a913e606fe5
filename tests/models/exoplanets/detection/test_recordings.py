"""Light curves as they come: which files are one star, what is read, what is said of the bad."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from models.errors import BadInput
from models.exoplanets.detection import group_files, read_recording
from models.exoplanets.detection import recordings as module

STEP = 29.4244 / 1440


def curve(cadences=400, start=100.0, seed=0):
    rng = np.random.default_rng(seed)
    time = start + np.arange(cadences) * STEP
    return time, 5000 * (1 + 1e-3 * rng.normal(size=cadences))


def write_csv(path: Path, columns: dict) -> Path:
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_fits(path: Path, columns: dict, **header) -> Path:
    from astropy.io import fits

    primary = fits.PrimaryHDU()
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column(name, "J" if np.asarray(values).dtype.kind == "i" else "D", array=values)
            for name, values in columns.items()
        ]
    )
    primary.header.update({k: v for k, v in header.items() if not k.startswith("BJD")})
    table.header.update({k: v for k, v in header.items() if k.startswith("BJD")})
    fits.HDUList([primary, table]).writeto(path)
    return path


def kepler(path: Path, start=100.0, cadences=400, **changed) -> Path:
    time, flux = curve(cadences, start)
    columns = {
        "TIME": time,
        "SAP_FLUX": flux * 1.1,
        "PDCSAP_FLUX": flux,
        "SAP_QUALITY": np.zeros(cadences, np.int32),
    }
    return write_fits(path, columns | changed, MISSION="Kepler", OBJECT="KIC 1", BJDREFI=2454833)


# which files are one star


def test_quarters_campaigns_and_sectors_of_a_star_belong_together(tmp_path):
    names = {
        "KIC 10666592": [
            "kplr010666592-2009131105131_llc.fits",
            "CONFIRMED__kplr010666592-2009166043257_llc_t1.txt.gz",
        ],
        "EPIC 201367065": ["ktwo201367065-c01_llc.fits", "ktwo201367065-c18_llc.fits"],
        "TIC 25155310": [
            "tess2018206045859-s0001-0000000025155310-0120-s_lc.fits",
            "tess2018234235059-s0002-0000000025155310-0121-s_lc.fits",
        ],
        "EPIC201367065_detrended": ["EPIC201367065_detrended.csv"],
        "stern grün": ["stern grün.csv"],
    }
    for files in names.values():
        for name in files:
            (tmp_path / name).write_bytes(b"")
    (tmp_path / "notes.md").write_text("not a light curve")
    groups = group_files([tmp_path])
    assert {name: sorted(f.name for f in files) for name, files in groups.items()} == {
        name: sorted(files) for name, files in names.items()
    }


def test_a_fits_file_of_any_name_is_grouped_by_its_object(tmp_path):
    first = kepler(tmp_path / "a.fits")
    second = kepler(tmp_path / "b.fits", start=120.0)
    assert group_files([tmp_path]) == {"KIC 1": (first, second)}


def test_tables_of_the_same_name_in_two_folders_are_two_stars(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "star.csv").write_bytes(b"")
    assert sorted(group_files([tmp_path])) == ["a star", "b star"]


def test_an_empty_folder_has_no_recordings(tmp_path):
    assert group_files([tmp_path]) == {}


# reading


def test_quarters_are_divided_by_their_medians_and_joined(tmp_path):
    files = [
        kepler(tmp_path / "kplr000000001-2009166043257_llc.fits", 120.0),
        kepler(tmp_path / "kplr000000001-2009131105131_llc.fits", 100.0),
    ]
    recording = read_recording("KIC 1", files)
    assert np.all(np.diff(recording.arrays["time"]) > 0)
    assert recording.arrays["file"].tolist() == [0] * 400 + [1] * 400
    assert np.median(recording.arrays["flux"]) == pytest.approx(1, abs=1e-4)
    assert recording.facts["mission"] == "Kepler"
    assert recording.facts["zero"] == 2454833
    assert recording.facts["column"] == "pdcsap_flux"
    assert recording.facts["cadence"] == pytest.approx(29.4244)
    assert recording.notes == ()


def test_only_severe_flags_of_the_mission_drop_a_cadence(tmp_path):
    quality = np.zeros(400, np.int32)
    quality[:10] = 128  # cosmic ray, corrected
    quality[20:25] = 1048576  # thrusters fired
    file = kepler(tmp_path / "kplr000000001-2009131105131_llc.fits", SAP_QUALITY=quality)
    assert len(read_recording("KIC 1", [file]).arrays["time"]) == 395
    time, flux = curve()
    table = write_csv(tmp_path / "a.csv", {"time": time, "flux": flux, "quality": quality})
    assert len(read_recording("a", [table]).arrays["time"]) == 385


def test_tess_names_its_flags_quality(tmp_path):
    time, flux = curve()
    quality = np.zeros(400, np.int32)
    quality[:7] = 16  # light from outside
    file = write_fits(
        tmp_path / "tess2018206045859-s0001-0000000025155310-0120-s_lc.fits",
        {"TIME": time, "PDCSAP_FLUX": flux, "QUALITY": quality},
        TELESCOP="TESS",
        BJDREFI=2457000,
    )
    recording = read_recording("TIC 25155310", [file])
    assert recording.facts["mission"] == "TESS"
    assert len(recording.arrays["time"]) == 393


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".txt", ".dat"])
def test_tables_of_time_and_flux_are_read(tmp_path, suffix):
    import pandas as pd

    time, flux = curve()
    file = tmp_path / f"a star{suffix}"
    if suffix == ".parquet":
        pd.DataFrame({"Time": time, "Flux": flux}).to_parquet(file)
    elif suffix in (".txt", ".dat"):
        np.savetxt(file, np.column_stack([time, flux]), header="days, e-/s")
    else:
        text = "\n".join(["TIME,FLUX", *(f"{t},{f}" for t, f in zip(time, flux, strict=True))])
        packed = suffix.endswith(".gz")
        file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    recording = read_recording("a star", [file])
    np.testing.assert_allclose(recording.arrays["time"], time)
    np.testing.assert_allclose(recording.arrays["flux"], flux / np.median(flux))


def test_gaps_are_left_out_and_rows_in_disorder_are_sorted(tmp_path):
    time, flux = curve()
    flux[5] = np.nan
    order = np.r_[200:400, 0:200, [7]]
    file = write_csv(tmp_path / "a.csv", {"time": time[order], "flux": flux[order]})
    recording = read_recording("a", [file])
    assert len(recording.arrays["time"]) == 399
    assert "put in order of time, 1 with a time that was there already" in recording.notes[0]


def test_of_two_files_that_overlap_the_second_is_left_out_and_named(tmp_path):
    long = kepler(tmp_path / "kplr000000001-2009131105131_llc.fits")
    short = kepler(tmp_path / "kplr000000001-2009131105131_slc.fits", start=101.0)
    recording = read_recording("KIC 1", [short, long])
    assert recording.facts["files"] == [long.name]
    assert f"{short.name} is left out: it overlaps {long.name} in time" in recording.notes[0]


def test_raw_flux_is_read_where_the_corrected_is_empty_and_said(tmp_path):
    file = kepler(
        tmp_path / "kplr000000001-2009131105131_llc.fits", PDCSAP_FLUX=np.full(400, np.nan)
    )
    recording = read_recording("KIC 1", [file])
    assert recording.facts["column"] == "sap_flux"
    assert "SAP_FLUX is read, which still has the telescope's drift" in recording.notes[0]


def test_flux_about_zero_is_taken_as_relative(tmp_path):
    time, flux = curve()
    file = write_csv(tmp_path / "a.csv", {"time": time, "flux": flux / 5000 - 1})
    recording = read_recording("a", [file])
    assert np.median(recording.arrays["flux"]) == pytest.approx(1)
    assert "taken as relative to the star's" in recording.notes[0]


def test_a_path_with_spaces_and_unicode_is_read(tmp_path):
    folder = tmp_path / "Sterne über Süd 星"
    folder.mkdir()
    time, flux = curve()
    write_csv(folder / "α Cen.csv", {"time": time, "flux": flux})
    [(name, files)] = group_files([folder]).items()
    assert name == "α Cen"
    assert len(read_recording(name, files).arrays["time"]) == 400


# what can't be read

TIME, FLUX = curve()


def table(text):
    return lambda path: path.write_bytes(text if isinstance(text, bytes) else text.encode())


def columns(**named):
    return lambda path: write_csv(path, named)


@pytest.mark.parametrize(
    ("name", "write", "problem"),
    [
        ("a.csv", table(""), "it is empty; expected"),
        ("a.csv", table("# nothing\n\n"), "it has no rows"),
        ("a.csv", columns(time=TIME, brightness=FLUX), "no column of flux among time, brightness"),
        ("a.csv", columns(phase=TIME, flux=FLUX), "no column of times among phase, flux"),
        ("a.csv", columns(time=TIME, flux=["nan"] * 400), "none of its 400 fluxes is there"),
        ("a.csv", columns(time=TIME[:60], flux=FLUX[:60]), "60 cadences have a time, a flux"),
        ("a.csv", columns(time=TIME, flux=[3.0] * 400), "all of its 400 fluxes are 3"),
        ("a.csv", columns(time=TIME, flux=FLUX - 5000), "is not above its scatter of"),
        ("a.csv", columns(time=TIME * 86400, flux=FLUX), "there is a value every 1765.46 days"),
        ("a.csv", table("time,flux\n1.0,5\n1.1,bright\n"), "row 3, column flux: 'bright' is not a"),
        ("a.csv", table("LABEL,FLUX.1,FLUX.2\n2,1,1\n"), "a table of many stars"),
        ("a.csv", table("1,2,3,4,5,6\n"), "it has 6 columns without names"),
        ("a.csv", table(b"\xff\xfe\x00"), "damaged, cut off or no light curve (UnicodeDecodeError"),
        ("a.csv.gz", table(gzip.compress(b"time,flux\n" * 99)[:-9]), "damaged, cut off"),
        ("a.parquet", table("PAR1"), "damaged, cut off"),
        ("a.fits", table("SIMPLE  ="), "damaged, cut off"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_bad_file_is_named_with_its_fault(tmp_path, name, write, problem):
    file = tmp_path / name
    write(file)
    with pytest.raises(BadInput) as caught:
        read_recording("a", [file])
    assert str(caught.value).startswith(str(file))
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fits_file_without_time_table_or_clean_cadence(tmp_path):
    from astropy.io import fits

    blind = write_fits(tmp_path / "blind.fits", {"FLUX": FLUX})
    with pytest.raises(BadInput, match="it has no column of times among flux"):
        read_recording("a", [blind])
    image = tmp_path / "image.fits"
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(image)
    with pytest.raises(BadInput, match="it has no table: an image or a bare header"):
        read_recording("a", [image])
    flagged = kepler(
        tmp_path / "kplr000000001-2009131105131_llc.fits", SAP_QUALITY=np.full(400, 2, np.int32)
    )
    with pytest.raises(BadInput, match="0 cadences have a time, a flux and a clean flag"):
        read_recording("a", [flagged])
    cut = tmp_path / "cut.fits"
    cut.write_bytes(kepler(tmp_path / "whole.fits").read_bytes()[:9000])
    with pytest.raises(BadInput, match="damaged, cut off or no light curve"):
        read_recording("a", [cut])


def test_a_file_that_is_not_there_or_a_folder(tmp_path):
    with pytest.raises(BadInput, match="it is not there"):
        read_recording("a", [tmp_path / "a.csv"])
    with pytest.raises(BadInput, match="it is no file"):
        read_recording("a", [tmp_path])


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    file = write_csv(tmp_path / "a.csv", {"time": TIME, "flux": FLUX})

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read anything
    with pytest.raises(BadInput, match="it may not be read: permission denied"):
        read_recording("a", [file])


def test_a_file_that_is_replaced_while_it_is_read(tmp_path, monkeypatch):
    file = write_csv(tmp_path / "a.csv", {"time": TIME, "flux": FLUX})
    read = Path.read_bytes

    def replace(self):
        content = read(self)
        other = write_csv(tmp_path / "new", {"time": TIME + 1, "flux": FLUX})
        other.replace(self)
        return content

    monkeypatch.setattr(Path, "read_bytes", replace)
    with pytest.raises(BadInput, match="it was replaced while it was read"):
        read_recording("a", [file])


def test_the_kepler_files_of_the_archive_are_read(shared):
    groups = group_files([shared / "data" / "kepler" / "raw"])
    assert len(groups) == 7
    recording = read_recording("KIC 10748390", groups["KIC 10748390"])
    assert len(recording.facts["files"]) == 3
    assert recording.facts["mission"] == "Kepler"
    assert module.FLAGS["Kepler"] == 1130799
