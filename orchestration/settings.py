"""Settings of stages as plain data, to be compared and to be shown."""

from __future__ import annotations

import hashlib
import math
from enum import Enum
from typing import Any

import dagster as dg
from dagster._config.field_utils import IntEnvVar
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

SECRET_DIGITS = 16


def plain(value: Any) -> Any:
    """A setting as plain data: settings that differ in anything give data that differ.

    Fields count whatever a class would leave out of its own serialisation. What JSON lacks (order
    of a dict, numbers that aren't finite) comes as a dict that names it.

    Raises
    ------
    pydantic_core.PydanticSerializationError
        If it is of a type that has no plain form.
    """
    if isinstance(value, BaseModel):
        fields = {
            name: _environment(field.default, getattr(value, name))
            for name, field in type(value).model_fields.items()
        }
        return {name: plain(item) for name, item in (fields | (value.model_extra or {})).items()}
    if isinstance(value, Enum):
        return plain(value.value)
    if type(value) is dict:
        names = list(value)
        if all(type(name) is str for name in names) and names == sorted(names):
            return {name: plain(item) for name, item in value.items()}
        return {"items": [[plain(name), plain(item)] for name, item in value.items()]}
    if type(value) is list:
        return [plain(item) for item in value]
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if type(value) is tuple:
        return {"tuple": [plain(item) for item in value]}
    return {type(value).__qualname__: to_jsonable_python(value)}


def _environment(default: object, value: Any) -> Any:
    """A setting whose default is an environment variable, without what may be a secret."""
    if not isinstance(default, dg.EnvVar | IntEnvVar):
        return value
    name = default.env_var_name if isinstance(default, dg.EnvVar) else default.name
    actual = value.get_value() if isinstance(value, dg.EnvVar | IntEnvVar) else value
    return f"${name} ({hashlib.sha256(str(actual).encode()).hexdigest()[:SECRET_DIGITS]})"
