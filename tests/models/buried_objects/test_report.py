"""The comparison says what is published and what ours is; pictures and report are whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.buried_objects import evaluation, pictures, report
from models.buried_objects.order import ARMS
from models.buried_objects.published import results
from models.buried_objects.windows import Places

COUNT = 30


@pytest.fixture(scope="module")
def scans():
    generator = np.random.default_rng(0)
    return {"ez": generator.normal(size=(4 * COUNT, 600)).astype(np.float32)}


def evaluated(wrong, name=None):
    """Four scans of 30 traces with an object of 8, of which the last ``wrong`` are missed."""
    trace = np.tile(np.arange(COUNT), 4).astype(np.int16)
    label = ((trace >= 10) & (trace < 18)).astype(np.int8)
    labels = {"label": label, "scan": np.repeat(np.arange(4), COUNT).astype(np.int32)}
    score = np.where((trace >= 10) & (trace < 18 - wrong), 0.8, 0.1)
    score[:COUNT] = 0.8 * label[:COUNT] + 0.1 * (1 - label[:COUNT])
    decision = {"value": 0.6, "low": 0.6, "median": 1}
    table = evaluation.predictions(labels | {"trace": trace}, score, decision)
    windows = Places(COUNT * np.arange(4), np.full(4, COUNT), np.full(4, -1))
    published = results(name) if name else None
    return table, evaluation.evaluate_predictions(
        table, decision, windows, resamples=100, seed=0, published=published
    )


@pytest.fixture(scope="module")
def study():
    entry = {"batch": 1, "epochs": 2, "f1": 0.3, "average_precision": 0.4}
    entries = [entry, entry | {"batch": 2, "f1": None}]
    return {"network": "rnn5", "arms": dict.fromkeys(ARMS, entries), "finding": "It is so."}


def history(multiplications):
    network = {"parameters": 10, "multiplications": multiplications, "difference": "shorter"}
    return {"values": {"loss": [1.0, 0.5]}, "seen": 100, "network": network}


HISTORIES = {"rnn5": history(20_000), "lstm2": history(80_000), "upgrade": history(1_000)}


def compared(study, wrong=1):
    evaluations = {name: evaluated(3, name)[1] for name in ("rnn5", "lstm2")}
    evaluations["upgrade"] = evaluated(wrong)[1]
    return report.comparison(evaluations, HISTORIES, study)


def test_both_f1_stand_beside_the_published_ones(study):
    comparison = compared(study)
    assert [row["model"] for row in comparison["rows"]] == ["rnn5", "", "lstm2", "", "upgrade"]
    ours, published, _, nothing, _ = comparison["rows"]
    # 8 + 3 x 5 of 32 found, none false
    assert ours["f1"]["value"] == pytest.approx(2 * 23 / (23 + 32))
    assert ours["f1_as_printed"]["value"] == pytest.approx(23 / 4.5)
    assert published["f1_as_printed_at_0.5"] == 0.27
    assert published["f1_at_0.5"] == pytest.approx(0.27 / 1.27)
    assert published["f1"] is None
    assert nothing["precision_at_0.5"] is None
    assert comparison["f1"]["upgrade"] > comparison["f1"]["rnn5"]
    assert ours["multiplications"] == 3 * 20_000 * 100


def test_the_notes_say_whether_the_upgrade_leads_and_what_it_costs(study):
    notes = "\n".join(compared(study)["notes"])
    assert "above the best network's" in notes
    assert "at 0.05 of the multiplications that training the cheapest network takes (rnn5)" in notes
    assert "0.01 of those of all 2 together" in notes
    assert "lstm3 after batch 8: F1 0.29 as printed" in notes
    assert "It is so." in notes
    assert "NOT above" in "\n".join(compared(study, wrong=6)["notes"])


def test_the_notes_say_what_the_place_alone_tells(study):
    """In `evaluated` every scan has its object at the same place."""
    assert "an F1 of 1.000;" in "\n".join(compared(study)["notes"])


def test_the_comparison_keeps_what_the_report_shows(study):
    comparison = compared(study)
    assert comparison["evaluations"]["rnn5"] == evaluated(3, "rnn5")[1].to_dict()
    assert comparison["order_study"] == study


def test_pictures_are_pngs_and_the_same_again(study, scans):
    table, result = evaluated(2, "rnn5")
    history = {"values": {"loss": [1.0, 0.5], "val_loss": [1.0, 0.6]}}
    drawn = pictures.results("rnn5", table, result, scans, history)
    assert {"scan 0", "scan 1", "training"} <= set(drawn)
    assert drawn == pictures.results("rnn5", table, result, scans, history)
    drawn["order"] = report.order_picture(study)
    for png in drawn.values():
        assert png.startswith(b"\x89PNG")
    flat = {"ez": np.zeros_like(scans["ez"])}
    assert pictures.scan_pictures({"rnn5": table}, flat, title="silence")


def test_the_report_is_whole(study, scans):
    wrong = {"rnn5": 3, "lstm2": 3, "upgrade": 1}
    tables = {name: evaluated(count)[0] for name, count in wrong.items()}
    files = report.report(compared(study), tables, HISTORIES, scans).as_files()
    text = files["report.md"].decode()
    assert "Why do models get worse as batches arrive?" in text
    assert "charts/order-f1.svg" in text
    assert "| shorter" in text
    assert "undefined" in text
    assert {"charts/f1.svg", "charts/rnn5-roc.svg", "charts/rnn5-loss.svg"} <= set(files)
    page = files["examples/missed-1.md"].decode()
    # traces 10 to 17 lie over the object; the networks miss 3 of them in scans 1 to 3
    assert page.startswith("# Scan 1: the object is missed most")
    assert "lies from 0.23 m to 0.39 m; 3 of 3 models flag some of it" in page
    assert "data:image/png" in files["examples/missed-1.html"].decode()
    assert files["examples/found-1.md"].startswith(b"# Scan 0: the object is found best")
    assert "examples/beside-1.md" not in files  # nothing is flagged beside an object
    assert sum(map(len, files.values())) < 5_000_000


def test_scans_are_chosen_by_what_most_models_flag():
    table = pd.DataFrame({"scan": np.repeat([4, 5, 6], 4), "label": [0, 1, 1, 0] * 2 + [0] * 4})
    one = np.array([0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0], bool)
    other = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0], bool)
    chosen = {kind: scans for kind, _, scans in report.worth_a_look(table, [one, other])}
    assert chosen == {"missed": [5, 4], "found": [4, 5], "beside": [6, 4]}


def test_a_scan_without_an_object_says_so(scans):
    table, _ = evaluated(1)
    empty = table.assign(label=0)
    first = {"upgrade": empty[empty["scan"] == 0]}
    page = report._scan_page("a", "Scan 0", first, 0.6, scans["ez"][:COUNT])
    assert page.summary == "There is no object; 1 of 1 models flag something."
