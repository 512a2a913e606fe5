"""Web server and daemon over a toy project, as a person has them running."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 120.0
"""Seconds to wait for anything: far more than it takes, so that a busy machine fails no test."""

FAINT_UI = (sys.executable, "-m", "orchestration.cli", "ui")
DAGSTERS = (str(BIN / "dagster-webserver"), "-w", "workspace.yaml")

WORKSPACE = """\
load_from:
  - python_module: {module_name: toy.definitions, working_directory: ., location_name: toy}
"""


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Poll until ``condition`` gives something; what it gave."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"no {what} within {DEADLINE:.0f} s")


class Server:
    """A running web server, asked through GraphQL as its pages do."""

    def __init__(self, url: str, location: str, printed: Path) -> None:
        self.url = url
        self.location = location
        self.printed = printed

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=DEADLINE) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        return answer["data"]

    def nodes(self) -> dict[str, Any]:
        """The asset graph, by asset key."""
        query = """{ assetNodes {
            assetKey { path } groupName dependencyKeys { path }
            staleStatus staleCauses { category } partitionStats { numMaterialized } } }"""
        return {"/".join(n["assetKey"]["path"]): n for n in self.ask(query)["assetNodes"]}

    def unsynced(self) -> dict[str, set[str]]:
        """Why each asset that is not fresh is not, by asset key."""
        return {
            key: {cause["category"] for cause in node["staleCauses"]} or {node["staleStatus"]}
            for key, node in self.nodes().items()
            if node["staleStatus"] != "FRESH"
        }

    def reload(self) -> None:
        """What the button "Reload definitions" does."""
        query = """mutation ($name: String!) {
            reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"""
        answer = self.ask(query, name=self.location)["reloadRepositoryLocation"]
        assert answer == {"__typename": "WorkspaceLocationEntry"}

    def materialize(self, keys: list[str]) -> str:
        """What the dialog "Materialize unsynced" does for the assets it lists; the run's id."""
        query = """mutation ($params: ExecutionParams!) {
            launchPipelineExecution(executionParams: $params) {
                __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
            } }"""
        parameters = {
            "selector": {
                "repositoryLocationName": self.location,
                "repositoryName": "__repository__",
                "pipelineName": "__ASSET_JOB",
                "assetSelection": [{"path": key.split("/")} for key in keys],
                "assetCheckSelection": [],
            },
            "runConfigData": {"execution": {"config": {"in_process": {}}}},
            "mode": "default",
        }
        answer = self.ask(query, params=parameters)["launchPipelineExecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def finished(self, run: str) -> str | None:
        """How a run ended; None while it hasn't."""
        query = "query ($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
        status = self.ask(query, run=run)["runOrError"]["status"]
        return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else None


@contextmanager
def serving(
    root: Path, location: str, environment: Mapping[str, str], command: Sequence[str] = FAINT_UI
) -> Iterator[Server]:
    """Serve a project on a free port until the block ends, by `faint ui` or Dagster's own server.

    The file `printed` of the server has what it prints.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = Path(environment["DAGSTER_HOME"])
    printed = home / f"webserver-{port}.log"
    with printed.open("w") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=root,
            env=dict(environment) | {"PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        server = Server(f"http://127.0.0.1:{port}", location, printed)

        def answers() -> bool:
            assert process.poll() is None, printed.read_text()
            try:
                return bool(server.ask("{ version }"))
            except (urllib.error.URLError, ConnectionError):
                return False

        try:
            wait_for(answers, "answer of the web server")
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(DEADLINE)


@contextmanager
def daemon(toy: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Dagster's daemon over the toy, with all processes it starts; killed at the end."""
    with (toy.root / "daemon.log").open("a") as log:
        process = subprocess.Popen(
            [BIN / "dagster-daemon", "run", "-w", "workspace.yaml"],
            cwd=toy.root,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(DEADLINE)
