"""What Dagster loads: the one `defs` object.

The only module of `assets` that imports `orchestration`: it lays versions and the store over the
assets of every system, which are the packages beside it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg

import assets
from assets.described import Owners, described
from assets.resources import Tracking
from assets.settings import check_sections
from assets.views import DETECTION, View
from orchestration.automation import automation
from orchestration.build import laid_over
from orchestration.project import find

SYSTEMS = sorted(info.name for info in pkgutil.iter_modules(assets.__path__) if info.ispkg)


def build_defs(**resource_overrides: Any) -> dg.Definitions:
    """Everything this project gives to Dagster.

    Parameters
    ----------
    **resource_overrides
        Resources to use in place of the configured ones, by name.
    """
    project = find(Path(__file__).parent)
    modules = {system: modules_of(system) for system in SYSTEMS}
    database = project.state / "mlflow" / "mlflow.db"
    resources = {"tracking": Tracking(uri=f"sqlite:///{database}")} | resource_overrides
    owners = Owners.model_validate({}).by_system(SYSTEMS)
    chosen = automation(
        project, SYSTEMS, {name: _asset_of(modules[name]["download"]) for name in SYSTEMS}
    )
    chosen["sensors"] += [
        parts["detection"].sensor for parts in modules.values() if "detection" in parts
    ]
    return laid_over(
        [module for system in SYSTEMS for module in modules[system].values()],
        project,
        assets=[
            asset
            for system in SYSTEMS
            for asset in _assets(system, modules[system], owners[system])
        ],
        resources=resources,
        uncounted=["tracking"],
        check_settings=check_sections,
        views={key: view for name in SYSTEMS for key, view in views_of(name, modules[name])},
        **chosen,
    )


def modules_of(system: str) -> dict[str, ModuleType]:
    """Import the modules of a system, by name."""
    package = import_module(f"assets.{system}")
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return {name: import_module(f"{package.__name__}.{name}") for name in names}


def _assets(
    system: str, modules: Mapping[str, ModuleType], owners: Sequence[str]
) -> Iterator[dg.AssetsDefinition]:
    """Load a system's assets: its name is their group, a module's name that of their stage."""
    for name, module in modules.items():
        for asset in dg.load_assets_from_modules([module], group_name=system):
            if isinstance(asset, dg.AssetsDefinition):
                yield described(asset, name, owners)


def views_of(system: str, modules: Mapping[str, ModuleType]) -> Iterator[tuple[str, View]]:
    """List the views of a system's assets, those of its inbox among them, by key."""
    inbox = DETECTION if "detection" in modules else {}
    for name, view in {**inbox, **modules["views"].VIEWS}.items():
        yield f"{system}/{name}", view


def _asset_of(download: ModuleType) -> str:
    """Key of the asset that may read files: the first that a `download` module gives."""
    [asset] = dg.load_assets_from_modules([download])
    assert isinstance(asset, dg.AssetsDefinition)
    return "/".join(next(iter(asset.specs)).key.path)


defs = build_defs()
