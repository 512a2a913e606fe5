"""`faint doctor` names what is damaged, and mends it without losing anything."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.cli import main
from orchestration.doctor import examine
from orchestration.project import find
from orchestration.rebuild.runs import PROCESS_TAG
from orchestration.store import Slot
from orchestration.store.damage import Aside, Finding

GARBAGE = [b"garbage" * 1000, b"SQLite format 3\0" + b"\1" * 5000]


def slot_folder(toy: Any, name: str) -> Path:
    return toy.root / ".faint" / "store" / name


def artifact(toy: Any, name: str) -> Path:
    folder = slot_folder(toy, name)
    return folder / json.loads((folder / "current.json").read_text())["artifact"]["file"]


def doctor(toy: Any, *arguments: str) -> tuple[int, str]:
    said = io.StringIO()
    with toy.open(), pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.chdir(toy.root)
        status = main(["doctor", *arguments])
    return status, said.getvalue()


def examined(toy: Any, *, mend: bool = False) -> list[Finding]:
    """Examine within this process, and mend each finding before the next one."""
    findings = []
    with toy.open():
        project = find(toy.root)
        for finding in examine(project, Aside(project.state / "aside")):
            findings.append(finding)
            if mend and finding.mend is not None:
                finding.mend()
    return findings


def files(toy: Any) -> set[bytes]:
    """Content of every file of the project's state, wherever it lies, but for what is derived."""
    state = toy.root / ".faint"
    kept = [state / "store", state / "aside"]
    return {path.read_bytes() for folder in kept for path in folder.rglob("*") if path.is_file()}


def test_a_project_without_damage(toy: Any) -> None:
    status, said = doctor(toy)
    assert status == 0
    assert said == "Nothing is damaged: 26 stored assets, and Dagster's log agrees.\n"
    assert json.loads(doctor(toy, "--json")[1]) == {"findings": [], "moved_to": None}
    assert not (toy.root / ".faint" / "aside").exists()


def test_a_project_that_was_never_built(new_toy: Any) -> None:
    assert examined(new_toy) == []


def garble_format(path: Path) -> None:
    path.write_text(path.read_text().replace('"format": "json"', '"format": "nope"'))


def garble(path: Path) -> None:
    path.write_text('{"a": 1')


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [garble, garble_format, make_folder])
def test_a_current_record_that_cannot_be_read_is_replaced_by_its_build(toy: Any, harm: Any) -> None:
    path = slot_folder(toy, "alpha/features") / "current.json"
    before = json.loads(path.read_text())
    harm(path)
    [finding] = examined(toy)
    assert finding.where == "alpha/features"
    assert finding.problems == (f"{path} is no whole record of it",)
    assert finding.remedy == "moved aside, and its newest intact build becomes current"
    assert examined(toy, mend=True)[0].problems == finding.problems
    assert examined(toy) == []
    after = json.loads(path.read_text())
    assert (after["build"], after["content"]) == (before["build"], before["content"])
    assert toy.plan(verify=True).up_to_date


@pytest.mark.parametrize("harm", [garble, garble_format])
def test_a_record_that_cannot_be_read_counts_as_not_built(toy: Any, harm: Any) -> None:
    folder = slot_folder(toy, "alpha/features")
    for path in (folder / "current.json", *(folder / "_builds").iterdir()):
        harm(path)
    [item] = [item for item in toy.plan().stale if item.certain]
    assert str(item.slot) == "alpha/features"
    assert item.reasons[0].kind == "corrupt"
    assert item.reasons[0].detail == f"its record {folder / 'current.json'} can't be read"
    assert toy.rebuild("alpha/features").materialized == ["alpha/features"]
    assert toy.ran() == ["alpha/features"]
    assert toy.plan().up_to_date


def test_a_folder_in_the_place_of_a_record_fails_its_asset_alone_and_names_the_remedy(
    toy: Any,
) -> None:
    path = slot_folder(toy, "alpha/features") / "current.json"
    make_folder(path)
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    outcome = toy.rebuild()
    assert outcome.failed == ["alpha/features"]
    assert (
        "is a folder where a file belongs; move it aside with: faint doctor --mend"
        in (outcome.errors["alpha/features"])
    )
    assert "beta/features" in outcome.materialized
    examined(toy, mend=True)
    assert toy.rebuild().failed == []
    assert toy.plan().up_to_date


def test_a_file_that_its_format_cannot_read_is_moved_aside_and_built_anew(toy: Any) -> None:
    """Its hash is that of its record: no other look finds it."""
    path = artifact(toy, "alpha/features")
    path.write_bytes(b"{" * path.stat().st_size)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    folder = slot_folder(toy, "alpha/features")
    for record in (folder / "current.json", *(folder / "_builds").iterdir()):
        kept = json.loads(record.read_text())
        kept["artifact"]["sha256"] = digest
        record.write_text(json.dumps(kept))
    assert toy.plan().up_to_date
    with toy.open() as session, pytest.raises(Exception, match="can't be read as json") as caught:
        session.store.load(Slot("alpha/features"))
    assert "move it aside with: faint doctor --mend; then rebuild it with: faint rebuild" in str(
        caught.value
    )
    status, said = doctor(toy, "--mend")
    assert status == 0
    assert f"damaged   alpha/features: {path} can't be read as json (" in said
    assert "mended: moved aside, and then built anew by: faint rebuild alpha/features" in said
    assert toy.rebuild("alpha/features").materialized == ["alpha/features"]
    assert toy.plan().up_to_date


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"x" * 20)])
def test_an_artifact_that_is_gone_or_altered(toy: Any, harm: Any) -> None:
    path = artifact(toy, "alpha/features")
    harm(path)
    [finding] = examined(toy)
    assert str(path) in finding.problems[0]
    assert not finding.harmless
    examined(toy, mend=True)
    assert examined(toy) == []
    # Dagster no longer shows it either, until it is built.
    assert toy.unsynced()["alpha/features"] == ["missing"]
    assert toy.rebuild().materialized == ["alpha/features"]
    assert toy.unsynced() == {}


def test_an_earlier_build_takes_the_place_of_a_damaged_one(toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    toy.rebuild()
    artifact(toy, "alpha/features").unlink()
    examined(toy, mend=True)
    assert examined(toy) == []
    with toy.open() as session:
        assert session.store.load(Slot("alpha/features")) == [2.0, 3.0, 4.0, 2.5]
    assert "alpha/features" in toy.unsynced()  # shown as the build that it is, which is an old one
    assert "alpha/features" in toy.rebuild().materialized
    assert toy.unsynced() == {}


def test_what_killed_builds_left_is_harmless_and_moved_aside(toy: Any) -> None:
    folder = slot_folder(toy, "alpha/features")
    (folder / ".tmp-3-z.json").write_text("[")
    (folder / "0123-9a0b.json").write_text("[1]")
    (folder / "_builds" / ".tmp-3-y").write_text("{")
    (folder / "_pictures").mkdir()
    (folder / "_pictures" / "0123.png").write_text("a picture without a build")
    status, said = doctor(toy)
    assert status == 0
    assert "leftover  alpha/features: 4 files (0.0 MB) of killed or repeated builds" in said
    status, said = doctor(toy, "--mend")
    assert status == 0
    assert "Mended." in said
    assert examined(toy) == []


def test_a_slot_that_is_being_written_is_left_alone(toy: Any) -> None:
    (slot_folder(toy, "alpha/features") / ".tmp-3-z.json").write_text("[")
    with toy.open() as session, session.store.locks.changing(Slot("alpha/features")):
        status, said = doctor(toy)
    assert (status, said[:18]) == (0, "Nothing is damaged")


def test_a_damaged_verdict_and_a_file_in_the_place_of_a_folder(toy: Any) -> None:
    folder = slot_folder(toy, "alpha/features")
    (folder / "_checks").mkdir()
    (folder / "_checks" / "finite.json").write_text("[{}]")
    sample = slot_folder(toy, "alpha/sample")
    shutil.rmtree(sample / "_builds")
    (sample / "_builds").write_text("")
    problems = [problem for finding in examined(toy) for problem in finding.problems]
    assert f"{folder / '_checks' / 'finite.json'} holds no whole verdicts" in problems
    assert f"{sample / '_builds'} is a file where a folder belongs" in problems
    examined(toy, mend=True)
    assert examined(toy) == []
    assert toy.plan().up_to_date


def test_nothing_is_lost(toy: Any) -> None:
    examined(toy)  # in a copy of a project the first look gets to know the files
    path = artifact(toy, "alpha/features")
    path.write_bytes(b"altered")
    garble(slot_folder(toy, "alpha/sample") / "current.json")
    (slot_folder(toy, "alpha/scaled") / ".tmp-3-z.json").write_text("[")
    before = files(toy)
    examined(toy, mend=True)
    assert before <= files(toy)


@pytest.mark.parametrize("content", GARBAGE)
def test_a_damaged_event_log_is_replaced_and_has_all_that_is_stored(
    toy: Any, content: bytes
) -> None:
    home = toy.root / ".faint" / "dagster"
    for path in home.glob("event_log.db*"):
        path.unlink()
    (home / "event_log.db").write_bytes(content)
    assert "with: faint doctor --mend" in toy.faint("plan").stderr
    status, said = doctor(toy)
    assert status == 1
    assert f"damaged   Dagster: {home / 'event_log.db'} is damaged (" in said
    status, said = doctor(toy, "--mend")
    assert status == 0
    assert "its event log doesn't show" in said
    assert "Mended." in said
    assert [path.read_bytes() for path in toy.root.rglob("aside/*/dagster/event_log.db")] == [
        content
    ]
    assert toy.plan().up_to_date
    assert toy.unsynced() == {}
    assert toy.ran() == []


def test_a_truncated_event_log(toy: Any) -> None:
    path = toy.root / ".faint" / "dagster" / "event_log.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    findings = examined(toy, mend=True)
    assert str(path) in findings[0].problems[0]
    assert examined(toy) == []
    assert toy.plan().up_to_date


@pytest.mark.parametrize("name", ["runs.db", "schedules.db"])
def test_the_other_databases(toy: Any, name: str) -> None:
    home = toy.root / ".faint" / "dagster"
    for path in home.glob(f"{name}*"):
        path.unlink()
    (home / name).write_bytes(GARBAGE[0])
    [finding] = examined(toy)
    assert str(home / name) in finding.problems[0]
    examined(toy, mend=True)
    assert examined(toy) == []
    assert toy.plan().up_to_date


def test_a_database_that_lacks_its_tables(toy: Any) -> None:
    path = toy.root / ".faint" / "dagster" / "runs.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE runs")
    [finding] = examined(toy)
    assert finding.problems[0].startswith(f"Dagster can't be opened in {path.parent}: ")
    examined(toy, mend=True)
    assert examined(toy) == []
    assert toy.plan().up_to_date


def test_dagsters_settings_that_cannot_be_read(toy: Any) -> None:
    path = toy.root / ".faint" / "dagster" / "dagster.yaml"
    before = path.read_text()
    path.write_text("telemetry: [")
    [finding] = examined(toy)
    assert "Dagster can't be opened in" in finding.problems[0]
    examined(toy, mend=True)
    assert path.read_text() == before
    assert examined(toy) == []


def test_a_database_that_someone_has_open_is_left(toy: Any) -> None:
    path = toy.root / ".faint" / "dagster" / "schedules.db"
    path.write_bytes(GARBAGE[0])
    code = "import sys; file = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"open\n"
        status, said = doctor(toy, "--mend")
        process.stdin.close()
    assert status == 1
    assert f"remedy: first end what has it open: process {process.pid}" in said
    assert "1 finding can't be mended here:" in said
    assert doctor(toy, "--mend")[0] == 0


def test_a_log_that_lacks_what_is_stored(toy: Any) -> None:
    with toy.open() as session:
        session.instance.wipe_assets([dg.AssetKey(["alpha", "features"])])
    [finding] = examined(toy)
    assert finding.problems == ("its event log doesn't show alpha/features as it is stored",)
    examined(toy, mend=True)
    assert examined(toy) == []
    assert toy.unsynced() == {}


def test_a_build_that_is_out_of_date_is_reported_with_its_own_version(toy: Any) -> None:
    toy.edit("OFFSET = 1.0", "OFFSET = 2.0")
    with toy.open() as session:
        session.instance.wipe_assets([dg.AssetKey(["alpha", "features"])])
    examined(toy, mend=True)
    assert examined(toy) == []
    assert toy.unsynced()["alpha/features"] == ["code"]


def test_a_log_that_shows_builds_that_are_gone(toy: Any) -> None:
    shutil.rmtree(slot_folder(toy, "alpha/features"))
    [finding] = examined(toy)
    assert finding.problems == (
        "its event log shows alpha/features as built, and the store has no build",
    )
    examined(toy, mend=True)
    assert examined(toy) == []
    assert toy.unsynced()["alpha/features"] == ["missing"]


def test_partitions_that_are_gone_take_no_others_with_them(new_toy: Any, toy_source: Any) -> None:
    new_toy.append(toy_source.family_source(["a", "b"]))
    new_toy.append(toy_source.UNITS, "helpers.py")
    new_toy.rebuild()
    shutil.rmtree(slot_folder(new_toy, "family/network/@a"))
    [finding] = examined(new_toy, mend=True)
    assert "shows family/network[a] as built" in finding.problems[0]
    assert examined(new_toy) == []
    assert new_toy.unsynced().get("family/network[a]") == ["missing"]
    assert "family/network[b]" not in new_toy.unsynced()


def test_an_empty_store_may_be_the_wrong_one(toy: Any) -> None:
    shutil.rmtree(toy.root / ".faint" / "store")
    [finding] = examined(toy)
    assert finding.mend is None
    assert finding.remedy.endswith("is it the right one (FAINT_STORE)?")


def test_runs_whose_process_was_killed(toy: Any) -> None:
    with toy.open() as session:
        run = session.instance.create_run_for_job(
            session.defs.resolve_implicit_global_asset_job_def(),
            tags={PROCESS_TAG: f"{os.uname().nodename}:1:0"},
            status=dg.DagsterRunStatus.STARTED,
        )
    [finding] = examined(toy, mend=True)
    assert finding.problems == (
        "1 of its runs count as running, though their processes have ended",
    )
    assert examined(toy) == []
    with toy.open() as session:
        assert session.instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE


def test_a_folder_in_the_place_of_a_lock(toy: Any) -> None:
    lock = toy.root / ".faint" / "locks" / "alpha%2Ffeatures.lock"
    make_folder(lock)
    [finding] = examined(toy)
    assert finding.problems == (f"{lock} is in the place of a lock",)
    examined(toy, mend=True)
    assert examined(toy) == []


DYNAMIC = """

@dg.asset(key=["inbox", "recording"], partitions_def=dg.DynamicPartitionsDefinition(name="inbox"))
def recording(context: dg.AssetExecutionContext):
    ran("inbox/recording")
    return context.partition_key
"""


def test_a_new_event_log_knows_the_partitions_that_are_stored(new_toy: Any) -> None:
    new_toy.append(DYNAMIC)
    with new_toy.open() as session:
        session.instance.add_dynamic_partitions("inbox", ["star 1", "star 2"])
    new_toy.rebuild()
    log = new_toy.root / ".faint" / "dagster" / "event_log.db"
    for path in log.parent.glob("event_log.db-*"):
        path.unlink()
    log.write_bytes(GARBAGE[0])
    examined(new_toy, mend=True)
    assert examined(new_toy) == []
    with new_toy.open() as session:
        assert session.instance.get_dynamic_partitions("inbox") == ["star 1", "star 2"]
        assert session.plan(session.select()).up_to_date


def test_in_json(toy: Any) -> None:
    garble(slot_folder(toy, "alpha/features") / "current.json")
    status, said = doctor(toy, "--json")
    [listed] = json.loads(said)["findings"]
    assert status == 1
    assert (listed["where"], listed["harmless"], listed["mended"]) == (
        "alpha/features",
        False,
        False,
    )
    status, said = doctor(toy, "--mend", "--json")
    assert status == 0
    assert [item["mended"] for item in json.loads(said)["findings"]] == [True]
    assert Path(json.loads(said)["moved_to"]).is_dir()


@pytest.mark.parametrize(("answer", "status"), [(b"y\n", 0), (b"\n", 1), (b"\x04", 1)])
def test_on_a_terminal_it_asks(toy: Any, answer: bytes, status: int) -> None:
    garble(slot_folder(toy, "alpha/features") / "current.json")
    terminal, other = pty.openpty()
    os.write(terminal, answer)
    done = toy.faint("doctor", stdin=other)
    os.close(terminal)
    os.close(other)
    assert done.returncode == status
    assert "Mend it? Nothing is deleted. [y/N]" in done.stdout
    assert ("Mended." in done.stdout) == (status == 0)
