"""A small project like the one that peers were measured on: 13 stages a system, trivial work.

Each system: download -> sample -> scale -> features -> three models of training, threshold and
evaluation. Tests edit its sources, settings and stored files and see which stages run. Every stage
appends its name to `ran.txt`, so that what ran is counted where it ran and not by who asked for it.
"""

from __future__ import annotations

from pathlib import Path

PYPROJECT = """\
[tool.faint]
definitions = "toy.definitions"
sources = ["toy"]
"""

DEFINITIONS = """\
from orchestration.build import laid_over
from orchestration.project import find
from pathlib import Path
from toy import systems

defs = laid_over([systems], find(Path(__file__).parent))
"""

HELPERS = '''\
"""Helpers of the stages."""

OFFSET = 1.0


def shift(value):
    """Three calls away from a stage."""
    return value + OFFSET


def widen(value):
    return 2 * shift(value)


def make_features(values):
    return [widen(value) for value in values]


def rescale(values):
    top = max(values)
    return [value / top for value in values]


def neighbour(values):
    """Used by nobody."""
    return values


def accuracy(threshold, values):
    return sum(value > threshold for value in values) / len(values)
'''

LOG = '''\
"""Counts what ran, for the tests."""

import os
from pathlib import Path


def ran(name):
    line = f"{name}\\n".encode()
    descriptor = os.open(os.environ["TOY_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line)
    os.close(descriptor)
'''

SYSTEM = '''\
class {Name}Download(dg.Config):
    rows: int = 8


@dg.asset(key=["{name}", "curves"], group_name="{name}", tags={{"stage": "download"}})
def {name}_curves(config: {Name}Download):
    ran("{name}/curves")
    return [float(row % 5) for row in range(config.rows)]


@dg.asset(key=["{name}", "sample"], group_name="{name}", ins={{"curves": dg.AssetIn(["{name}", "curves"])}})
def {name}_sample(curves):
    ran("{name}/sample")
    return curves[::2]


@dg.asset(key=["{name}", "scaled"], group_name="{name}", ins={{"sample": dg.AssetIn(["{name}", "sample"])}})
def {name}_scaled(sample):
    ran("{name}/scaled")
    return helpers.rescale(sample)


@dg.asset(key=["{name}", "features"], group_name="{name}", ins={{"scaled": dg.AssetIn(["{name}", "scaled"])}})
def {name}_features(scaled):
    ran("{name}/features")
    return helpers.make_features(scaled)

'''

MODEL = '''\
class {Name}{Model}Training(dg.Config):
    rate: float = 0.5


@dg.asset(
    key=["{name}", "{model}", "network"], group_name="{name}", tags={{"stage": "training"}},
    ins={{"features": dg.AssetIn(["{name}", "features"])}},
)
def {name}_{model}_network(config: {Name}{Model}Training, features):
    ran("{name}/{model}/network")
    return {{"weight": config.rate * sum(features)}}


@dg.asset(
    key=["{name}", "{model}", "threshold"], group_name="{name}",
    ins={{"network": dg.AssetIn(["{name}", "{model}", "network"])}},
)
def {name}_{model}_threshold(network):
    ran("{name}/{model}/threshold")
    return {{"threshold": network["weight"] / 2}}


@dg.asset(
    key=["{name}", "{model}", "evaluation"], group_name="{name}",
    ins={{
        "threshold": dg.AssetIn(["{name}", "{model}", "threshold"]),
        "features": dg.AssetIn(["{name}", "features"]),
    }},
)
def {name}_{model}_evaluation(threshold, features):
    ran("{name}/{model}/evaluation")
    return {{"accuracy": helpers.accuracy(threshold["threshold"], features)}}

'''

HEAD = '''\
"""The stages."""

import dagster as dg

from toy import helpers
from toy.log import ran

'''

SYSTEMS = ("alpha", "beta")
MODELS = ("forest", "cnn", "lstm")


def system_source(name: str, models: tuple[str, ...] = MODELS) -> str:
    names = {"name": name, "Name": name.title()}
    source = SYSTEM.format(**names)
    for model in models:
        source += MODEL.format(**names, model=model, Model=model.title())
    return source


def write_toy(folder: Path, systems: tuple[str, ...] = SYSTEMS) -> None:
    """Write the project's files."""
    package = folder / "toy"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (package / "__init__.py").write_text("")
    (package / "definitions.py").write_text(DEFINITIONS)
    (package / "helpers.py").write_text(HELPERS)
    (package / "log.py").write_text(LOG)
    (package / "systems.py").write_text(HEAD + "\n".join(system_source(name) for name in systems))
