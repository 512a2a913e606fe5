"""A small project like the one that peers were measured on: 13 stages a system, trivial work.

Each system: download -> sample -> scale -> features -> three models of training, threshold and
evaluation. Tests edit its sources, settings and stored files and see which stages run. Every stage
appends its name to `ran.txt`, so that what ran is counted where it ran and not by who asked for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PYPROJECT = """\
[tool.faint]
definitions = "toy.definitions"
sources = ["toy"]
commands = "assets.commands"
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

SYSTEM = """\
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

"""

MODEL = """\
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

"""

FORMS = '''\
"""Every way in which a stage can come to use something; each adds 1 to the features."""

import functools

from toy.kit import borrowed as lent
from toy.kit.base import Base

CONSTANT = 1.0


class Shape(Base):
    step = 1.0

    def method(self, value):
        return value + 1.0


def decorated(function):
    def wrapper(value):
        return function(value) + 1.0
    return wrapper


@decorated
def default(value, extra=1.0):
    return value + extra


def as_value(value):
    return value + 1.0


def in_dict(value):
    return value + 1.0


def in_list(value):
    return value + 1.0


def partly(extra, value):
    return value + extra + 1.0


TABLE = {"dict": in_dict}
STEPS = [in_list]
PARTIAL = functools.partial(partly, 1.0)


def apply(function, value):
    return function(value)


def all_forms(value):
    shape = Shape()
    value = shape.inherited(shape.method(value)) + shape.step + CONSTANT
    value = apply(as_value, TABLE["dict"](default(value)))
    for step in STEPS:
        value = step(value)
    return lent(PARTIAL(value))
'''

KIT = """\
from toy.kit.deep import borrowed
"""

DEEP = """\
def borrowed(value):
    return value + 1.0
"""

BASE = """\
class Base:
    def inherited(self, value):
        return value + 1.0
"""

FAMILY = """\

FAMILY = dg.StaticPartitionsDefinition([{names}])


@dg.asset(key=["family", "architecture"], group_name="family", partitions_def=FAMILY)
def family_architecture(context: dg.AssetExecutionContext):
    ran(f"family/architecture[{{context.partition_key}}]")
    return helpers.UNITS.get(context.partition_key, 1)


@dg.asset(
    key=["family", "network"], group_name="family", partitions_def=FAMILY,
    ins={{"architecture": dg.AssetIn(["family", "architecture"])}},
)
def family_network(context: dg.AssetExecutionContext, architecture):
    ran(f"family/network[{{context.partition_key}}]")
    return 2 * architecture


@dg.asset(
    key=["family", "comparison"], group_name="family",
    ins={{"networks": dg.AssetIn(["family", "network"])}},
)
def family_comparison(networks: dict[str, int]):
    ran("family/comparison")
    return {{name: networks[name] for name in sorted(networks)}}
"""

UNITS = """
UNITS = {"a": 1, "b": 2, "c": 3}
"""

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


def family_source(names: Sequence[str]) -> str:
    """A family of partitions, and one asset that reads them all."""
    return FAMILY.format(names=", ".join(f'"{name}"' for name in names))


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
