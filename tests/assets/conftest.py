"""The project in a state folder of its own, asked through the command that users run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
WATCHING = Path(__file__).with_name("opened")


class Run:
    """A state folder, a settings file, and the command."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.folder = folder
        self.settings = folder / "faint.toml"
        self.settings.write_text(settings)
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("FAINT_", "DAGSTER_HOME"))},
            "FAINT_STATE": str(folder / "state"),
            "FAINT_SETTINGS": str(self.settings),
            "FAINT_OPENED": str(folder / "opened.txt"),
        }

    def faint(self, *arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """Run the command on the sources in ``root``."""
        return subprocess.run(
            [sys.executable, "-m", "orchestration.cli", *arguments],
            cwd=root,
            env=self.env | {"PYTHONPATH": os.pathsep.join([str(root), str(WATCHING)])},
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *arguments: str, root: Path = ROOT) -> dict[str, Any]:
        """Run the command, which has to succeed; what it printed."""
        done = self.faint(*arguments, "--json", root=root)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout))

    def store(self) -> Any:
        """The store that the command uses."""
        from orchestration.store import Store

        state = self.folder / "state"
        root = self.env.get("FAINT_STORE", str(state / "store"))
        return Store(root, state / "locks", ("assets", "models"))

    def load(self, key: str, partition: str | None = None) -> Any:
        """What is stored of an asset."""
        from orchestration.store import Slot

        return self.store().read(Slot(key, partition))[1]

    def add_partitions(self, name: str, keys: Sequence[str]) -> None:
        """Add dynamic partitions, as a sensor would."""
        with self.instance() as instance:
            instance.add_dynamic_partitions(name, keys)

    def remove_partition(self, name: str, key: str) -> None:
        """Remove a dynamic partition, as a sensor would."""
        with self.instance() as instance:
            instance.delete_dynamic_partition(name, key)

    @contextmanager
    def instance(self) -> Iterator[Any]:
        """Dagster's instance of the state folder."""
        import dagster as dg

        home = str(self.folder / "state" / "dagster")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAGSTER_HOME", home)
            with dg.DagsterInstance.from_config(home) as instance:
                yield instance

    def with_recording(
        self, system: str, inbox: Path, name: str, settings: str, retrained: str
    ) -> tuple[set[str], set[str]]:
        """What a new recording builds, and what is built after a model was trained anew.

        Both are undone.

        Parameters
        ----------
        system, inbox, name
            The recording's system, its folder, its name.
        settings, retrained
            Those of what is built, and those with another training.
        """
        ends = f'+key:"{system}/catalogue" or +key:"{system}/sheet"'
        folder = f'\n["{system}/recording"]\nfolder = '
        self.add_partitions(f"{system}_recordings", [name])
        built = []
        for chosen in (settings, retrained):
            self.settings.write_text(f'{chosen}{folder}"{inbox}"\n')
            built.append(set(self.json("rebuild", ends)["materialized"]))
        self.settings.write_text(settings)
        self.remove_partition(f"{system}_recordings", name)
        again = {slot.partition("[")[0] for slot in built[1]}
        self.json("rebuild", " or ".join(f'key:"{asset}"' for asset in sorted(again)))
        return built[0], built[1]

    def undrawn(self) -> dict[str, str]:
        """Why the views of current builds failed, by slot."""
        import dagster as dg

        store, wrong = self.store(), {}
        for slot in store.slots():
            current = store.current(slot)
            if current is not None:
                built = store.built(slot, current.build)
                metadata = dict(dg.deserialize_value(built.metadata, dict))
                if "not shown" in metadata:
                    wrong[str(slot)] = str(metadata["not shown"].value)
        return wrong

    def failed_runs(self) -> list[Any]:
        """Dagster's runs that failed, in a step or in a check."""
        import dagster as dg

        failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
        with self.instance() as instance:
            return list(instance.get_runs(failed))

    def uncounted(self) -> set[tuple[str, str]]:
        """Files below `models` that a stage opened and that don't count for it, with the stage."""
        from assets.definitions import defs
        from orchestration.stages import GRAPH
        from orchestration.store import Slot

        assert defs.resources is not None
        stages = defs.resources[GRAPH].stages.stages
        functions = {f"{s.function.__module__}:{s.function.__qualname__}": s for s in stages}
        wrong = set()
        for line in self.opened():
            name, path = line.split("\t")
            record = None
            if name in functions and functions[name].partitions_def is None:
                record = self.store().current(Slot(functions[name].keys[0]))
            if record is None or path not in record.version["files"]:
                wrong.add((name, path))
        return wrong

    def opened(self) -> set[str]:
        """What stages opened below `models`: a stage and a file a line."""
        log = self.folder / "opened.txt"
        return set(log.read_text().splitlines()) if log.exists() else set()

    def stored(self) -> list[Path]:
        """All files in the store."""
        return [path for path in (self.folder / "state" / "store").rglob("*") if path.is_file()]

    def stored_kinds(self) -> set[str]:
        """Suffixes of what is stored."""
        return {path.suffix for path in self.stored()}

    def pickles(self) -> list[Path]:
        """Stored files that begin as pickles do."""
        return [path for path in self.stored() if path.read_bytes()[:1] == b"\x80"]

    def trainings(self, system: str) -> tuple[Any, dict[str, Any]]:
        """MLflow's client, and a system's trainings by model."""
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{self.folder / 'state' / 'mlflow' / 'mlflow.db'}")
        experiment = client.get_experiment_by_name(system)
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id])
        return client, {found.data.tags["faint.model"]: found for found in runs}


@pytest.fixture(scope="session")
def new_run() -> type[Run]:
    """`Run`, to be made in a folder with settings."""
    return Run
