"""Profiles and the settings file decide the defaults; what is wrong in them is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import Field

from assets import settings
from assets.settings import SettingsError, StageConfig, by_profile, located


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Write the settings file of this test."""
    path = tmp_path / "faint.toml"
    monkeypatch.setenv("FAINT_SETTINGS", str(path))
    monkeypatch.delenv("FAINT_PROFILE", raising=False)
    return path.write_text


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
    assert config.model_validate({"epochs": 9}).model_dump()["epochs"] == 9


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
        ('["toy/network"]\nepochs = true\n', "epochs is true; expected a number"),
        ('["toy/network"]\nrate = nan\n', "rate is nan; expected finite numbers"),
        ('["toy/network"]\nrate = inf\n', "rate is inf; expected finite numbers"),
        ('"toy/network" = 3\n', r'"toy/network" must be a table, .* not 3'),
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


def families() -> tuple[type[StageConfig], ...]:
    """A base, and stages whose classes inherit from it and from each other."""

    class Base(StageConfig):
        epochs: int = 5
        patience: int = 3

    class Network(Base, section="toy/network"):
        epochs: int = 8

    class Study(Network, section="toy/study"):
        seed: int = 1

    return Base, Network, Study


def test_a_section_counts_for_its_own_stages_alone(write: Callable[[str], None]) -> None:
    write('["toy/network"]\nepochs = 2\npatience = 1\n')
    base, network, study = map(values, families())
    assert base == {"epochs": 5, "patience": 3}
    assert network == {"epochs": 2, "patience": 1}
    assert study == {"epochs": 8, "patience": 3, "seed": 1}


def test_an_inherited_field_may_be_set_in_the_own_section(write: Callable[[str], None]) -> None:
    write('["toy/study"]\npatience = 9\n')
    _, network, study = families()
    assert values(study) == {"epochs": 8, "patience": 9, "seed": 1}
    assert study.to_config_schema().as_field().config_type.fields["patience"].default_value == 9
    assert values(network) == {"epochs": 8, "patience": 3}


def test_a_section_that_only_a_base_has_is_refused(write: Callable[[str], None]) -> None:
    write('["toy/*/network"]\nepochs = 2\n')

    class Base(StageConfig, section="toy/*/network"):
        epochs: int = 5

    class Cnn(Base, section="toy/cnn/network"):
        epochs: int = 8

    with pytest.raises(SettingsError, match=r"no stage has the section 'toy/\*/network'"):
        settings.check_sections([Cnn])
    settings.check_sections([Base])


@pytest.mark.parametrize(
    "text",
    [
        '["gravitational_waves/*_network"]\nepochs = 3\n',
        '["exoplanets/*_network"]\nseed = 3\n',
        '"exoplanets/curves" = 3\n',
    ],
)
def test_the_project_refuses_what_counts_for_no_stage(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faint.toml"
    path.write_text(text)
    env = os.environ | {"FAINT_SETTINGS": str(path), "FAINT_STATE": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "plan"],
        cwd=settings.ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    section = text.split('"')[1]
    assert section in done.stderr
    assert "Traceback" not in done.stderr


def test_a_section_of_no_stage_is_named(write: Callable[[str], None]) -> None:
    write('["toy/netwrok"]\nepochs = 7\n')
    config = training()
    with pytest.raises(
        SettingsError, match=r"no stage has the section 'toy/netwrok'; there are .*'toy/network'"
    ):
        settings.check_sections([config, None])


def test_a_plain_setting_that_nobody_knows_is_named(write: Callable[[str], None]) -> None:
    write('profil = "quick"\n')
    config = training()
    with pytest.raises(SettingsError, match="unknown settings 'profil'"):
        settings.check_sections([config])


def test_a_source_is_found_below_the_checkout_and_a_missing_path_is_named() -> None:
    class Origin(StageConfig, section="toy/origin"):
        source: str = "files"
        path: str = ""

    assert located(Origin(path="data/here")) == settings.ROOT / "data" / "here"
    assert located(Origin(path="/elsewhere")) == Path("/elsewhere")
    with pytest.raises(ValueError, match=r"source 'files' needs `path`: .*toy/origin"):
        located(Origin())
