"""What all systems have in common, asked of each of them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import dagster as dg
import pytest

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("download", "sampling", "scaling", "features", "training", "thresholds", "evaluation")
SYSTEMS = sorted(
    path.name for path in (ROOT / "assets").iterdir() if (path / "__init__.py").is_file()
)
LONGEST_BODY = 25


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    from assets.definitions import defs

    return defs


@pytest.fixture(scope="module")
def specs(defs: dg.Definitions) -> dict[str, list[dg.AssetSpec]]:
    found: dict[str, list[dg.AssetSpec]] = {name: [] for name in SYSTEMS}
    for spec in defs.resolve_all_asset_specs():
        found[spec.key.path[0]].append(spec)
    return found


def test_there_are_systems() -> None:
    assert "exoplanets" in SYSTEMS


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_has_the_seven_stage_modules(system: str) -> None:
    have = {path.stem for path in (ROOT / "assets" / system).glob("*.py")}
    assert set(STAGES) <= have


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_asset_is_in_its_systems_group(
    system: str, specs: dict[str, list[dg.AssetSpec]]
) -> None:
    assert len(specs[system]) > 10
    assert {spec.group_name for spec in specs[system]} == {system}


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_asset_is_tagged_with_a_stage_and_all_stages_occur(
    system: str, specs: dict[str, list[dg.AssetSpec]]
) -> None:
    tags = [spec.tags.get("stage") for spec in specs[system]]
    assert set(tags) == {*STAGES, "detection"}


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_asset_has_a_description_and_a_computed_code_version(
    system: str, specs: dict[str, list[dg.AssetSpec]]
) -> None:
    for spec in specs[system]:
        assert spec.description, spec.key
        assert spec.code_version is not None, spec.key
        assert len(spec.code_version) == 16, spec.key


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_asset_names_a_format_of_the_store(system: str, defs: dg.Definitions) -> None:
    from orchestration.store.formats import FORMATS

    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        if key.path[0] == system:
            definition = graph.get(key).assets_def
            assert definition.get_io_manager_key_for_asset_key(key) in FORMATS, key


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_has_checks_from_its_first_stage_to_its_last(
    system: str, defs: dg.Definitions
) -> None:
    checked = {
        key.asset_key.path[-1].rpartition("_")[2]
        for key in defs.resolve_asset_graph().asset_check_keys
        if key.asset_key.path[0] == system
    }
    assert {"splits", "evaluation"} <= checked


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_check_of_partitions_looks_at_the_one_that_was_built(
    system: str, specs: dict[str, list[dg.AssetSpec]], defs: dg.Definitions
) -> None:
    """One that reads all would fail as long as one of them isn't built yet."""
    partitions = {spec.key: spec.partitions_def for spec in specs[system]}
    checked = [
        spec
        for checks in defs.asset_checks or []
        for spec in checks.check_specs
        if spec.asset_key in partitions
    ]
    assert checked
    for spec in checked:
        assert spec.partitions_def == partitions[spec.asset_key], spec.key


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_edge_crosses_into_another_system(system: str, defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        if key.path[0] == system:
            assert {parent.path[0] for parent in graph.get(key).parent_keys} <= {system}


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_label_in_the_ui_tells_one_asset_of_a_system_from_another(
    system: str, specs: dict[str, list[dg.AssetSpec]]
) -> None:
    """It is the last part of the key."""
    labels = [spec.key.path[-1] for spec in specs[system]]
    assert len(set(labels)) == len(labels)


def test_the_lineage_has_few_edges(defs: dg.Definitions) -> None:
    """Data carry what belongs together: each stage reads few assets."""
    graph = defs.resolve_asset_graph()
    edges = {
        (parent, key)
        for key in graph.materializable_asset_keys
        for parent in graph.get(key).parent_keys
    }
    of_inboxes = {edge for edge in edges if graph.get(edge[1]).tags.get("stage") == "detection"}
    assert len(edges - of_inboxes) <= 300
    assert len(of_inboxes) <= 100


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_asset_file_only_wires(system: str) -> None:
    long = []
    for path in (ROOT / "assets" / system).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not _holds_a_function(node):
                docstring = ast.get_docstring(node, clean=False)
                start = node.body[1 if docstring and len(node.body) > 1 else 0].lineno
                if (node.end_lineno or 0) - start + 1 > LONGEST_BODY:
                    long.append(f"{path.name}: {node.name}")
    assert long == []


def _holds_a_function(node: ast.FunctionDef) -> bool:
    return any(isinstance(inner, ast.FunctionDef) for inner in ast.walk(node) if inner is not node)


def test_every_bundled_file_counts_for_a_stage(defs: dg.Definitions) -> None:
    """A file below `models` that no `input_files()` names could be edited unnoticed."""
    from orchestration.stages import GRAPH

    assert defs.resources is not None
    named: set[Path] = set()
    for stage in defs.resources[GRAPH].stages.stages:
        config, _ = stage.config()
        if config is not None and hasattr(config, "input_files") and stage.partitions_def is None:
            named |= {Path(path).resolve() for path in config.input_files()}
    bundled = {path for path in (ROOT / "models").rglob("data/*") if path.is_file()}
    assert len(bundled) == 5
    assert bundled <= named


SHOW_THEMSELVES = ("network", "threshold", "verdicts", "tally", "permuted_control")
"""Ends of keys of assets without a view: their stages show what there is to see."""


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_asset_shows_something_to_look_at(
    system: str, specs: dict[str, list[dg.AssetSpec]]
) -> None:
    """That each can be drawn is held by the end-to-end tests of the systems."""
    from assets.definitions import modules_of, views_of

    viewed = {key for key, _ in views_of(system, modules_of(system))}
    without = {spec.key.to_user_string() for spec in specs[system]} - viewed
    assert {key for key in without if not key.endswith(SHOW_THEMSELVES)} == set()


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_setting_is_explained_in_the_launchpad(system: str, defs: dg.Definitions) -> None:
    from orchestration.stages import GRAPH

    assert defs.resources is not None
    silent = {
        f"{key}: {name}"
        for key, stage in defs.resources[GRAPH].stages.by_key.items()
        if key.split("/")[0] == system and stage.config_class is not None
        for name, field in stage.config_class.model_fields.items()
        if not field.description
    }
    assert silent == set()


ARRAY = re.compile(r"\([a-z\d]+,[ \da-z.,]*\)")
"""A shape, such as (n, 3197) or (traces,)."""


@pytest.mark.parametrize("system", SYSTEMS)
def test_arrays_and_tables_say_what_they_hold_in_which_shape(
    system: str, specs: dict[str, list[dg.AssetSpec]], defs: dg.Definitions
) -> None:
    graph = defs.resolve_asset_graph()
    silent = []
    for spec in specs[system]:
        text = spec.description or ""
        stored_as = graph.get(spec.key).assets_def.get_io_manager_key_for_asset_key(spec.key)
        listed = re.search(r"\n- .", text)
        if (stored_as == "arrays" and not (listed and ARRAY.search(text))) or (
            stored_as == "tables" and not (listed and "`" in text)
        ):
            silent.append(spec.key.to_user_string())
    assert silent == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_asset_has_kinds_and_a_line_of_code_to_open(
    system: str, specs: dict[str, list[dg.AssetSpec]]
) -> None:
    for spec in specs[system]:
        assert 1 <= len(spec.kinds) <= 3, spec.key
        [line] = spec.metadata["dagster/code_references"].code_references
        source = Path(line.file_path)
        assert source.is_relative_to(ROOT / "assets"), spec.key
        nearby = source.read_text().splitlines()[line.line_number - 1 :][:3]
        assert any("@dg." in text or "def " in text for text in nearby), spec.key


def test_jobs_schedules_and_sensors_say_what_they_do(defs: dg.Definitions) -> None:
    automated = [*(defs.jobs or ()), *(defs.schedules or ()), *(defs.sensors or ())]
    assert len(automated) > 20
    for each in automated:
        assert len(each.description or "") > 20, each.name
