"""Scans are streamed in order, tried again, left out and counted."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from models.buried_objects.scans import (
    Scene,
    label_blocks,
    table_of,
)
from models.buried_objects.streaming import Job, from_files, simulated, solved, stream
from models.errors import BadInput

SCENE = Scene(0.1, seed=1)


def job(name, *results):
    """A scan whose tries give these, the last one ever again."""
    waiting = list(results)

    def read():
        result = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(result, Exception):
            raise result
        return result

    return Job(name, SCENE, read)


def scan(value, traces=2, samples=4):
    return np.full((traces, samples), value, np.float32)


def test_a_failing_scan_is_tried_again():
    rows = []
    jobs = [job("a", OSError("busy"), BadInput("x", file="f", expected="y", remedy="z"), scan(1))]
    (block,) = stream(jobs, rows, wait=0, retries=2)
    assert block["ez"].tolist() == scan(1).tolist()
    assert [row["status"] for row in rows] == ["read"]


def test_a_scan_that_still_fails_is_left_out_named_and_counted(caplog):
    rows = []
    jobs = [job("a", scan(1)), job("b", OSError("gone")), job("c", scan(3, traces=5))]
    blocks = list(stream(jobs, rows, wait=0, limit=1))
    assert [block["ez"].shape for block in blocks] == [(2, 4), (5, 4)]
    assert [block["ez"][0, 0] for block in blocks] == [1, 3]
    table = table_of(rows)
    assert table["status"].tolist() == ["read", "skipped: gone", "read"]
    assert table["scan"].tolist() == [0, 1, 2]
    assert table["traces"].tolist() == [2, 0, 5]
    assert "scan b is skipped: gone" in caplog.text
    labels = list(label_blocks(table))
    assert np.concatenate([block["scan"] for block in labels]).tolist() == [0, 0, 2, 2, 2, 2, 2]
    assert np.concatenate([block["trace"] for block in labels]).tolist() == [0, 1, 0, 1, 2, 3, 4]


def test_a_scan_of_other_samples_is_left_out():
    rows = []
    assert len(list(stream([job("a", scan(1)), job("b", scan(2, samples=5))], rows))) == 1
    assert rows[1]["status"] == "skipped: it has 5 samples, the scans before it 4"


def test_too_many_failures_end_it_with_the_last_reason():
    jobs = [job(name, OSError(f"no {name}")) for name in "abc"] + [job("d", scan(1))]
    with pytest.raises(BadInput, match=r"a, b: 2 of 2 scans can't be read.*because: no b;.*most 1"):
        list(stream(jobs, [], wait=0, limit=1))


def test_no_scans_at_all_is_an_error():
    with pytest.raises(BadInput, match="there are no scans"):
        list(stream([], []))
    with pytest.raises(BadInput, match="1 of 1 scans can't be read"):
        list(stream([job("a", OSError("gone"))], [], wait=0))


def test_an_error_of_ours_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        list(stream([job("a", ZeroDivisionError())], []))


def test_scans_come_in_order_from_several_threads_and_no_further_ahead_than_asked():
    second = threading.Event()
    started = []

    def read(number):
        started.append(number)
        if number == 0:
            assert second.wait(10)  # the second scan is made while the first one is
        if number == 1:
            second.set()
        return scan(number)

    jobs = (Job(str(k), SCENE, lambda k=k: read(k)) for k in range(50))
    blocks = iter(stream(jobs, [], workers=2))
    assert next(blocks)["ez"][0, 0] == 0
    assert len(started) <= 5
    assert [block["ez"][0, 0] for block in blocks] == list(range(1, 50))


def test_files_are_read_and_those_without_a_radius_left_out(tmp_path):
    for name in ("one", "two"):
        np.save(tmp_path / f"{name}.npy", scan(1, samples=9))
    (tmp_path / "scenes.csv").write_text("name,radius\ntwo,0.03\n")
    rows = []
    (block,) = stream(from_files(tmp_path, step=2), rows, wait=0)
    assert block["ez"].shape == (2, 5)
    assert "no scan 'one'; expected a row for every scan" in rows[0]["status"]
    assert rows[1]["radius"] == 0.03


def test_more_scans_are_for_the_test_alone(tmp_path):
    jobs = list(simulated(2, 1, seed=3, step=20))
    assert [(job.name[-1], job.test) for job in jobs] == [("0", False), ("1", False), ("2", True)]
    assert [job.scene for job in jobs] == [job.scene for job in simulated(3, seed=3, step=20)]
    assert [job.test for job in solved(1, tmp_path, 1, seed=3, step=20)] == [False, True]


def test_scans_in_the_folder_test_are_for_the_test_alone(tmp_path):
    for folder in (tmp_path, tmp_path / "test"):
        folder.mkdir(exist_ok=True)
        np.save(folder / "one.npy", scan(1, samples=9))
        (folder / "scenes.csv").write_text("name,radius\none,0.03\n")
    rows = []
    assert len(list(stream(from_files(tmp_path, step=2), rows))) == 2
    assert [(row["name"], row["test"]) for row in rows] == [("one", False), ("test/one", True)]
    (tmp_path / "test" / "scenes.csv").unlink()
    with pytest.raises(BadInput, match=r"test/scenes.csv: it is not there"):
        list(from_files(tmp_path, step=2))


def test_simulated_scans_don_t_depend_on_how_many_there_are_or_who_makes_them():
    def made(count, workers):
        rows = []
        return [b["ez"] for b in stream(simulated(count, seed=3, step=20), rows, workers=workers)]

    few, many = made(2, 1), made(3, 2)
    assert all(np.array_equal(one, other) for one, other in zip(few, many, strict=False))
    assert few[0].shape == (144, 503)
    assert not np.array_equal(few[0], few[1])
