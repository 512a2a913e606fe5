"""The toy project, opened, edited and rebuilt within the test's process.

A rebuild from the command line takes seconds to import Dagster; here it is imported once, and the
toy's own modules are forgotten before each look, so that each sees the sources as they are.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

FAINT = [sys.executable, "-m", "orchestration.cli"]


def forget(package: str) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


class Toy:
    """A toy project in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.package = root / "toy"
        self.log = root / "ran.txt"

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in ("DAGSTER_HOME",)}
        return {**kept, "TOY_LOG": str(self.log), "PYTHONWARNINGS": "default"}

    def edit(self, old: str, new: str, file: str = "helpers.py") -> None:
        """Replace text that stands once in a file of the toy's package."""
        path = self.package / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))

    def append(self, text: str, file: str = "systems.py") -> None:
        path = self.package / file
        path.write_text(path.read_text() + text)

    @contextmanager
    def open(self) -> Iterator[Any]:
        """Its session, over the sources as they are now."""
        from orchestration.project import find
        from orchestration.rebuild.session import Session

        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("DAGSTER_HOME", raising=False)
            patch.setenv("TOY_LOG", str(self.log))
            patch.setattr(sys, "path", list(sys.path))
            forget("toy")
            session = Session(find(self.root))
            patch.setenv("DAGSTER_HOME", str(session.project.home))  # to be undone
            try:
                yield session
            finally:
                session.close()
                forget("toy")

    def plan(self, selection: str | None = None, **options: Any) -> Any:
        with self.open() as session:
            return session.plan(session.select(selection), **options)

    def rebuild(
        self,
        selection: str | None = None,
        partitions: str | Sequence[str] | None = None,
        **options: Any,
    ) -> Any:
        """Rebuild; what it did."""
        with self.open() as session:
            outcome = session.rebuild(session.select(selection, partitions), **options)
            assert set(outcome.errors) == set(outcome.failed)
            return outcome

    def ran(self) -> list[str]:
        """The stages that ran since this was last asked, sorted."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return sorted(lines)

    def reasons(self, **options: Any) -> dict[str, list[str]]:
        """Kinds of reasons by stale slot."""
        return {
            str(item.slot): [reason.kind for reason in item.reasons]
            for item in self.plan(**options).stale
        }

    def faint(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run the command in a process of its own."""
        return subprocess.run(
            [*FAINT, *arguments],
            cwd=self.root,
            env=self.environment | options.pop("env", {}),
            capture_output=True,
            text=True,
            **options,
        )

    def unsynced(self) -> dict[str, list[str]]:
        """What Dagster itself, as its web UI, shows as out of sync, and why."""
        import dagster as dg
        from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
        from dagster._core.loader import LoadingContextForTest

        with self.open() as session:
            resolver = CachingStaleStatusResolver(
                session.instance,
                session.defs.resolve_asset_graph(),
                LoadingContextForTest(session.instance),
            )
            found = {}
            for slot in session.select():
                key = dg.AssetKey(slot.asset.split("/"))
                status = resolver.get_status(key, slot.partition)
                if status != StaleStatus.FRESH:
                    causes = resolver.get_stale_causes(key, slot.partition)
                    found[str(slot)] = sorted({c.category.value.lower() for c in causes}) or [
                        status.value.lower()
                    ]
            return found

    def copy(self, root: Path) -> Toy:
        shutil.copytree(self.root, root)
        return Toy(root)


@pytest.fixture(scope="session")
def toy_source() -> SimpleNamespace:
    """What `toy.py` defines, and `Toy`."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("toy.py"))), Toy=Toy)


@pytest.fixture(scope="session")
def built_toy(tmp_path_factory: pytest.TempPathFactory, toy_source: SimpleNamespace) -> Toy:
    """The toy of 26 stages, built once: to be copied."""
    toy = Toy(tmp_path_factory.mktemp("built") / "toy")
    toy_source.write_toy(toy.root)
    outcome = toy.rebuild()
    assert len(outcome.materialized) == 26
    assert not outcome.failed
    toy.ran()
    return toy


@pytest.fixture
def toy(built_toy: Toy, tmp_path: Path) -> Toy:
    """A copy of the toy of 26 stages, as built."""
    return built_toy.copy(tmp_path / "project")


@pytest.fixture
def new_toy(toy_source: SimpleNamespace, tmp_path: Path) -> Toy:
    """A toy of one system of 13 stages, not yet built."""
    toy = Toy(tmp_path / "project")
    toy_source.write_toy(toy.root, ("alpha",))
    return toy
