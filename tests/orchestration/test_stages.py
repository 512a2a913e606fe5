"""Stages and the versions that they would be built with."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration.errors import ProjectError
from orchestration.project import find
from orchestration.stages import FileHashes, Version, build_key, combine, difference, named
from orchestration.store import Artifact, Record, Slot


def record(slot: Slot, content: str) -> Record:
    return Record(slot, content, {}, {}, "b", Artifact("f", 1, "h"), "json", 0.0, 0.0, "r")


def test_a_version_counts_everything_but_where_files_lie() -> None:
    version = Version("code", {"rate": 0.5}, {"numpy": "2.4"}, {"/data/a": "1", "/data/b": "2"})
    moved = Version("code", {"rate": 0.5}, {"numpy": "2.4"}, {"/other/b": "2", "/other/a": "1"})
    assert version.key == moved.key
    others = [
        Version("other", {"rate": 0.5}, {"numpy": "2.4"}, {"/data/a": "1", "/data/b": "2"}),
        Version("code", {"rate": 0.6}, {"numpy": "2.4"}, {"/data/a": "1", "/data/b": "2"}),
        Version("code", {"rate": 0.5}, {"numpy": "2.5"}, {"/data/a": "1", "/data/b": "2"}),
        Version("code", {"rate": 0.5}, {"numpy": "2.4"}, {"/data/a": "1", "/data/b": "3"}),
        Version("code", {"rate": 0.5}, {"numpy": "2.4"}, {"/data/a": "2", "/data/b": "1"}),
        Version("code", {"rate": 0.5}, {"numpy": "2.4"}, {"/data/a": "1", "/data/c": "2"}),
        Version("code", {"rate": 0.5}, {"numpy": "2.4"}, {"/data/a": "1", "/data/c/b": "2"}),
    ]
    assert len({version.key, *(other.key for other in others)}) == 8
    assert build_key(version, {"up": "1"}) != build_key(version, {"up": "2"})
    assert build_key(version, {"a": "1", "b": "2"}) == build_key(version, {"b": "2", "a": "1"})


def test_an_upstream_version_counts_names_and_contents_of_partitions() -> None:
    a, b = Slot("x", "a"), Slot("x", "b")
    both = combine({a: record(a, "1"), b: record(b, "2")})
    assert both == combine({a: record(a, "1"), b: record(b, "2")})
    assert both != combine({b: record(b, "2"), a: record(a, "1")})  # a child gets them in order
    c = Slot("x", "c")
    assert both != combine({a: record(a, "1"), c: record(c, "2")})
    assert both != combine({a: record(a, "2"), b: record(b, "1")})
    assert combine({a: record(a, "1"), b: None}) is None
    assert combine({Slot("x"): record(Slot("x"), "1")}) == "1"


def test_hashes_of_files_and_folders(tmp_path: Path) -> None:
    hashes = FileHashes(tmp_path / "cache.json")
    folder = tmp_path / "data"
    assert hashes.hash(folder) == "absent"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_text("1")
    first = hashes.hash(folder)
    hashes.save()
    assert FileHashes(tmp_path / "cache.json").hash(folder) == first
    (folder / "deep" / "a.txt").write_text("2")
    second = hashes.hash(folder)
    (folder / "deep" / "a.txt").rename(folder / "deep" / "b.txt")
    assert len({first, second, hashes.hash(folder)}) == 3


def test_a_version_without_files_has_the_key_it_had() -> None:
    assert Version("code", {"rate": 0.5}, {"numpy": "2.4"}).key == "798d2447ac60256b"


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({}, []),
        (["/data/a"], ["a"]),
        (["/data/x/a", "/data/y/a"], ["x/a", "y/a"]),
        (["a", "deep/a"], ["a", "deep/a"]),
        (["deep/a"], ["a"]),
        (["/data/a", "b"], ["/data/a", "b"]),
    ],
)
def test_names_below_the_folder_that_holds_all(files: list[str], names: list[str]) -> None:
    assert list(named(dict.fromkeys(files, "1"))) == names


def test_links_in_a_folder_are_followed(tmp_path: Path) -> None:
    def look() -> str:
        return FileHashes(tmp_path / "cache.json").hash(folder)

    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "a.txt").write_text("1")
    found = [look()]
    (folder / "link").symlink_to(elsewhere)
    found.append(look())
    (elsewhere / "a.txt").write_text("2")
    found.append(look())
    (elsewhere / "up").symlink_to(folder)  # a loop
    found.append(look())
    (folder / "nowhere").symlink_to(tmp_path / "gone")
    found.append(look())
    (folder / "empty").mkdir()
    found.append(look())
    os.mkfifo(folder / "pipe")
    found.append(look())
    assert len(set(found)) == len(found)
    assert look() == found[-1]
    linked = tmp_path / "linked"
    linked.symlink_to(folder)
    assert FileHashes(tmp_path / "cache.json").hash(linked) == found[-1]


def test_a_file_written_twice_within_a_tick_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1")
    written = path.stat().st_ctime_ns
    hashes = FileHashes(tmp_path / "cache.json")
    monkeypatch.setattr(time, "time_ns", lambda: written + 1_000_000)
    hashes.hash(path)
    assert hashes.data == {}
    monkeypatch.setattr(time, "time_ns", lambda: written + 100_000_000)
    hashes.hash(path)
    assert list(hashes.data) == [str(path)]


def test_an_input_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = FileHashes(tmp_path / "cache.json")

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    path = tmp_path / "a.txt"
    path.write_text("1")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ProjectError, match=f"the input file {path} can't be read"):
        hashes.hash(path)


PATHS = """

class AlphaFiles(dg.Config):
    path: str = "{path}"

    def input_files(self):
        return (Path(self.path),)


@dg.asset(key=["alpha", "files"])
def alpha_files(config: AlphaFiles):
    ran("alpha/files")
    return sorted(path.read_text() for path in Path(config.path).iterdir())
"""


@pytest.fixture
def reader(toy_source: SimpleNamespace, tmp_path: Path) -> Any:
    """One stage that reads a folder from outside the graph."""
    toy = toy_source.Toy(tmp_path / "project")
    toy_source.write_toy(toy.root, ())
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "deep" / "one.txt").write_text("1")
    toy.data = tmp_path / "data" / "deep"
    toy.append("\n\nfrom pathlib import Path\n" + PATHS.format(path=toy.data))
    toy.rebuild()
    toy.ran()
    return toy


def test_a_file_from_outside_the_graph_counts_by_content(reader: Any) -> None:
    os.utime(reader.data / "one.txt")
    assert reader.plan().stale == []
    (reader.data / "one.txt").write_text("2")
    [item] = reader.plan().stale
    assert item.reasons[0].kind == "data"
    assert f"{reader.data} (now " in item.reasons[0].detail
    reader.rebuild()
    assert reader.ran() == ["alpha/files"]
    (reader.data / "one.txt").write_text("1")
    assert reader.rebuild().restored == ["alpha/files"]


def test_two_files_that_exchange_contents_or_names_count(reader: Any) -> None:
    (reader.data / "two.txt").write_text("2")
    reader.edit(
        "return (Path(self.path),)", "return sorted(Path(self.path).iterdir())", "systems.py"
    )
    reader.rebuild()
    assert reader.ran() == ["alpha/files"]
    one, two = reader.data / "one.txt", reader.data / "two.txt"
    one.write_text("2")
    two.write_text("1")
    [item] = reader.plan().stale
    assert item.reasons[0].kind == "data"
    assert f"{one} (now " in item.reasons[0].detail
    reader.rebuild()
    assert reader.ran() == ["alpha/files"]
    two.rename(reader.data / "three.txt")
    [item] = reader.plan().stale
    assert "three.txt (now " in item.reasons[0].detail
    assert "two.txt (gone)" in item.reasons[0].detail


def test_the_memory_of_nothing_to_do_sees_files_deep_in_a_folder(reader: Any) -> None:
    reader.edit(str(reader.data), str(reader.data.parent), "systems.py")
    reader.edit("iterdir()", "rglob('*.txt')", "systems.py")
    assert reader.faint("rebuild").returncode == 0
    assert "Nothing to do" in reader.faint("plan").stdout
    (reader.data / "one.txt").write_text("3")
    assert "1 out of date" in reader.faint("plan").stdout


def test_an_input_file_that_changes_while_its_stage_runs(reader: Any) -> None:
    reader.edit(
        '    ran("alpha/files")\n',
        "    ran(\"alpha/files\")\n    Path(config.path, 'two.txt').write_text('x')\n",
        "systems.py",
    )
    outcome = reader.rebuild()
    assert outcome.failed == ["alpha/files"]
    assert "built, but still out of date" in outcome.errors["alpha/files"]
    assert "changed" in outcome.errors["alpha/files"]
    assert reader.rebuild().materialized == ["alpha/files"]


def test_code_edited_while_its_stage_runs_is_not_stored_under_the_version_before(
    new_toy: Any,
) -> None:
    edit = (
        "    from pathlib import Path\n"
        "    path = Path(__file__)\n"
        "    path.write_text(path.read_text().replace('OFFSET = 1.0', 'OFFSET = 2.0'))\n"
    )
    new_toy.edit("def make_features(values):\n", "def make_features(values):\n" + edit)
    outcome = new_toy.rebuild()
    assert outcome.failed == ["alpha/features"]
    assert "its code changed while the stage ran" in outcome.errors["alpha/features"]
    outcome = new_toy.rebuild()
    assert outcome.failed == []
    assert "alpha/features" in outcome.materialized
    assert new_toy.plan().stale == []


def test_an_edit_within_the_second_runs_as_edited(new_toy: Any) -> None:
    """Python takes a compiled file for up to date within the second and at equal size."""
    for value in range(2, 6):
        new_toy.edit(f"OFFSET = {value - 1}.0", f"OFFSET = {value}.0")
        new_toy.rebuild('+key:"alpha/features"')
        with new_toy.open() as session:
            assert session.store.load(Slot("alpha/features"))[0] == 2.0 * value


def test_order_and_upstream(new_toy: Any) -> None:
    with new_toy.open() as session:
        order = session.stages.order()
        assert order[:4] == ["alpha/curves", "alpha/sample", "alpha/scaled", "alpha/features"]
        assert session.stages.upstream(Slot("alpha/cnn/evaluation")) == {
            "alpha/cnn/threshold": [Slot("alpha/cnn/threshold")],
            "alpha/features": [Slot("alpha/features")],
        }


SUMMED = """

@dg.multi_asset(
    outs={"total": dg.AssetOut(key=["s", "total"]), "double": dg.AssetOut(key=["s", "double"])},
    ins={"curves": dg.AssetIn(["alpha", "curves"])},
    internal_asset_deps={
        "total": {dg.AssetKey(["alpha", "curves"])}, "double": {dg.AssetKey(["s", "total"])}
    },
)
def summed(curves):
    return sum(curves), 2 * sum(curves)
"""


def test_what_a_function_reads_counts_for_all_that_it_builds(new_toy: Any) -> None:
    """Also where the lineage draws one of its assets below another."""
    new_toy.append(SUMMED)
    stored = {}
    for rows in (8, 9, 8):
        new_toy.edit("rows: int = ", f"rows: int = {rows} #", "systems.py")
        outcome = new_toy.rebuild('+key:"s/double"')
        with new_toy.open() as session:
            total, double = (session.store.load(Slot(f"s/{name}")) for name in ("total", "double"))
            above = session.stages.upstream(Slot("s/double"))
            assert above == {"alpha/curves": [Slot("alpha/curves")]}
        assert double == 2 * total
        assert not {"s/total", "s/double"} & new_toy.unsynced().keys()  # for Dagster, too
        stored[rows] = double
    assert "s/double" in outcome.restored
    assert stored[8] != stored[9]


def test_settings_without_a_default_are_said(new_toy: Any) -> None:
    new_toy.edit("rows: int = 8", "rows: int", "systems.py")
    with pytest.raises(
        ProjectError, match=r"alpha/curves: its settings AlphaDownload have no usabl"
    ):
        new_toy.plan()


def test_a_module_of_the_project_outside_its_sources_is_refused(new_toy: Any) -> None:
    (new_toy.root / "outsider.py").write_text("N = 1\n")
    new_toy.edit("    top = max(values)\n", "    import outsider\n    top = outsider.N\n")
    with pytest.raises(
        ProjectError, match=r"alpha/scaled uses outsider \(.*outsider.py\), a module of this proj"
    ):
        new_toy.plan()


def test_a_stage_whose_function_is_outside_the_sources_is_refused(new_toy: Any) -> None:
    (new_toy.root / "outsider.py").write_text("def made():\n    return 1\n")
    new_toy.append("\nfrom outsider import made\nx = dg.asset(key=['alpha', 'x'])(made)\n")
    with pytest.raises(ProjectError, match=r"alpha/x: its function made is in outsider, which is"):
        new_toy.plan()


def test_a_source_that_cannot_be_parsed_is_said(new_toy: Any) -> None:
    (new_toy.package / "broken.py").write_text("def broken(:\n")
    new_toy.edit("    top = max(values)\n", "    from toy import broken\n    top = broken.x\n")
    with pytest.raises(ProjectError, match=r"broken\.py"):
        new_toy.plan()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no project here"),
        ("[tool.faint\n", "not valid TOML"),
        ("[tool.faint]\n", "needs sources"),
        ('[tool.faint]\nsources = ["lib"]\n', "needs definitions"),
        ('[tool.faint]\ndefinitions = "d"\nsources = "lib"\n', "a list of texts"),
        ('[tool.faint]\ndefinitions = "d"\nsources = ["no"]\n', "'no', which is not in"),
        ('[tool.faint]\ndefinitions = "d"\nsources = ["lib"]\nstor = "x"\n', "unknown settings"),
        (
            '[tool.faint]\ndefinitions = "d"\nsources = ["lib"]\npackage_versions = "x"\n',
            "expected one of major.minor, exact, ignore",
        ),
    ],
)
def test_wrong_project_settings(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ProjectError, match=says):
        find(tmp_path / "lib")


def test_difference() -> None:
    assert difference({"a": 1, "b": 2}, {"b": 3, "c": None, "a": 1}) == "b 2 -> 3"
    assert difference({"a": 1}, {}) == "a 1 -> None"


@pytest.mark.parametrize("name", ["_builds", "_checks", "current.json"])
def test_a_key_that_the_store_uses_is_refused(new_toy: Any, name: str) -> None:
    new_toy.append(f'\n\n@dg.asset(key=["alpha", "{name}", "x"])\ndef hidden():\n    return 1\n')
    with pytest.raises(ProjectError, match=f"alpha/{name}/x: no part of a key may be {name}"):
        new_toy.plan()


def test_an_asset_that_is_defined_twice_is_refused(new_toy: Any) -> None:
    new_toy.append('\n\n@dg.asset(key=["alpha", "curves"])\ndef other():\n    return 1\n')
    with pytest.raises(ProjectError, match="alpha/curves is defined twice"), new_toy.open():
        pass
