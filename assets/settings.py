"""What a user may set: the profile, and any stage's configuration, in `faint.toml`.

Every stage has one `StageConfig`. A field's default is, in this order: what `faint.toml` says for
the stage, what the field says for the profile, the field's plain default. The result is what the
web UI offers, what a run without configuration uses and what counts in the stage's version, so
switching the profile or editing `faint.toml` makes exactly the stages stale whose values changed.
"""

from __future__ import annotations

import functools
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import dagster as dg
from pydantic import ValidationError

ROOT = Path(__file__).resolve().parents[1]
PROFILES = ("quick", "published")
T = TypeVar("T")


class SettingsError(ValueError):
    """`faint.toml` or $FAINT_PROFILE says something that isn't understood."""


@functools.cache
def settings_file() -> Path:
    """The settings file: $FAINT_SETTINGS, or `faint.toml` in the checkout."""
    return Path(os.environ.get("FAINT_SETTINGS") or ROOT / "faint.toml")


@functools.cache
def settings() -> dict[str, Any]:
    """Everything in the settings file; empty if there is none."""
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
    """Give a field its default in the chosen profile."""
    return published if profile() == "published" else quick


_sections: set[str] = set()


class StageConfig(dg.Config):
    """Configuration of one kind of stage.

    A subclass names its section of the settings file::

        class CnnTraining(StageConfig, section="exoplanets/cnn/network"):
            epochs: int = by_profile(quick=4, published=30)
    """

    _section: ClassVar[str]

    def __init_subclass__(cls, section: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _sections.add(section)
        cls._section = section

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Put what the settings file says in place of the defaults, checked as a user's value."""
        chosen = settings().get(cls._section, {})
        if unknown := sorted(set(chosen) - set(cls.model_fields)):
            raise SettingsError(
                f'{settings_file()}: ["{cls._section}"] has no setting '
                f"{', '.join(map(repr, unknown))}; it has {', '.join(sorted(cls.model_fields))}"
            )
        try:
            checked = cls.model_validate(chosen)
        except ValidationError as error:
            raise SettingsError(f'{settings_file()}: ["{cls._section}"]: {error}') from error
        for name in chosen:
            cls.model_fields[name].default = getattr(checked, name)
        if chosen:
            cls.model_rebuild(force=True)

    def input_files(self) -> Sequence[Path]:
        """Files outside the graph that the stage reads: their content counts in its version."""
        return ()


class Sourced(Protocol):
    """Configuration of a stage that may read a file or folder from outside the graph."""

    _section: ClassVar[str]

    @property
    def source(self) -> str:
        """Where the data come from."""

    @property
    def path(self) -> str:
        """A file or folder; empty where the source needs none."""


def located(config: Sourced) -> Path:
    """Give the file or folder that `path` names, below the checkout if it is relative.

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


def check_sections() -> None:
    """Raise if the settings file has a section for no stage (call when all stages are loaded)."""
    tables = {name for name, value in settings().items() if isinstance(value, dict)}
    if unknown := sorted(tables - _sections):
        raise SettingsError(
            f"{settings_file()}: no stage has the section {', '.join(map(repr, unknown))}; there "
            f"are {', '.join(map(repr, sorted(_sections)))}"
        )
    plain = sorted(set(settings()) - tables - {"profile"})
    if plain:
        raise SettingsError(
            f"{settings_file()}: unknown settings {', '.join(map(repr, plain))}; outside sections "
            "there is only profile"
        )
