"""What CONTRIBUTING names is there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = [
    path
    for folder in ("assets", "models", "orchestration", "tests")
    for path in (ROOT / folder).rglob("*.*")
] + list(ROOT.glob("*.*"))
EXOPLANETS = re.findall(r"^\| `(\w+\.py)` \| `([\w/]+)`(?:, `([\w/]+)`)?", TEXT, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/.]+\.(?:py|txt|toml))`", TEXT))))
def test_a_named_file_is_there(name: str) -> None:
    assert any(path.match(name) for path in FILES)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make (\w+)`", TEXT))))
def test_a_named_make_target_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_each_step_of_the_light_curve_is_an_asset_of_its_module() -> None:
    import dagster as dg

    for file, *keys in EXOPLANETS:
        module = import_module(f"assets.exoplanets.{file.removesuffix('.py')}")
        stored = {
            key.to_user_string().removeprefix("exoplanets/")
            for asset in dg.load_assets_from_modules([module])
            if isinstance(asset, dg.AssetsDefinition)
            for key in asset.keys
        }
        assert {key for key in keys if key} <= stored
    assert len(EXOPLANETS) >= 10
