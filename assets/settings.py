"""The settings of `faint.toml`: the profile, and any stage's configuration.

Every stage has one `StageConfig`. A field's default is, in this order: its value in the stage's
section of `faint.toml`, its default in the chosen profile, its plain default. The web UI offers the
result, a run without configuration uses it, and it counts in the stage's version: switching the
profile or editing `faint.toml` makes exactly the stages stale whose values changed.
"""

from __future__ import annotations

import inspect
import math
import os
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import dagster as dg
from pydantic import Field, ValidationError

ROOT = Path(__file__).resolve().parents[1]
PROFILES = ("quick", "published")
T = TypeVar("T")


class SettingsError(ValueError):
    """`faint.toml` or $FAINT_PROFILE is wrong."""


def settings_file() -> Path:
    """The settings file: $FAINT_SETTINGS, or `faint.toml` in the checkout."""
    return Path(os.environ.get("FAINT_SETTINGS") or ROOT / "faint.toml")


def settings() -> dict[str, Any]:
    """Everything in the settings file, read anew; empty if there is none.

    Nothing keeps it: a value that a module keeps counts for every stage that may read it, and
    settings count for the stages whose they are.
    """
    path = settings_file()
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error


def profile() -> str:
    """The chosen profile: $FAINT_PROFILE, else `profile` in the settings file, else quick."""
    chosen = os.environ.get("FAINT_PROFILE") or settings().get("profile", "quick")
    if chosen not in PROFILES:
        raise SettingsError(f"unknown profile {chosen!r}; expected one of {', '.join(PROFILES)}")
    return str(chosen)


def by_profile(*, quick: T, published: T) -> T:
    """Return a field's default in the chosen profile."""
    return published if profile() == "published" else quick


class StageConfig(dg.Config):
    """Configuration of one kind of stage.

    A subclass that stages use names its section of the settings file::

        class CnnTraining(StageConfig, section="exoplanets/cnn_network"):
            epochs: int = by_profile(quick=4, published=30)

    A section's values count for its own class alone: a subclass inherits the defaults that its base
    declares, not those that the settings file gives to the base. A class without a section is only
    a base of others.
    """

    _section: ClassVar[str | None] = None
    _declared: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, section: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._section = section

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Put the values of the settings file in place of the defaults, checked as a user's."""
        inherited: dict[str, Any] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited |= getattr(base, "_declared", {})
        for name in inherited.keys() - inspect.get_annotations(cls).keys():
            cls.model_fields[name].default = inherited[name]
        cls._declared = {name: field.default for name, field in cls.model_fields.items()}
        chosen = section_values(cls._section) if cls._section else {}
        if unknown := sorted(set(chosen) - set(cls.model_fields)):
            raise SettingsError(
                f'{settings_file()}: ["{cls._section}"] has no setting '
                f"{', '.join(map(repr, unknown))}; it has {', '.join(sorted(cls.model_fields))}"
            )
        for name, value in chosen.items():
            if isinstance(value, bool) and cls.model_fields[name].annotation in (int, float):
                raise SettingsError(
                    f'{settings_file()}: ["{cls._section}"]: {name} is {str(value).lower()}; '
                    "expected a number"
                )
        if chosen:
            try:
                checked = cls.model_validate(chosen)
            except ValidationError as error:
                raise SettingsError(f'{settings_file()}: ["{cls._section}"]: {error}') from error
            for name in chosen:
                cls.model_fields[name].default = getattr(checked, name)
        if chosen or inherited:
            cls.model_rebuild(force=True)

    def input_files(self) -> Sequence[Path]:
        """Files outside the graph that the stage reads: their content counts in its version."""
        return ()


class Intervals(StageConfig):
    """How the intervals of an evaluation are made."""

    resamples: int = Field(1000, ge=100, description="bootstrap draws for each interval")
    seed: int = Field(6, description="of the draws")


class GraphConfig(StageConfig):
    """Configuration that shapes the graph itself, such as which models are trained."""


def section_values(section: str) -> dict[str, Any]:
    """Return the values of a section of the settings file; empty where it has none.

    Raises
    ------
    SettingsError
        The section is no table, or a number in it is not finite.
    """
    values = settings().get(section, {})
    if not isinstance(values, dict):
        raise SettingsError(
            f'{settings_file()}: "{section}" must be a table, ["{section}"] with its settings '
            f"below it, not {values!r}"
        )
    for name, value in values.items():
        numbers = value if isinstance(value, list) else [value]
        if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
            raise SettingsError(
                f'{settings_file()}: ["{section}"]: {name} is {value}; expected finite numbers'
            )
    return values


class Sourced(Protocol):
    """Configuration of a stage that may read a file or folder from outside the graph."""

    _section: ClassVar[str | None]

    @property
    def source(self) -> str:
        """Where the data come from."""

    @property
    def path(self) -> str:
        """A file or folder; empty where the source needs none."""


def located(config: Sourced) -> Path:
    """Return the file or folder that `path` names, below the checkout if it is relative.

    Raises
    ------
    ValueError
        There is none.
    """
    if not config.path:
        raise ValueError(
            f"source {config.source!r} needs `path`: set it in faint.toml, section "
            f'["{config._section}"]'
        )
    return ROOT / Path(config.path).expanduser()


def check_sections(used: Iterable[type[dg.Config] | None]) -> None:
    """Refuse what the settings file says for no stage.

    Parameters
    ----------
    used
        The configuration class of every stage of the graph.

    Raises
    ------
    SettingsError
        Names the sections that no stage has, and the settings outside sections.
    """
    classes = [*used, *GraphConfig.__subclasses__()]
    sections = {
        cls._section for cls in classes if cls and issubclass(cls, StageConfig) and cls._section
    }
    tables = {name for name, value in settings().items() if isinstance(value, dict)}
    if unknown := sorted(tables - sections):
        raise SettingsError(
            f"{settings_file()}: no stage has the section {', '.join(map(repr, unknown))}; there "
            f"are {', '.join(map(repr, sorted(sections)))}"
        )
    if plain := sorted(set(settings()) - tables - {"profile"}):
        raise SettingsError(
            f"{settings_file()}: unknown settings {', '.join(map(repr, plain))}; outside sections "
            "there is only profile"
        )
