"""Lay versions and storage over plain assets, and put everything Dagster needs into one object.

Asset files know nothing of this: they read like the Dagster tutorial.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

import dagster as dg

from orchestration.automation import family_jobs
from orchestration.io_managers import io_managers
from orchestration.project import Project
from orchestration.stages import GRAPH, Graph, Stages
from orchestration.store import Store


def laid_over(
    modules: Iterable[ModuleType],
    project: Project,
    *,
    assets: Iterable[dg.AssetsDefinition] | None = None,
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
    assets
        The assets of those modules, where they have more attributes than the modules give them.
    resources
        The assets' resources; the IO managers come from here.
    check_settings
        Called with the configuration class of every stage; raises where settings fit no stage.
    **others
        Jobs, schedules and sensors, as `dagster.Definitions` takes them. Every family of partitions
        has a job besides, for `dagster job backfill`.
    """
    modules = list(modules)
    loaded = dg.load_assets_from_modules(modules) if assets is None else assets
    plain = [asset for asset in loaded if isinstance(asset, dg.AssetsDefinition)]
    stages, store = Stages(plain, project), Store(project.store, project.locks, project.sources)
    if check_settings is not None:
        check_settings(stage.config_class for stage in stages.stages)

    def versioned(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(code_version=stages.version("/".join(spec.key.path)).key)

    versioned_assets = dg.map_asset_specs(versioned, plain)
    others["jobs"] = [*others.get("jobs", ()), *family_jobs(versioned_assets)]
    return dg.Definitions(
        assets=versioned_assets,
        asset_checks=dg.load_asset_checks_from_modules(modules),
        resources={**io_managers(store, stages), GRAPH: Graph(stages, store), **(resources or {})},
        **others,
    )
