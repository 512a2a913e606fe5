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
    stages, store = Stages(plain, project), Store(project.store, project.locks, project.sources)
    if check_settings is not None:
        check_settings(stage.config_class for stage in stages.stages)

    def versioned(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(code_version=stages.version("/".join(spec.key.path)).key)

    assets = dg.map_asset_specs(versioned, plain)
    others["jobs"] = [*others.get("jobs", ()), *family_jobs(assets)]
    return dg.Definitions(
        assets=assets,
        asset_checks=dg.load_asset_checks_from_modules(modules),
        resources={**io_managers(store, stages), GRAPH: Graph(stages, store), **(resources or {})},
        **others,
    )
