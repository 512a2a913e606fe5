"""`faint detect`: trained models from the store, recordings from files, verdicts out."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets import commands, detection
from models.detection import Recording, Verdict
from models.errors import BadInput
from models.evaluation import evaluate
from models.reporting import Section, report

EVALUATION = evaluate([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], 0.5, seed=0).to_dict()


class Stored:
    """Stored assets of a system with a network for each of two designs and an upgrade."""

    def __init__(self) -> None:
        self.assets: dict[tuple[str, str | None], Any] = {
            ("stars/training_range", None): {"farthest": 3.0},
            ("stars/scaling", None): 10.0,
            ("stars/upgrade_estimator", None): 2.0,
            ("stars/upgrade_evaluation", None): EVALUATION,
        }
        for name, weight in (("wide", 1.0), ("deep", 0.5)):
            self.assets |= {
                ("stars/network", name): weight,
                ("stars/evaluation", name): EVALUATION,
            }
        self.rebuilt: list[str] = []

    def __call__(self, key: str, partition: str | None = None) -> Any:
        return self.assets[key, partition]

    def record(self, key: str, partition: str | None = None) -> Any:
        if key == "stars/curves":
            return types.SimpleNamespace(version={"config": {"source": "simulated"}})
        return self.assets.get((key, partition))

    def partitions(self, key: str) -> list[str]:
        return [part for name, part in self.assets if name == key and part is not None]

    def rebuild(self, keys: Sequence[str]) -> None:
        self.rebuilt += keys
        self.assets |= {(key, None): {"farthest": 3.0} for key in keys}


class Science(types.ModuleType):
    """Stands for a system's `detection`: a file holds a number, a score is a share of it."""

    READINGS_FROM = ("scaling",)

    @staticmethod
    def group_files(paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
        files = [f for p in paths for f in (sorted(p.glob("*.txt")) if p.is_dir() else [p])]
        return {file.stem: (file,) for file in files}

    @staticmethod
    def read_recording(name: str, files: Sequence[Path]) -> Recording:
        try:
            value = float(files[0].read_text())
        except ValueError as error:
            raise BadInput(
                "no number", file=files[0], expected="a number", remedy="Write one."
            ) from error
        return Recording(name, {"value": np.array([value])}, notes=("read",))

    @staticmethod
    def readings(recording: Recording, stored: Mapping[str, Any]) -> dict[str, Any]:
        return {"scaled": recording.arrays["value"] / stored["scaling"]}

    @staticmethod
    def verdicts(
        recording: Recording, found: Mapping[str, Any], models: Any, ranges: Any
    ) -> list[Verdict]:
        value = float(found["scaled"][0])
        warnings = (f"far: {value}",) if value > ranges["farthest"] else ()
        return [
            Verdict(
                recording.name, "all", name, "planet", value * model.fitted >= model.threshold,
                value * model.fitted, model.threshold, model.error_rates, warnings,
            )
            for name, model in models.items()
        ]  # fmt: skip

    @staticmethod
    def sheet(recording: Recording, found: Any, verdicts: Any) -> Any:
        return report(recording.name, [Section("Verdicts", prose=[str(len(verdicts))])])


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Stored:
    detector = detection.Detector(
        system="stars",
        science=Science("science"),
        models={
            "networks": detection.Model("network", "evaluation", partitioned=True),
            "upgrade": detection.Model("upgrade_estimator", "upgrade_evaluation"),
        },
        data="curves",
        leading="upgrade",
    )
    module = types.ModuleType("assets.stars.detection")
    module.DETECTOR = detector  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "assets.stars", types.ModuleType("assets.stars"))
    monkeypatch.setitem(sys.modules, "assets.stars.detection", module)
    monkeypatch.setattr(detection, "systems", lambda: ["stars"])
    return Stored()


def detect(stored: Stored, *arguments: object, system: str = "stars") -> tuple[str, int]:
    parser = argparse.ArgumentParser(prog="faint")
    commands.add_commands(parser.add_subparsers(required=True))
    options = parser.parse_args(["detect", system, *map(str, arguments)])
    answer: tuple[str, int] = options.answer(options, stored)
    return answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("a", "2"), ("b ü", "8"), ("c", "40")):
        (tmp_path / f"{name}.txt").write_text(text)
    return tmp_path


def test_the_leading_model_is_shown_and_all_are_in_the_json(
    stored: Stored, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, status = detect(stored, folder)
    assert status == 0
    assert [line.split("|")[5].strip() for line in text.splitlines()[2:5]] == [
        "0.400",
        "1.600",
        "8.000",
    ]
    assert "| far " in text.splitlines()[4]
    assert text.endswith("6 verdicts of other models: see --json or --to")
    assert capsys.readouterr().err == (
        "Models: wide, deep, upgrade. Trained on: curves, source simulated.\n"
    )
    found = json.loads(detect(stored, folder, "--json")[0])
    scores = {(v["recording"], v["model"]): v["score"] for v in found["verdicts"]}
    assert len(scores) == 9
    assert scores["b ü", "deep"] == pytest.approx(0.4)
    assert found["notes"] == {"a": ["read"], "b ü": ["read"], "c": ["read"]}
    assert found["verdicts"][0]["error_rates"]["missed"]["value"] == 0.5


def test_models_can_be_chosen(stored: Stored, folder: Path) -> None:
    text, _ = detect(stored, folder / "a.txt", "--model", "deep", "--model", "wide")
    assert [line.split("|")[3].strip() for line in text.splitlines()[2:4]] == ["deep", "wide"]
    assert "other models" not in text


def test_a_model_whose_parts_are_not_all_stored_gives_no_verdicts(
    stored: Stored, folder: Path
) -> None:
    del stored.assets["stars/evaluation", "deep"]
    found = json.loads(detect(stored, folder, "--json")[0])["verdicts"]
    assert {verdict["model"] for verdict in found} == {"wide", "upgrade"}


def test_a_model_has_what_else_it_needs_and_what_is_shared_is_loaded_once(stored: Stored) -> None:
    model = detection.Model(
        "network",
        "evaluation",
        partitioned=True,
        others={"decoder": "decoder"},
        shared={"words": "words"},
    )
    detector = detection.Detector("stars", Science("science"), {"all": model}, "curves", "deep")
    stored.assets |= {("stars/decoder", name): name.upper() for name in ("wide", "deep")}
    stored.assets["stars/words", None] = words = object()
    undecided = {k: v for k, v in EVALUATION.items() if k != "threshold"}
    stored.assets["stars/evaluation", "deep"] = undecided
    read: list[str] = []

    class Counted(Stored):
        def __call__(self, key: str, partition: str | None = None) -> Any:
            read.append(key)
            return super().__call__(key, partition)

    counted = Counted()
    counted.assets = stored.assets
    trained = detection.Trained(detector, counted, ["wide", "deep"])
    assert {name: one.others for name, one in trained.models.items()} == {
        "wide": {"decoder": "WIDE", "words": words},
        "deep": {"decoder": "DEEP", "words": words},
    }
    assert trained.models["wide"].threshold == 0.5
    assert trained.models["deep"].threshold is None
    assert read.count("stars/words") == 1
    assert set(detector.needs()) == {
        f"stars/{name}"
        for name in ("network", "evaluation", "decoder", "words", "scaling", "training_range")
    }


def test_the_first_model_is_shown_where_the_leading_one_is_not_trained(
    stored: Stored, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["assets.stars.detection"]
    monkeypatch.setattr(
        module, "DETECTOR", dataclasses.replace(module.DETECTOR, leading="tall"), raising=True
    )
    text, _ = detect(stored, folder / "a.txt")
    assert text.splitlines()[2].split("|")[3].strip() == "wide"


def test_sheets_are_drawn_only_where_they_are_written(
    stored: Stored, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(Science, "sheet", lambda recording, *_: drawn.append(recording.name))
    detect(stored, folder)
    assert drawn == []


def test_a_recording_that_cannot_be_read_is_named_and_the_rest_goes_on(
    stored: Stored, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b ü.txt").write_text("eight")
    text, status = detect(stored, folder, folder / "missing.txt")
    assert status == 1
    said = capsys.readouterr().err
    assert f"skipped b ü: {folder / 'b ü.txt'}: no number; expected a number. Write one." in said
    assert f"skipped missing: {folder / 'missing.txt'}: No such file or directory" in said
    assert "| a " in text
    assert "| c " in text
    found = json.loads(detect(stored, folder, "--json")[0])
    assert list(found["skipped"]) == ["b ü"]


def test_sheets_and_the_catalogue_are_written(stored: Stored, folder: Path) -> None:
    import pandas as pd

    detect(stored, folder, "--to", folder / "out")
    assert "<h1>b ü</h1>" in (folder / "out" / "b ü" / "index.html").read_text()
    table = pd.read_parquet(folder / "out" / "catalogue.parquet")
    assert len(table) == 9
    assert table.loc[8, "warnings"] == "far: 4.0"
    assert table.loc[8, "missed"] == 0.5
    assert list(table["recording"].unique()) == ["a", "b ü", "c"]


def test_nothing_to_read(stored: Stored, tmp_path: Path) -> None:
    assert detect(stored, tmp_path) == (f"no recordings in {tmp_path}", 1)


def test_what_is_missing_is_built_only_where_that_is_wanted(
    stored: Stored, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del stored.assets["stars/training_range", None]
    with pytest.raises(SystemExit):
        detect(stored, folder)
    assert (
        "1 assets of stars have not been built yet: run faint rebuild 'group:stars', or add --yes"
        in capsys.readouterr().err
    )
    assert stored.rebuilt == []
    assert detect(stored, folder, "--yes")[1] == 0
    assert stored.rebuilt == ["stars/training_range"]


def test_a_person_at_a_terminal_is_asked(
    stored: Stored, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del stored.assets["stars/training_range", None]
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda: "n")
    with pytest.raises(SystemExit):
        detect(stored, folder)
    monkeypatch.setattr("builtins.input", lambda: "Y")
    assert detect(stored, folder)[1] == 0


@pytest.mark.parametrize(
    ("system", "arguments", "message"),
    [
        ("flares", ["x"], "no system 'flares'; there are stars"),
        ("stars", [".", "--model", "tall"], "no model 'tall'; there are wide, deep, upgrade"),
        ("stars", [], "the following arguments are required: PATH"),
    ],
)
def test_wrong_arguments(
    stored: Stored,
    folder: Path,
    system: str,
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as error:
        detect(stored, *arguments, system=system)
    assert error.value.code == 2
    assert message in capsys.readouterr().err


def test_every_detector_names_assets_of_the_project() -> None:
    from assets.definitions import defs

    known = {"/".join(key.path) for key in defs.resolve_asset_graph().get_all_asset_keys()}
    for system in detection.systems():
        detector = __import__(f"assets.{system}.detection", fromlist=["DETECTOR"]).DETECTOR
        assert detector.system == system
        assert set(detector.needs()) <= known
        assert f"{system}/{detector.data}" in known
