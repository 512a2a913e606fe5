"""Lay versions and storage over plain assets, and put everything Dagster needs into one object.

Asset files know nothing of this: they read like the Dagster tutorial.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from types import ModuleType
from typing import Any

import dagster as dg

from orchestration.automation import family_jobs
from orchestration.errors import ProjectError
from orchestration.io_managers import StoreIOManager, io_managers
from orchestration.project import Project
from orchestration.rebuild.sources import check_bytecode
from orchestration.stages import GRAPH, Graph, Stage, Stages
from orchestration.store import FORMAT_NAMES, Store
from orchestration.unstored import passed_on
from orchestration.views import View, checked

CODE = "dagster/code_references"
"""Where Dagster looks for what to open in an editor."""


def laid_over(
    modules: Iterable[ModuleType],
    project: Project,
    *,
    assets: Iterable[dg.AssetsDefinition] | None = None,
    resources: Mapping[str, Any] | None = None,
    uncounted: Collection[str] = (),
    check_settings: Callable[[Iterable[type[dg.Config] | None]], None] | None = None,
    views: Mapping[str, View] | None = None,
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
    uncounted
        Names of resources whose configuration shapes no result, such as a tracking server: it does
        not count in versions; their code does.
    check_settings
        Called with the configuration class of every stage; raises where settings fit no stage.
    views
        What the web UI shows of results, by asset key: see `orchestration.views`.
    **others
        Jobs, schedules and sensors, as `dagster.Definitions` takes them. Every family of partitions
        has a job besides, for `dagster job backfill`.
    """
    if old := check_bytecode(project):
        raise ProjectError(
            f"{old[0]} has changed, though its size and time have not, and a compiled file from "
            "before may have been imported; that is replaced now: load the definitions again"
        )
    modules = list(modules)
    defined = _defined_in(modules)
    plain = [each for each in defined if each.keys] if assets is None else list(assets)
    names = [module.__name__ for module in modules]
    stages = Stages(plain, project, resources, uncounted, names)
    for stage in stages.stages:
        _refuse_other_managers(stage, resources or {})
    store = Store(project.store, project.locks, project.sources)
    if check_settings is not None:
        check_settings(stage.config_class for stage in stages.stages)

    def versioned(spec: dg.AssetSpec) -> dg.AssetSpec:
        key = "/".join(spec.key.path)
        if key not in stages.by_key:  # of another project
            return spec
        more = spec.merge_attributes(metadata=_reference(stages.by_key[key].function))
        return more.replace_attributes(code_version=stages.version(key).key)

    wired = [passed_on(each) if each.is_materializable else each for each in plain]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # code references may change in Dagster
        versioned_assets = dg.map_asset_specs(versioned, wired)
    others["jobs"] = [*others.get("jobs", ()), *family_jobs(versioned_assets)]
    return dg.Definitions(
        assets=versioned_assets,
        asset_checks=[each for each in defined if each.check_keys and not each.keys],
        resources={
            **io_managers(store, stages, checked(views or {}, stages)),
            GRAPH: Graph(stages, store),
            **(resources or {}),
        },
        **others,
    )


def _defined_in(modules: Iterable[ModuleType]) -> list[dg.AssetsDefinition]:
    """Assets and checks in modules, once each; Dagster's own loaders copy every one."""
    found: dict[int, dg.AssetsDefinition] = {}
    for module in modules:
        for value in vars(module).values():
            for each in value if type(value) in (list, tuple) else (value,):
                if isinstance(each, dg.AssetsDefinition):
                    found[id(each)] = each
    return list(found.values())


def _reference(function: Any) -> dict[str, Any]:
    """Metadata by which the web UI opens the line where a function begins."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return {}
    line = dg.LocalFileCodeReference(file_path=code.co_filename, line_number=code.co_firstlineno)
    return {CODE: dg.CodeReferencesMetadataValue(code_references=[line])}


def _refuse_other_managers(stage: Stage, resources: Mapping[str, Any]) -> None:
    """Refuse results that are kept elsewhere than in the store: they would look unbuilt for ever.

    Raises
    ------
    ProjectError
        Names the asset and the IO manager.
    """
    given = {**resources, **stage.definition.resource_defs}
    for output in stage.definition.op.output_defs:
        manager = given.get(output.io_manager_key)
        if manager is not None and not isinstance(manager, StoreIOManager):
            raise ProjectError(
                f"{stage.keys[0]}: its output {output.name} goes to the IO manager "
                f"{output.io_manager_key} and not to the store; name one of {list(FORMAT_NAMES)}"
            )
