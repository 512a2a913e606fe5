"""Lay versions and storage over plain assets, and put everything Dagster needs into one object.

Asset files know nothing of this: they read like the Dagster tutorial. `build_defs` serves this
project; `laid_over` serves any.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg

from orchestration.automation import automation, family_jobs
from orchestration.io_managers import io_managers
from orchestration.project import Project, find
from orchestration.stages import Stages
from orchestration.store.storage import Store

SYSTEMS = {
    "buried_objects": "buried_objects/scans",
    "exoplanets": "exoplanets/curves",
    "gravitational_waves": "gravitational_waves/images",
    "solar_flares": "solar_flares/records",
    "speech": "speech/corpus",
}
"""Every system with the asset that reads `files` where it is asked to."""


def laid_over(
    modules: Iterable[ModuleType],
    project: Project,
    *,
    resources: Mapping[str, Any] | None = None,
    check_settings: Callable[[Iterable[type[dg.Config] | None]], None] | None = None,
    **others: Any,
) -> dg.Definitions:
    """Definitions of the assets and checks in ``modules``, with computed versions and the store.

    Parameters
    ----------
    modules
        Modules of plain assets and asset checks.
    project
        Whose sources, settings and store they are.
    resources
        The assets' resources; the IO managers come from here.
    check_settings
        Called with the configuration class of every stage; raises where settings fit no stage.
    **others
        Jobs, schedules and sensors, as `dagster.Definitions` takes them. Every family of partitions
        has a job besides, for `dagster job backfill`.
    """
    modules = list(modules)
    plain = [a for a in dg.load_assets_from_modules(modules) if isinstance(a, dg.AssetsDefinition)]
    stages = Stages(plain, project)
    if check_settings is not None:
        check_settings(stage.config_class for stage in stages.stages)

    def versioned(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(code_version=stages.version("/".join(spec.key.path)).key)

    assets = dg.map_asset_specs(versioned, plain)
    others["jobs"] = [*others.get("jobs", ()), *family_jobs(assets)]
    return dg.Definitions(
        assets=assets,
        asset_checks=dg.load_asset_checks_from_modules(modules),
        resources={**io_managers(Store(project.store, project.locks), stages), **(resources or {})},
        **others,
    )


def build_defs(**resource_overrides: Any) -> dg.Definitions:
    """Everything this project gives to Dagster.

    Parameters
    ----------
    **resource_overrides
        Resources to use in place of the configured ones, by name.
    """
    from assets.resources import Tracking
    from assets.settings import check_sections

    project = find(Path(__file__).parent)
    modules = [
        module for system in SYSTEMS for module in _modules(import_module(f"assets.{system}"))
    ]
    database = project.state / "mlflow" / "mlflow.db"
    resources = {"tracking": Tracking(uri=f"sqlite:///{database}")} | resource_overrides
    return laid_over(
        modules,
        project,
        resources=resources,
        check_settings=check_sections,
        **automation(project, SYSTEMS, SYSTEMS),
    )


def _modules(package: ModuleType) -> list[ModuleType]:
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return [import_module(f"{package.__name__}.{name}") for name in names]
