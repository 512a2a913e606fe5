"""What a stage's Dagster definition, rather than its function, gives to its result.

Counted is all of a definition but what is named here as harmless: keys, groups, owners, kinds,
descriptions, tags and metadata that the stage can't see, automation conditions, freshness and
backfill policies, retry policies, pools, hooks, checks, and which partitions there are.
Which upstream partitions are read (partition mappings) is seen in the inputs of each build.
"""

from __future__ import annotations

import ast
import inspect
import os
import textwrap
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import dagster as dg
from dagster._config.pythonic_config.resource import PartialResource
from dagster._config.validate import process_config

from orchestration.errors import ProjectError

DEFAULT_FORMAT = "json"
RUN_FACTS = frozenset({
    "add_output_metadata", "asset_key", "has_partition_key", "log", "log_event", "op_config",
    "partition_key", "partition_time_window", "resources", "retry_number", "run_id",
})  # fmt: skip
"""What a stage may ask of its context without seeing its definition."""
NAMESPACES = frozenset({"eval", "exec", "locals", "vars"})

Digest = Callable[[str, object], str]
"""Digest of a value, given what to call it."""


@dataclass(frozen=True)
class Wirer:
    """Reads the wiring of stages.

    Parameters
    ----------
    resources
        All resources of the project, by name.
    uncounted
        Names of those that shape no result.
    digest
        Digests values that are no plain data.
    known
        Keys of the assets whose content counts with each build that reads them.
    """

    resources: Mapping[str, Any]
    uncounted: frozenset[str]
    digest: Digest
    known: Collection[str]

    def wiring(
        self, definition: dg.AssetsDefinition, function: Any, *, shown: bool
    ) -> dict[str, Any]:
        """What shapes the result of a stage, beside its code and settings.

        Parameters
        ----------
        definition, function
            The stage.
        shown
            Whether its code may ask Dagster for the context that runs it.

        Returns
        -------
        dict
            Plain data; what is as usual is left out.

        Raises
        ------
        ProjectError
            If it asks for a resource that isn't known.
        """
        resources = {**self.resources, **definition.resource_defs}
        unknown = definition.op.required_resource_keys - self.uncounted - set(resources)
        if unknown:
            raise ProjectError(
                f"{definition.op.name} asks for the resource {min(unknown)}, which is not among "
                "those that its versions are computed with; give it to orchestration.build"
            )
        found = {
            "inputs": self._inputs(definition, function, resources),
            "outputs": self._outputs(definition, resources),
            "partitions": self._partitions(definition.partitions_def),
            "resources": {
                name: self._resource(f"resource {name}", resources[name], resources)
                for name in sorted(definition.op.required_resource_keys - self.uncounted)
            },
            "definition": self._shown(definition) if shown or shows(function) else {},
        }
        return {name: part for name, part in found.items() if part}

    def _inputs(
        self, definition: dg.AssetsDefinition, function: Any, resources: Mapping[str, Any]
    ) -> list[Any]:
        """The asset of each parameter in order; empty where they are in the order of their keys."""
        keys = {n: "/".join(key.path) for n, key in definition.node_keys_by_input_name.items()}
        loaded = {d.name: d for d in definition.op.input_defs if not d.dagster_type.is_nothing}
        named = [name for name in inspect.signature(function).parameters if name in loaded]
        found: list[Any] = [keys[name] for name in named]
        for name in sorted(set(loaded) - set(named)):  # what goes to `**kwargs` comes with its name
            found.append(keys[name] if name == keys[name].split("/")[-1] else {name: keys[name]})
        managers = {
            name: self._resource(f"the IO manager of input {name}", resources[manager], resources)
            for name, each in sorted(loaded.items())
            if (manager := each.input_manager_key) and manager in resources
        }
        # Builds are told apart by what they read, so that the usual order needs no mention.
        every = set(definition.node_keys_by_input_name.values())
        same = all(above - definition.keys == every for above in definition.asset_deps.values())
        known = all(key in self.known for key in keys.values())
        if same and known and found == sorted(keys.values()):
            found = []
        return [*found, *([managers] if managers else [])]

    def _outputs(
        self, definition: dg.AssetsDefinition, resources: Mapping[str, Any]
    ) -> list[list[str]]:
        """Format of each result, with its name and key where there are several."""
        keys = definition.node_keys_by_output_name
        outputs = [output for output in definition.op.output_defs if output.name in keys]
        found = []
        for output in outputs:
            manager, of_type = output.io_manager_key, output.dagster_type
            row = [DEFAULT_FORMAT if manager == "io_manager" else manager]
            if manager in resources:
                what = f"the IO manager of output {output.name}"
                row.append(self._resource(what, resources[manager], resources))
            if type(of_type) is dg.DagsterType:
                check = vars(of_type).get("_type_check_fn")
                row.append(self.digest(f"the type of output {output.name}", check))
            if len(outputs) > 1:
                row += [output.name, "/".join(keys[output.name].path)]
            found.append(row)
        return [] if found == [[DEFAULT_FORMAT]] else found

    def _partitions(self, partitions: dg.PartitionsDefinition | None) -> dict[str, Any]:
        """What gives a partition key its meaning; not which keys there are."""
        found: dict[str, Any] = {}
        if isinstance(partitions, dg.MultiPartitionsDefinition):
            for dimension in partitions.partitions_defs:
                if part := self._partitions(dimension.partitions_def):
                    found[dimension.name] = part
        elif isinstance(partitions, dg.TimeWindowPartitionsDefinition):
            found["schedule"] = partitions.cron_schedule
            found["time zone"] = partitions.timezone
            found["format"] = partitions.fmt
        if type(partitions).__module__.partition(".")[0] not in ("builtins", "dagster"):
            found["class"] = self.digest("its partitions", type(partitions))
        return found

    def _shown(self, definition: dg.AssetsDefinition) -> dict[str, Any]:
        """What the context shows of a definition."""
        partitions, keys = definition.partitions_def, None
        if partitions is not None and not isinstance(partitions, dg.DynamicPartitionsDefinition):
            keys = partitions.get_partition_keys()
        specs = {"/".join(spec.key.path): spec for spec in definition.specs}
        metadata = {key: dict(spec.metadata) for key, spec in specs.items()}
        return {
            "op": [definition.op.name, dict(definition.op.tags)],
            "tags": {key: dict(spec.tags) for key, spec in specs.items()},
            "groups": {key: spec.group_name for key, spec in specs.items()},
            "owners": {key: list(spec.owners) for key, spec in specs.items()},
            "descriptions": {key: spec.description for key, spec in specs.items()},
            "metadata": self.digest("its metadata", metadata),
            "partitions": self.digest("its partitions", keys),
        }

    def _resource(self, what: str, value: Any, resources: Mapping[str, Any]) -> str:
        return self.digest(what, _described(value, resources))


def shows(function: Any, parameter: str | None = None, depth: int = 4) -> bool:
    """Whether a function may read more than `RUN_FACTS` from the context it is given.

    Parameters
    ----------
    function
        A function of a stage, or one that it calls.
    parameter
        Which parameter is the context; that of a stage by default.
    depth
        Calls to follow.
    """
    if parameter is None:
        first = next(iter(inspect.signature(function).parameters), "")
        if first not in ("context", "_context", "_", "_context_", "__", "context_"):
            return False
        parameter = first
    if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__") or not depth:
        return True
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return True
    code = function.__code__
    own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    harmless: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in RUN_FACTS:
            harmless.add(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "vars" and node.args:
                harmless.add(node.func)
            called = function.__globals__.get(node.func.id)
            if node.func.id in own or not isinstance(called, FunctionType):
                continue
            names = inspect.signature(called).parameters
            for argument, name in zip(node.args, names, strict=False):
                if _names(argument, parameter) and not shows(called, name, depth - 1):
                    harmless.add(argument)
    return any(
        isinstance(node, ast.Name) and node.id in {parameter, *NAMESPACES} and node not in harmless
        for node in ast.walk(tree)
    )


def _names(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _described(value: Any, resources: Mapping[str, Any]) -> object:
    """A resource as what it was configured with, and without what Dagster adds to it."""
    if isinstance(value, dg.EnvVar):
        return "environment", value.env_var_name, os.environ.get(value.env_var_name)
    if isinstance(value, dg.Config):  # as resource classes are, too
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        private = value.__pydantic_private__ or {}
        return type(value), _described(fields | dict(private), resources)
    if isinstance(value, PartialResource):
        return value.resource_cls, _described(value.data, resources)
    if isinstance(value, dg.ResourceDefinition):
        made = value.resource_fn
        if isinstance(made, MethodType):  # of a resource class
            return _described(made.__self__, resources)
        needed = {
            name: _described(resources[name], resources)
            for name in sorted(value.required_resource_keys)
            if name in resources
        }
        return made, effective(value), needed
    if type(value) is dict:
        return {name: _described(item, resources) for name, item in value.items()}
    if type(value) in (list, tuple):
        return [_described(item, resources) for item in value]
    return value


def effective(definition: Any) -> object:
    """The configuration of an op or a resource for which a run gives none.

    Returns
    -------
    object
        Plain data; None if it takes none, or if it has no whole default.
    """
    field = definition.config_field
    if field is None:
        return None
    given = field.default_value if field.default_provided else {}
    found = process_config(field.config_type, {} if given is None else given)
    if not found.success:
        return None
    mapped = definition.apply_config_mapping({"config": found.value})
    return mapped.value.get("config") if mapped.success else None
