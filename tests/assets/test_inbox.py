"""New recordings as assets: what arrives, what is retrained, and what is built for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]

FILES = {
    "pyproject.toml": """\
[tool.faint]
definitions = "stars.definitions"
sources = ["stars", "assets", "models"]
""",
    "faint.toml": """\
["stars/recording"]
folder = "new stars"
""",
    "stars/science.py": '''\
"""A file holds numbers; a model's score of a recording is their scaled mean times its weight."""

import numpy as np

from models.detection import Recording, Verdict, find_files, group_by_name
from models.errors import BadInput
from models.reporting import Section, report

READINGS_FROM = ("scaling",)


def group_files(paths):
    return group_by_name(find_files(paths, [".txt"]), lambda file: file.stem)


def read_recording(name, files):
    try:
        values = np.array([float(text) for text in files[0].read_text().split()])
    except ValueError as error:
        raise BadInput(
            "no numbers", file=files[0], expected="numbers", remedy="Write some."
        ) from error
    return Recording(name, {"value": values}, {"count": len(values)}, ("read",))


def readings(recording, stored):
    value = recording.arrays["value"]  # it stays on disk in the graph
    return {"scaled": value[:] / stored["scaling"], "kind": np.array([type(value).__name__])}


def verdicts(recording, readings, models, ranges):
    mean = float(np.mean(readings["scaled"]))
    warnings = ("far",) if mean > ranges["farthest"] else ()
    return [
        Verdict(recording.name, "all", name, "planet", True, mean * model.fitted,
                model.threshold, model.error_rates, warnings, dict(model.others))
        for name, model in models.items()
    ]


def sheet(recording, readings, verdicts):
    return report(recording.name, [Section("Verdicts", prose=[v.model for v in verdicts])])
''',
    "stars/definitions.py": """\
from pathlib import Path

from orchestration.build import laid_over
from orchestration.project import find
from stars import stages

defs = laid_over([stages], find(Path(__file__).parent), sensors=[stages.sensor])
""",
    "stars/stages.py": '''\
import dagster as dg

from assets.detection import Detector, Model
from assets.inbox import Inbox, detection_assets, inbox_sensor
from models.evaluation import evaluate
from stars import science

FAMILY = dg.StaticPartitionsDefinition(["deep", "wide"])
WEIGHTS = {"deep": 1.0, "wide": 2.0}
DETECTOR = Detector(
    system="stars",
    science=science,
    models={
        "networks": Model(
            "network",
            "evaluation",
            partitioned=True,
            names=["deep", "wide"],
            others={"design": "design"},
            shared={"words": "words"},
        ),
        "upgrade": Model("upgrade", "upgrade_evaluation"),
    },
    data="scaling",
    leading="upgrade",
    large=["value"],
)


def json_asset(name, value, partitions_def=None):
    @dg.asset(key=["stars", name], io_manager_key="json", partitions_def=partitions_def)
    def stored():
        return value

    return stored


EVALUATION = evaluate([0, 1, 1], [0.1, 0.9, 0.2], 0.5, seed=0).to_dict()


@dg.asset(key=["stars", "network"], io_manager_key="json", partitions_def=FAMILY)
def network(context: dg.AssetExecutionContext):
    return WEIGHTS[context.partition_key]


@dg.asset(key=["stars", "upgrade"], io_manager_key="json")
def upgrade():
    return 3.0


@dg.asset(
    key=["stars", "design"],
    io_manager_key="json",
    partitions_def=dg.StaticPartitionsDefinition(["deep", "tall", "wide"]),
)
def design(context: dg.AssetExecutionContext):
    return context.partition_key


others = [
    json_asset("words", "cat mat"),
    json_asset("scaling", 10.0),
    json_asset("training_range", {"farthest": 2.0}),
    json_asset("evaluation", EVALUATION, FAMILY),
    json_asset("upgrade_evaluation", EVALUATION),
]


class Recordings(Inbox, section="stars/recording"):
    """Where numbers arrive."""

    _detector = DETECTOR


inbox = detection_assets(Recordings)
sensor = inbox_sensor(Recordings)
''',
}


class Project:
    """A project of one system with an inbox, asked through the command."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inbox = root / "new stars"
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("FAINT_", "DAGSTER_"))},
            "FAINT_SETTINGS": str(root / "faint.toml"),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )

    def rebuild(self) -> dict[str, Any]:
        done = self.run("-m", "orchestration.cli", "rebuild", "--json")
        return dict(json.loads(done.stdout))

    def edit(self, old: str, new: str, file: str = "stages.py") -> None:
        path = self.root / "stars" / file
        assert path.read_text().count(old) == 1
        path.write_text(path.read_text().replace(old, new))

    def tick(self) -> str:
        """Let the sensor look, and do what it asks for."""
        done = self.run("-c", TICK)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def load(self, key: str, partition: str | None = None) -> Any:
        from orchestration.store import Slot, Store

        state = self.root / ".faint"
        return Store(str(state / "store"), state / "locks").load(Slot(f"stars/{key}", partition))


TICK = """
import dagster as dg

from orchestration.project import find

find().enter()
from stars.definitions import defs

with dg.DagsterInstance.get() as instance:
    found = defs.resolve_sensor_def("stars_inbox")(dg.build_sensor_context(instance=instance))
    if isinstance(found, dg.SkipReason):
        print(found.skip_message)
    else:
        for request in found.dynamic_partitions_requests:
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
                print("added", *request.partition_keys)
            else:
                for key in request.partition_keys:
                    instance.delete_dynamic_partition(request.partitions_def_name, key)
                print("removed", *request.partition_keys)
"""

PARTS = ("recording", "readings", "verdicts", "sheet")


def of(*names: str, parts: tuple[str, ...] = PARTS) -> set[str]:
    return {f"stars/{part}[{name}]" for part in parts for name in names}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project with two recordings, built once: to be copied."""
    project = Project(tmp_path_factory.mktemp("inbox") / "project")
    for name in ("assets", "models"):
        ignored = shutil.ignore_patterns("__pycache__", "data", "commands.py", "definitions.py")
        shutil.copytree(ROOT / name, project.root / name, ignore=ignored)
    project.inbox.mkdir()
    for name, text in FILES.items():
        (project.root / name).parent.mkdir(exist_ok=True)
        (project.root / name).write_text(text)
    (project.inbox / "a.txt").write_text("4 6")
    (project.inbox / "b ü.txt").write_text("30")
    assert project.tick() == "added a b ü"
    outcome = project.rebuild()
    assert outcome["failed"] == [], outcome["errors"]
    assert of("a", "b ü") | {"stars/catalogue"} <= set(outcome["materialized"])
    return project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """A copy of the project, as built."""
    shutil.copytree(built.root, tmp_path / "project")
    return Project(tmp_path / "project")


def test_verdicts_sheets_and_the_catalogue_are_stored(project: Project) -> None:
    scores = {v["model"]: v["score"] for v in project.load("verdicts", "a")}
    assert scores == {"deep": 0.5, "wide": 1.0, "upgrade": 1.5}
    [far, *_] = project.load("verdicts", "b ü")
    assert far["warnings"] == ["far"]
    assert far["error_rates"]["missed"]["value"] == 0.5
    assert far["details"] == {"design": "deep", "words": "cat mat"}
    assert project.load("readings", "a")["kind"][:].tolist() == ["StoredArray"]
    assert b"<h1>b \xc3\xbc</h1>" in project.load("sheet", "b ü")["index.html"]
    table = project.load("catalogue")
    assert isinstance(table, pd.DataFrame)
    assert table["recording"].tolist() == ["a"] * 3 + ["b ü"] * 3
    facts = json.loads(project.load("recording", "a")["facts"][:][0])
    assert facts == {"facts": {"count": 2}, "notes": ["read"]}


def test_a_new_recording_makes_only_its_own_verdicts(project: Project) -> None:
    (project.inbox / "c.txt").write_text("1")
    assert project.tick() == "added c"
    assert set(project.rebuild()["materialized"]) == of("c") | {"stars/catalogue"}
    assert project.tick() == "3 recordings, as before"


def test_a_recording_that_was_replaced_gets_new_verdicts(project: Project) -> None:
    (project.inbox / "a.txt").write_text("8")
    assert project.tick() == "2 recordings, as before"
    built = set(project.rebuild()["materialized"])
    assert built == of("a") | {"stars/catalogue"}
    assert project.load("verdicts", "a")[0]["score"] == 0.8


def test_a_recording_that_is_gone_leaves_the_catalogue(project: Project) -> None:
    (project.inbox / "a.txt").unlink()
    assert project.tick() == "removed a"
    assert project.rebuild()["materialized"] == ["stars/catalogue"]
    assert set(project.load("catalogue")["recording"]) == {"b ü"}


def test_a_retrained_network_makes_exactly_the_verdicts_stale(project: Project) -> None:
    project.edit('"deep": 1.0', '"deep": 1.5')
    built = set(project.rebuild()["materialized"])
    assert built == {
        "stars/network[deep]",
        "stars/network[wide]",
        *of("a", "b ü", parts=("verdicts", "sheet")),
        "stars/catalogue",
    }


def test_a_bad_recording_fails_alone(project: Project) -> None:
    (project.inbox / "d.txt").write_text("four")
    assert project.tick() == "added d"
    outcome = project.rebuild()
    failed = "stars/recording[d]"
    assert failed in outcome["failed"]
    path = project.inbox / "d.txt"
    assert f"{path}: no numbers; expected numbers. Write some." in outcome["errors"][failed]
    assert project.load("verdicts", "a")
