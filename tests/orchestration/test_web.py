"""The web UI: the server loads the project, agrees with `faint plan`, and a browser shows it.

The toy's runs are launched at once (no queue), so that no daemon is needed here.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from orchestration.project import DAGSTER_YAML, find

ROOT = Path(__file__).resolve().parents[2]
served = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("served.py"))))
wait_for = served.wait_for
PICTURE = '''

@dg.asset(key=["alpha", "picture"], group_name="alpha")
def alpha_picture():
    """One red pixel."""
    ran("alpha/picture")
    pixel = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    )
    text = f"![one red pixel](data:image/png;base64,{pixel})"  # the stage knows of no server
    return dg.Output({}, metadata={"confusion matrix": dg.MetadataValue.md(text)})
'''


def home_at(folder: Path) -> Path:
    """A Dagster home that launches runs at once."""
    settings = yaml.safe_load(DAGSTER_YAML)
    del settings["concurrency"]
    settings["run_coordinator"] = {
        "module": "dagster._core.run_coordinator",
        "class": "DefaultRunCoordinator",
    }
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text(yaml.safe_dump(settings))
    return folder


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory, toy_source: SimpleNamespace) -> Any:
    """A toy of one system with one model, and a picture; built."""
    toy = toy_source.Toy(tmp_path_factory.mktemp("served"))
    toy_source.write_toy(toy.root, ())
    toy.append(toy_source.system_source("alpha", ("cnn",)) + PICTURE)
    (toy.root / "workspace.yaml").write_text(served.WORKSPACE)
    home_at(find(toy.root).state / "dagster")
    assert len(toy.rebuild().materialized) == 8
    toy.ran()
    return toy


def environment_of(toy: Any) -> dict[str, str]:
    return toy.environment | {"DAGSTER_HOME": str(find(toy.root).state / "dagster")}


def stale(toy: Any) -> dict[str, set[str]]:
    """Kinds of reasons by asset, of what is stale whatever its upstream comes out as."""
    return {
        item.slot.asset: {reason.kind.upper() for reason in item.reasons} - {"DEPENDENCY"}
        for item in toy.plan().stale
        if item.certain
    }


@pytest.fixture(scope="module")
def server(toy: Any) -> Iterator[Any]:
    with served.serving(toy.root, "toy", environment_of(toy)) as running:
        yield running


def validate(root: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [served.BIN / "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=root,
        env=dict(environment),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_dagster_validates_the_toys_definitions(toy: Any) -> None:
    assert "code location toy" in validate(toy.root, environment_of(toy))


def test_the_asset_graph_is_the_projects_and_all_of_it_is_fresh(server: Any) -> None:
    nodes = server.nodes()
    assert {node["groupName"] for node in nodes.values()} == {"alpha"}
    edges = {
        key: sorted("/".join(above["path"]) for above in node["dependencyKeys"])
        for key, node in nodes.items()
    }
    assert edges == {
        "alpha/curves": [],
        "alpha/sample": ["alpha/curves"],
        "alpha/scaled": ["alpha/sample"],
        "alpha/features": ["alpha/scaled"],
        "alpha/cnn/network": ["alpha/features"],
        "alpha/cnn/threshold": ["alpha/cnn/network"],
        "alpha/cnn/evaluation": ["alpha/cnn/threshold", "alpha/features"],
        "alpha/picture": [],
    }
    assert server.unsynced() == {}


def test_what_plan_calls_stale_is_unsynced_and_materializing_it_brings_all_up_to_date(
    toy: Any, server: Any
) -> None:
    # By code:
    toy.edit("2 * shift(value)", "3 * shift(value)")
    server.reload()
    assert server.unsynced() == stale(toy) == {"alpha/features": {"CODE"}}

    # by data:
    toy.rebuild("alpha/features")
    by_data = {"alpha/cnn/network": {"DATA"}, "alpha/cnn/evaluation": {"DATA"}}
    assert server.unsynced() == stale(toy) == by_data

    # and what the UI then offers, until it offers nothing.
    toy.ran()
    asked = []
    while unsynced := sorted(server.unsynced()):  # each wave shows the next
        asked += unsynced
        run = server.materialize(unsynced)
        assert wait_for(lambda: server.finished(run), f"end of run {run}") == "SUCCESS"  # noqa: B023
    assert set(asked) == {"alpha/cnn/network", "alpha/cnn/threshold", "alpha/cnn/evaluation"}
    assert toy.ran() == sorted(asked)
    assert toy.reasons() == {}


# the browser --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1600, "height": 1000})
    opened.set_default_timeout(served.DEADLINE * 1000)
    yield opened
    opened.close()


def test_a_browser_shows_a_picture_on_its_asset(server: Any, page: Any, tmp_path: Path) -> None:
    page.goto(f"{server.url}/assets/alpha/picture")
    page.get_by_text("confusion matrix").wait_for()
    image = page.get_by_alt_text("one red pixel")
    image.wait_for()
    wait_for(lambda: image.evaluate("image => image.complete"), "picture")
    page.screenshot(path=tmp_path / "asset.png")
    assert image.evaluate("image => image.naturalWidth") == 1
    text = page.inner_text("body")
    assert "One red pixel." in text  # the asset's docstring
    assert "content hash" in text


def test_in_dagsters_own_server_the_alternative_text_says_how_to_see_the_picture(
    toy: Any, page: Any
) -> None:
    with served.serving(toy.root, "toy", environment_of(toy), served.DAGSTERS) as plain:
        page.goto(f"{plain.url}/assets/alpha/picture")
        image = page.get_by_alt_text("one red pixel (faint ui shows this picture)")
        image.wait_for()
        wait_for(lambda: image.evaluate("image => image.complete"), "end of loading")
        assert image.evaluate("image => image.naturalWidth") == 0


def test_where_a_pictures_build_was_collected_an_image_says_so(
    toy: Any, server: Any, page: Any
) -> None:
    [picture] = find(toy.root).state.rglob("_pictures/*.png")
    kept = picture.read_bytes()
    picture.unlink()
    new = page.context.browser.new_page()  # its cache is empty
    try:
        new.goto(f"{server.url}/assets/alpha/picture")
        image = new.get_by_alt_text("one red pixel")
        image.wait_for()
        wait_for(lambda: image.evaluate("image => image.naturalWidth == 440"), "explanation")
    finally:
        new.close()
        picture.write_bytes(kept)


def test_the_server_prints_three_lines_and_no_warning(toy: Any, server: Any) -> None:
    lines = server.printed.read_text().splitlines()
    assert lines[0].endswith(server.url)
    assert len(lines) == 3
    assert "Warning" not in (server.printed.parent / "ui.log").read_text()


def test_a_browser_shows_the_graph_and_materializes_what_is_unsynced(
    toy: Any, server: Any, page: Any, tmp_path: Path
) -> None:
    toy.edit("return sum(value > threshold", "return 1.0 * sum(value > threshold")
    server.reload()
    page.goto(f"{server.url}/locations/toy/asset-groups/alpha/lineage")
    page.get_by_text("features", exact=True).wait_for()
    page.screenshot(path=tmp_path / "graph.png")
    shown = page.inner_text("body").split()
    assert all(key.split("/")[-1] in shown for key in server.nodes())
    page.get_by_role("button", name="Materialize all").locator("xpath=following::button[1]").click()
    page.get_by_text("Materialize unsynced", exact=True).click()
    button = page.get_by_role("button", name="Materialize 1 assets")
    button.wait_for()
    page.screenshot(path=tmp_path / "unsynced.png")
    button.click()
    wait_for(lambda: not server.unsynced(), "end of the browser's run")
    assert toy.ran() == ["alpha/cnn/evaluation"]
    assert toy.reasons() == {}


# this project -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which this project has built nothing yet."""
    folder = tmp_path_factory.mktemp("ours")
    settings = folder / "faint.toml"
    few = {"train": 40, "train_planets": 10, "test": 20, "test_planets": 5}
    lines = [f"{name} = {count}" for name, count in few.items()]
    settings.write_text("\n".join(['["exoplanets/curves"]', *lines]))
    return {
        **os.environ,
        "DAGSTER_HOME": str(home_at(folder / "dagster")),
        "FAINT_STATE": str(folder / "state"),
        "FAINT_SETTINGS": str(settings),
    }


@pytest.fixture(scope="module")
def our_server(ours: dict[str, str]) -> Iterator[Any]:
    with served.serving(ROOT, "faint_signals", ours) as running:
        yield running


def test_dagster_validates_this_projects_definitions(ours: dict[str, str]) -> None:
    assert "code location faint_signals" in validate(ROOT, ours)


def test_this_projects_asset_graph_is_what_plan_would_build(
    ours: dict[str, str], our_server: Any
) -> None:
    planned = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "plan", "--json"],
        cwd=ROOT,
        env=ours,
        capture_output=True,
        text=True,
        check=True,
    )
    nodes = our_server.nodes()
    stale = {entry["asset"] for entry in json.loads(planned.stdout)["stale"]}
    # Of an inbox without a recording there is nothing to build but the catalogue.
    parts = ("recording", "readings", "verdicts", "sheet")
    empty = {key for key in set(nodes) - stale if key.split("/")[1:] in [[part] for part in parts]}
    assert len(empty) % len(parts) == 0
    assert set(nodes) == stale | empty
    for key, node in nodes.items():  # of a family, Dagster only counts what is there
        family = node["partitionStats"]
        assert family == {"numMaterialized": 0} if family else node["staleStatus"] == "MISSING", key
    assert all(node["groupName"] == key.split("/")[0] for key, node in nodes.items())


BUILT = {
    "curves": "first curves of each class",
    "splits": "class balance",
    "spectra": "spectra",
    "scaled": "channels",
    "quarters": "light curves",
}
"""Quickly built assets of exoplanets, with the title of a picture of each."""


def test_a_browser_shows_pictures_on_five_assets_of_this_project(
    ours: dict[str, str], our_server: Any, page: Any, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "orchestration.cli", "rebuild"),
            " or ".join(f'key:"exoplanets/{name}"' for name in BUILT),
        ],
        cwd=ROOT,
        env=ours,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page.goto(f"{our_server.url}/locations/faint_signals/asset-groups/exoplanets/lineage")
    # Dagster draws the nodes that are in view, and which are depends on the window.
    page.get_by_text(re.compile("^(splits|scaled|cnn_network|comparison)$")).first.wait_for()
    page.screenshot(path=tmp_path / "graph.png")
    for name, title in BUILT.items():
        page.goto(f"{our_server.url}/assets/exoplanets/{name}")
        image = page.get_by_alt_text(title).first
        image.wait_for()
        wait_for(lambda: image.evaluate("i => i.complete && i.naturalWidth > 300"), title)  # noqa: B023
        assert image.evaluate("i => i.clientWidth < innerWidth / 2")  # beside Dagster's columns
        page.screenshot(path=tmp_path / f"{name}.png")


def test_a_click_on_a_picture_shows_it_in_full_size(our_server: Any, page: Any) -> None:
    page.goto(f"{our_server.url}/assets/exoplanets/curves")
    image = page.get_by_alt_text(BUILT["curves"]).first
    image.wait_for()
    image.click()
    page.wait_for_url("**/faint/picture/**")
    assert page.evaluate("document.contentType") == "image/png"
    assert page.locator("img").evaluate("i => i.naturalWidth") > 500
