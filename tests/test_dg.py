"""Dagster's `dg` works in the checkout, and what it launches is stored as by any other way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DG = Path(sys.executable).with_name("dg")
FAINT = (sys.executable, "-m", "orchestration.cli")
KEY = "exoplanets/cnn_architecture"


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of commands, with a state folder whose Dagster home is laid out."""
    state = tmp_path_factory.mktemp("dg")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("FAINT_", "DAGSTER_"))}
    env = clean | {"FAINT_STATE": str(state), "PYTHONWARNINGS": "ignore"}
    subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "plan", KEY], env=env, cwd=ROOT, check=True
    )
    return env | {"DAGSTER_HOME": str(state / "dagster")}


def dg(env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DG, *arguments], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_definitions_are_listed(env: dict[str, str]) -> None:
    done = dg(env, "list", "defs", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout[done.stdout.index("{") :])
    assert KEY in {asset["asset_key"] for asset in listed["assets"]}
    assert "stale" in {sensor["name"] for sensor in listed["sensors"]}


def test_definitions_are_checked(env: dict[str, str]) -> None:
    done = dg(env, "check", "defs")
    assert done.returncode == 0, done.stderr
    assert "All definitions loaded successfully" in done.stdout + done.stderr


def test_what_is_launched_is_up_to_date_for_faint(env: dict[str, str]) -> None:
    done = dg(env, "launch", "--assets", KEY)
    assert done.returncode == 0, done.stderr
    faint = [sys.executable, "-m", "orchestration.cli", "plan", KEY, "--json"]
    plan = json.loads(
        subprocess.run(faint, env=env, cwd=ROOT, capture_output=True, check=True).stdout
    )
    assert plan["stale"] == []


def test_the_web_ui_starts(env: dict[str, str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [DG, "dev", "--port", str(port)],
        env=env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert answers(f"http://127.0.0.1:{port}/server_info", server)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Whether a server answers before it ends, or two minutes are over."""
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.5)
    return False
