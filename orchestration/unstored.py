"""Stages that return nothing to store: None, or what Dagster calls a materialize result.

Dagster passes such results by the IO manager, which keeps the records of builds. Here they are
handed to it all the same, as `Unstored`.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.utils import NoValueSentinel
from dagster._core.types.dagster_type import resolve_dagster_type
from dagster_shared.record import copy as copy_record


@dataclass(frozen=True)
class Unstored:
    """A result that is kept elsewhere, with the data version that its stage reports, if any."""

    version: str | None


def passed_on(definition: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """Copy a stage so that all its results, those without a value too, reach the IO manager."""
    op, outputs = copy.copy(definition.op), []
    for output in op.output_defs:
        if output.name in definition.node_keys_by_output_name and output.dagster_type.is_nothing:
            output = copy.copy(output)
            vars(output)["_dagster_type"] = resolve_dagster_type(dg.Any)
        outputs.append(output)
    nothing = all(output.dagster_type.is_nothing for output in op.output_defs)
    compute: Any = op.compute_fn
    function = _passing_on(compute.decorated_fn, len(outputs) if nothing else 0)
    vars(op)["_compute_fn"] = type(compute)(function)
    vars(op)["_output_defs"] = outputs
    vars(op)["_output_dict"] = {output.name: output for output in outputs}
    made = copy.copy(definition)
    vars(made)["_computation"] = copy_record(vars(definition)["_computation"], node_def=op)
    return made


def _passing_on(function: Callable[..., Any], nothing: int) -> Callable[..., Any]:
    """Wrap a stage's function; ``nothing``: outputs of one that is known to return no values."""
    run: Any
    if inspect.isasyncgenfunction(function):

        async def run(*args: Any, **kwargs: Any) -> Any:
            async for each in function(*args, **kwargs):
                yield _with_value(each)

    elif inspect.iscoroutinefunction(function):

        async def run(*args: Any, **kwargs: Any) -> Any:
            return _returned(await function(*args, **kwargs), nothing)

    elif inspect.isgeneratorfunction(function):

        def run(*args: Any, **kwargs: Any) -> Any:
            yield from map(_with_value, function(*args, **kwargs))

    else:

        def run(*args: Any, **kwargs: Any) -> Any:
            return _returned(function(*args, **kwargs), nothing)

    functools.update_wrapper(run, function)
    run.__annotations__ = getattr(function, "__annotations__", {})  # a partial has none
    return run  # type: ignore[no-any-return]


def _returned(result: Any, nothing: int) -> Any:
    if inspect.isgenerator(result):
        return map(_with_value, result)
    if result is None and nothing > 1:  # Dagster wants a value of each output that isn't `Nothing`
        return (None,) * nothing
    return tuple(map(_with_value, result)) if type(result) is tuple else _with_value(result)


def _with_value(result: Any) -> Any:
    """Give a result a value; the version of one that is stored is its content."""
    if isinstance(result, dg.MaterializeResult):
        version = result.data_version.value if result.data_version else None
        value = Unstored(version) if result.value is NoValueSentinel else result.value
        return result._replace(value=value, data_version=None)
    if isinstance(result, dg.Output) and result.data_version is not None:
        version = result.data_version.value
        value = Unstored(version) if result.value is None else result.value
        return dg.Output(value, result.output_name, metadata=result.metadata, tags=result.tags)
    return result
