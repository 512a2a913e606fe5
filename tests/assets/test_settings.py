"""Profiles and the settings file decide the defaults; what is wrong in them is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import Field

from assets import settings
from assets.settings import SettingsError, StageConfig, by_profile, located


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Write the settings file of this test."""
    path = tmp_path / "faint.toml"
    monkeypatch.setenv("FAINT_SETTINGS", str(path))
    monkeypatch.delenv("FAINT_PROFILE", raising=False)
    monkeypatch.setattr(settings, "_sections", set())

    def clear() -> None:
        settings.settings.cache_clear()
        settings.settings_file.cache_clear()

    def write_text(text: str) -> None:
        path.write_text(text)
        clear()

    clear()
    yield write_text
    clear()


def training() -> type[StageConfig]:
    class Training(StageConfig, section="toy/network"):
        epochs: int = Field(by_profile(quick=2, published=30), gt=0)
        rate: float = 0.1

    return Training


def values(config: type[StageConfig]) -> dict[str, object]:
    return config().model_dump()


def test_without_a_file_the_profile_is_quick(write: Callable[[str], None]) -> None:
    assert values(training()) == {"epochs": 2, "rate": 0.1}


def test_the_file_chooses_the_profile_and_the_environment_overrules_it(
    write: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write('profile = "published"\n')
    assert values(training())["epochs"] == 30
    monkeypatch.setenv("FAINT_PROFILE", "quick")
    assert values(training())["epochs"] == 2


def test_a_section_overrules_the_profile(write: Callable[[str], None]) -> None:
    write('profile = "published"\n["toy/network"]\nepochs = 7\n')
    config = training()
    assert values(config) == {"epochs": 7, "rate": 0.1}
    assert config(epochs=9).model_dump()["epochs"] == 9


def test_dagster_offers_the_same_default(write: Callable[[str], None]) -> None:
    write('["toy/network"]\nepochs = 7\n')
    fields = training().to_config_schema().as_field().config_type.fields
    assert fields["epochs"].default_value == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('["toy/network"]\nepoch = 7\n', "has no setting 'epoch'; it has epochs, rate"),
        ('["toy/network"]\nepochs = 0\n', "greater than 0"),
        ('["toy/network"]\nepochs = "many"\n', "valid integer"),
        ('profile = "fast"\n', "unknown profile 'fast'; expected one of quick, published"),
        ("profile = \n", "not valid TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(
    write: Callable[[str], None], text: str, said: str
) -> None:
    write(text)
    with pytest.raises(SettingsError, match=said):
        training()


def test_a_section_of_no_stage_is_named(write: Callable[[str], None]) -> None:
    write('["toy/netwrok"]\nepochs = 7\n')
    training()
    with pytest.raises(SettingsError, match="no stage has the section 'toy/netwrok'; there are"):
        settings.check_sections()


def test_a_plain_setting_that_nobody_knows_is_named(write: Callable[[str], None]) -> None:
    write('profil = "quick"\n')
    training()
    with pytest.raises(SettingsError, match="unknown settings 'profil'"):
        settings.check_sections()


def test_a_source_is_found_below_the_checkout_and_a_missing_path_is_named() -> None:
    class Origin(StageConfig, section="toy/origin"):
        source: str = "files"
        path: str = ""

    assert located(Origin(path="data/here")) == settings.ROOT / "data" / "here"
    assert located(Origin(path="/elsewhere")) == Path("/elsewhere")
    with pytest.raises(ValueError, match=r"source 'files' needs `path`: .*toy/origin"):
        located(Origin())
