"""Values that differ each time a project is imported: a time, a process id, an unseeded generator.

They can't count, or no stage that reads one would ever be fresh. Nothing about a value says that it
is one; a second process that imports the same project does. It is asked where a value is other than
it was for the same sources, and at once where the definition reads a clock or the like.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestration.fingerprint import Definition
from orchestration.json_cache import JsonCache
from orchestration.project import Project

ASKED = "FAINT_VALUES"
"""Environment variable: the file to which a process writes the values, and then ends."""
SECONDS = 300.0


class Volatile(JsonCache):
    """Knows which names of a project have such values.

    Parameters
    ----------
    project
        The project.
    sources
        Digest of its sources.
    """

    def __init__(self, project: Project, sources: str) -> None:
        super().__init__(project.cache / "values.json")
        self._project, self._sources = project, sources

    def among(self, values: Mapping[str, str], definition: Callable[[str], Definition]) -> set[str]:
        """Names whose values differ from process to process.

        Parameters
        ----------
        values
            Digest of the value of every name of the modules that the definitions import.
        definition
            Says how a name is defined.
        """
        if file := os.environ.get(ASKED):
            Path(file).write_text(json.dumps(values))
            os._exit(0)
        known: dict[str, bool] = self.data.get("definitions", {})
        if self.data.get("sources") == self._sources:
            volatile = set(self.data["volatile"])
            before = self.data["values"]
            doubtful = [name for name in values if before.get(name) != values[name]]
            doubtful = [name for name in doubtful if name not in volatile]
        else:
            defined = {name: definition(name) for name in values}
            volatile = {name for name in values if known.get(defined[name].digest)}
            doubtful = [
                name
                for name in values
                if defined[name].reads_clock and defined[name].digest not in known
            ]
        if doubtful and (other := self._elsewhere()) is not None:
            differing = {name for name in doubtful if other.get(name) != values[name]}
            volatile |= differing
            known |= {definition(name).digest: name in differing for name in doubtful}
        self.data = {
            "sources": self._sources,
            "values": dict(values),
            "volatile": sorted(volatile),
            "definitions": known,
        }
        self.save()
        return volatile

    def _elsewhere(self) -> dict[str, str] | None:
        """The values in another process; None where it can't tell."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "values.json")
            environment = {**os.environ, ASKED: str(file)}
            places = [str(self._project.root), *filter(None, sys.path)]
            environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(places))
            try:
                subprocess.run(
                    [sys.executable, "-c", f"import {self._project.definitions}"],
                    cwd=self._project.root,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=SECONDS,
                    check=False,
                )
                values: dict[str, str] = json.loads(file.read_text())
            except (OSError, ValueError, subprocess.TimeoutExpired):
                return None
        return values
