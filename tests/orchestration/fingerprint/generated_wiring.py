"""Projects of assets at random: wiring, settings, partitions, resources, files; built by Dagster.

Each is built from nothing before and after an edit, by a rebuild into a store of its own. Two
builds of a slot that have one identity (`Record.build`) must have stored one value.
"""

from __future__ import annotations

import ast
import random
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.project import find
from orchestration.rebuild.session import Session
from tests.orchestration.fingerprint import generated_edits as edits
from tests.orchestration.fingerprint.generated_projects import Draft, Files, RefusedError, shown

HEAD = """\
import enum
import json
import os
from pathlib import Path
from typing import Literal
import dagster as dg
import numpy as np
import pydantic
from toy import helpers
"""

PROJECT = {
    "pyproject.toml": '[tool.faint]\ndefinitions = "toy.definitions"\nsources = ["toy"]\n',
    "toy/__init__.py": "",
    "toy/helpers.py": "SIZE = 1\n\n\ndef grown(x):\n    return x + SIZE\n",
    "data/one.txt": "1",
    "data/two.txt": "2",
    "toy/table.txt": "3",
}

# Two assets that others may read come first in every project.
FIRST = """\
@dg.asset
def up0():
    return [$n, $m]


@dg.asset
def up1():
    return [$n, $k]
"""

ASSETS = {
    "parameter": "@dg.asset\ndef $a(up0):\n    return helpers.grown(up0[0]) * $n",
    "ins": "@dg.asset(ins={'x': dg.AssetIn('up0'), 'y': dg.AssetIn('up1')})\ndef $a(x, y):\n    return x[0] * $n - y[1]",
    "ins by keyword": "@dg.asset(ins=dict(x=dg.AssetIn(key='up0'), y=dg.AssetIn(key=dg.AssetKey('up1'))))\ndef $a(y, x):\n    return [x, y]",
    "ins from a table": "SOURCES = {'x': 'up0', 'y': 'up1'}\n\n\n@dg.asset(ins={k: dg.AssetIn(v) for k, v in SOURCES.items()})\ndef $a(x, y):\n    return x[0] - y[1]",
    "ins of a multi-asset": "@dg.multi_asset(ins={'x': dg.AssetIn('up0'), 'y': dg.AssetIn('up1')}, outs={'$a': dg.AssetOut()})\ndef $b(x, y):\n    return x[0] - y[1]",
    "key": "@dg.asset(key=['deep', '$a'])\ndef $b():\n    return $n",
    "key prefix": "@dg.asset(key_prefix='deep', name='$a')\ndef $b():\n    return $n",
    "outs": "@dg.multi_asset(outs={'$a': dg.AssetOut(), '$b': dg.AssetOut()})\ndef $c():\n    return $n, $m",
    "outs yielded": "@dg.multi_asset(outs={'$a': dg.AssetOut(), '$b': dg.AssetOut()})\ndef $c(up0):\n    yield dg.Output(up0[0] + $n, output_name='$a')\n    yield dg.Output($m, output_name='$b')",
    "outs with keys": "@dg.multi_asset(outs={'x': dg.AssetOut(key='$a'), 'y': dg.AssetOut(key='$b')})\ndef $c():\n    return $n, $m",
    "specs": "@dg.multi_asset(specs=[dg.AssetSpec('$a'), dg.AssetSpec('$b')])\ndef $c():\n    yield dg.MaterializeResult(asset_key='$a', value=$n)\n    yield dg.MaterializeResult(asset_key='$b', value=$m)",
    "io manager": "@dg.asset(io_manager_key='json')\ndef $a():\n    return {'x': [$n, $m]}\n\n\n@dg.asset\ndef $b($a):\n    return [type($a).__name__, str($a['x'])]",
    "io manager of arrays": "@dg.asset(io_manager_key='arrays')\ndef $a():\n    return {'x': np.array([$n, $m])}\n\n\n@dg.asset\ndef $b($a):\n    return [type($a['x']).__name__, len($a['x'])]",
    "settings": "class $S(dg.Config):\n    size: int = $n\n    rate: float = 0.$m\n\n\n@dg.asset\ndef $a(config: $S, up0):\n    return [up0, config.size * config.rate]",
    "settings with a field": "class $S(dg.Config):\n    size: int = pydantic.Field($n, ge=0, description='Size.')\n    names: list[str] = pydantic.Field(default_factory=lambda: ['a', 'b$m'])\n\n\n@dg.asset\ndef $a(config: $S):\n    return [config.size, config.names]",
    "settings of a constant": "WIDTH$k$k = $n\n\n\nclass $S(dg.Config):\n    size: int = WIDTH$k$k\n    kind: Literal['a', 'b'] = 'a'\n\n    def area(self):\n        return self.size * $m\n\n\n@dg.asset\ndef $a(config: $S):\n    return [config.area(), config.kind]",
    "settings excluded": "class $S(dg.Config):\n    size: int = pydantic.Field($n, exclude=True)\n\n\n@dg.asset\ndef $a(config: $S):\n    return config.size",
    "settings in a dict": "class $S(dg.Config):\n    sizes: dict[str, int] = {'b': $n, 'a': $m}\n\n\n@dg.asset\ndef $a(config: $S):\n    return list(config.sizes.items())",
    "settings nested": "class $I(dg.Config):\n    size: int = $n\n\n\nclass $S(dg.Config):\n    inner: $I = $I(size=$m)\n\n\n@dg.asset\ndef $a(config: $S):\n    return config.inner.size",
    "settings that validate": "class $S(dg.Config):\n    size: int = $n\n\n    @pydantic.field_validator('size')\n    def doubled(cls, value):\n        return value * $m\n\n    model_config = pydantic.ConfigDict(validate_default=True)\n\n\n@dg.asset\ndef $a(config: $S):\n    return config.size",
    "settings with a class value": "class $S(dg.Config):\n    size: int = $n\n    step = 0 if False else pydantic.PrivateAttr($m)\n\n    def reach(self):\n        return self.size + $k\n\n\n@dg.asset\ndef $a(config: $S):\n    return config.reach()",
    "settings inherited": "class $B(dg.Config):\n    size: int = $n\n\n    def area(self):\n        return self.size * $k\n\n\nclass $S($B):\n    size: int = $m\n\n\n@dg.asset\ndef $a(config: $S):\n    return config.area()",
    "schema": "@dg.asset(config_schema={'size': dg.Field(int, default_value=$n)})\ndef $a(context):\n    return context.op_execution_context.op_config['size']",
    "partitions": "@dg.asset(partitions_def=dg.StaticPartitionsDefinition(['a', 'b$n']))\ndef $a(context: dg.AssetExecutionContext):\n    return context.partition_key * $m\n\n\n@dg.asset\ndef $b($a):\n    return sorted($a.items())",
    "partitions of a table": "SIZES$k$k$k = {'a': $n, 'b': $m}\n\n\n@dg.asset(partitions_def=dg.StaticPartitionsDefinition([*SIZES$k$k$k]))\ndef $a(context: dg.AssetExecutionContext):\n    return SIZES$k$k$k[context.partition_key]",
    "partition order": "PARTS$k$k = dg.StaticPartitionsDefinition(['p', 'q'])\n\n\n@dg.asset(partitions_def=PARTS$k$k)\ndef $a(context: dg.AssetExecutionContext):\n    return context.partition_key\n\n\n@dg.asset\ndef $b($a):\n    return list($a)",
    "partition index": "@dg.asset(partitions_def=dg.StaticPartitionsDefinition(['p', 'q']))\ndef $a(context: dg.AssetExecutionContext):\n    return context.assets_def.partitions_def.get_partition_keys().index(context.partition_key)",
    "partition mapping": "@dg.asset(partitions_def=dg.StaticPartitionsDefinition(['p', 'q']))\ndef $a(context: dg.AssetExecutionContext):\n    return context.partition_key * $n\n\n\n@dg.asset(partitions_def=dg.StaticPartitionsDefinition(['x', 'y']), ins={'given': dg.AssetIn('$a', partition_mapping=dg.StaticPartitionMapping({'p': 'x', 'q': 'y'}))})\ndef $b(given):\n    return [given]",
    "time partitions": "@dg.asset(partitions_def=dg.DailyPartitionsDefinition(start_date='2020-01-01', end_date='2020-01-03', hour_offset=$n))\ndef $a(context: dg.AssetExecutionContext):\n    return context.partition_time_window.start.isoformat()",
    "time zone": "@dg.asset(partitions_def=dg.DailyPartitionsDefinition(start_date='2020-01-01', end_date='2020-01-03', timezone='Europe/Berlin', minute_offset=$n))\ndef $a(context: dg.AssetExecutionContext):\n    return str(context.partition_time_window)",
    "time mapping": "@dg.asset(partitions_def=dg.DailyPartitionsDefinition(start_date='2020-01-01', end_date='2020-01-04'))\ndef $a(context: dg.AssetExecutionContext):\n    return context.partition_key[-1] * $n\n\n\n@dg.asset(partitions_def=dg.DailyPartitionsDefinition(start_date='2020-01-01', end_date='2020-01-04'), ins={'given': dg.AssetIn('$a', partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-0))})\ndef $b(given):\n    return given if isinstance(given, str) else sorted(given.items())",
    "resource": "class $R(dg.ConfigurableResource):\n    size: int = $n\n\n    def area(self):\n        return self.size * $m\n\n\n@dg.asset(resource_defs={'r': $R(size=$k)})\ndef $a(r: dg.ResourceParam[$R]):\n    return r.area()",
    "resource by key": "@dg.asset(resource_defs={'r': dg.ResourceDefinition.hardcoded_resource($n)}, required_resource_keys={'r'})\ndef $a(context: dg.AssetExecutionContext):\n    return context.resources.r * $m",
    "resource function": "@dg.resource\ndef $r():\n    return $n\n\n\n@dg.asset(resource_defs={'r': $r}, required_resource_keys={'r'})\ndef $a(context: dg.AssetExecutionContext):\n    return context.resources.r * $m",
    "project resource": "@dg.asset(required_resource_keys={'rate'})\ndef $a(context: dg.AssetExecutionContext):\n    return context.resources.rate * $m",
    "project resource as parameter": "@dg.asset\ndef $a(rate: dg.ResourceParam[int]):\n    return rate * $m",
    "metadata": "@dg.asset(metadata={'size': $n, 'rate': $m})\ndef $a(context: dg.AssetExecutionContext):\n    return context.assets_def.metadata_by_key[context.asset_key]['size']",
    "tags": "@dg.asset(tags={'size': '$n'})\ndef $a(context: dg.AssetExecutionContext):\n    return context.assets_def.tags_by_key[context.asset_key]['size']",
    "op tags": "@dg.asset(op_tags={'size': '$n'})\ndef $a(context: dg.AssetExecutionContext):\n    return context.op_execution_context.op_def.tags['size']",
    "harmless": "@dg.asset(group_name='g$n', description='Text $m.', owners=['team:x$k'], kinds={'python'}, retry_policy=dg.RetryPolicy(max_retries=$n), automation_condition=dg.AutomationCondition.eager())\ndef $a(up1):\n    return up1[0] * $n",
    "deps": "@dg.asset(deps=['up0', 'up1'])\ndef $a():\n    return $n",
    "result": "@dg.asset\ndef $a():\n    return dg.MaterializeResult(value=$n, metadata={'rows': $m})",
    "output": "@dg.asset\ndef $a():\n    return dg.Output($n, metadata={'rows': $m})",
    "made": "def $make(name, value):\n    @dg.asset(name=name)\n    def made(up0):\n        return [up0, value]\n    return made\n\n\n$a = $make('$b', $n)\n$c = $make('$d', np.array([$n, $m]).tolist())",
    "made in a loop": "TABLE$k$k$k = {'$a': $n, '$b': $m}\n\n\ndef $make(name):\n    @dg.asset(name=name)\n    def made():\n        return TABLE$k$k$k[name]\n    return made\n\n\n$c, $d = [$make(name) for name in TABLE$k$k$k]",
    "made with ins": "def $make(name, source):\n    @dg.asset(name=name, ins={'given': dg.AssetIn(source)})\n    def made(given):\n        return given[1] * $n\n    return made\n\n\n$a = $make('$b', 'up0')\n$c = $make('$d', 'up1')",
    "made with settings": "def $make(name, size):\n    class Settings(dg.Config):\n        width: int = size\n\n    @dg.asset(name=name)\n    def made(config: Settings):\n        return config.width * $n\n    return made\n\n\n$a = $make('$b', $m)",
    "own decorator": "def $stage(**given):\n    return dg.asset(**given, metadata={'size': $n})\n\n\n@$stage(description='x$m')\ndef $a(context: dg.AssetExecutionContext):\n    return context.assets_def.metadata_by_key[context.asset_key]['size']",
    "wrapped": "import functools\n\n\ndef $twice(f):\n    @functools.wraps(f)\n    def inner(*args, **named):\n        return [f(*args, **named)] * $n\n    return inner\n\n\n@dg.asset\n@$twice\ndef $a(up0):\n    return up0[0] + $m",
    "order of a dict": "@dg.asset\ndef $a():\n    return {'b': $n, 'a': $m}\n\n\n@dg.asset\ndef $b($a):\n    return list($a.items())",
    "content of arrays": "@dg.asset(io_manager_key='arrays')\ndef $a():\n    return {'x': np.array(['a' * $n, 'b']), 'y': np.arange($m, dtype='i4')}\n\n\n@dg.asset\ndef $b($a):\n    return [str($a['x'].dtype), $a['y'].dtype.str, [*$a]]",
    "files": "class $S(dg.Config):\n    path: str = 'DATA/one.txt'\n    other: str = 'DATA/two.txt'\n\n    def input_files(self):\n        return [Path(self.path), Path(self.other)]\n\n\n@dg.asset\ndef $a(config: $S):\n    return [Path(config.path).read_text(), Path(config.other).read_text(), $n]",
    "files of a glob": "class $S(dg.Config):\n    path: str = 'DATA'\n\n    def input_files(self):\n        return sorted(Path(self.path).glob('*.txt'))\n\n\n@dg.asset\ndef $a(config: $S):\n    return [[path.stem, path.read_text()] for path in config.input_files()]",
    "folder": "class $S(dg.Config):\n    path: str = 'DATA'\n\n    def input_files(self):\n        return [Path(self.path)]\n\n\n@dg.asset\ndef $a(config: $S):\n    return {path.stem: path.read_text() for path in sorted(Path(config.path).iterdir())}",
    "file beside the code": "@dg.asset\ndef $a():\n    return (Path(__file__).parent / 'table.txt').read_text() * $n",
    "file beside the code as a constant": "TEXT$k$k$k = (Path(__file__).parent / 'table.txt').read_text()\n\n\n@dg.asset\ndef $a():\n    return TEXT$k$k$k * $n",
    "file by importlib": "import importlib.resources\n\n\n@dg.asset\ndef $a():\n    return importlib.resources.files('toy').joinpath('table.txt').read_text() * $n",
    "environment set by the definitions": "@dg.asset\ndef $a():\n    return os.environ['TOY_RATE'] * $n",
    "constant set by the definitions": "@dg.asset\ndef $a():\n    return helpers.grown($n)",
    "keyword of asset in": "@dg.asset(ins={'x': dg.AssetIn('up0', metadata={'k': $n}), 'y': dg.AssetIn('up1')})\ndef $a(context, x, y):\n    return [x, y[0]]",
    "asset object": "$a = dg.asset(name='$b')(lambda: $n) if False else dg.asset(name='$b')(helpers.made)",
    "default of a parameter": "@dg.asset\ndef $a(context: dg.AssetExecutionContext):\n    def inner(x=$n):\n        return x * $m\n    return inner()",
    "enum settings": "class $K(enum.Enum):\n    A = 'a$n'\n    B = 'b$m'\n\n\nclass $S(dg.Config):\n    kind: $K = $K.A\n\n\n@dg.asset\ndef $a(config: $S):\n    return [config.kind.value, config.kind.name]",
}  # fmt: skip

DEFINITIONS = """\
from pathlib import Path
import os
from orchestration.build import laid_over
from orchestration.project import find
from toy import assets, helpers

os.environ["TOY_RATE"] = "$n"
helpers.SIZE = $m
defs = laid_over([assets], find(Path(__file__).parent), resources={"rate": $k})
"""


def wired(choices: random.Random, count: int) -> tuple[Draft, dict[str, str]]:
    """A project of some assets, and the draft that made it."""
    draft = Draft(choices)
    parts = [HEAD, draft.filled(FIRST, {})]
    for key in choices.sample([*ASSETS], count):
        draft.idiom("asset", key)
        parts.append(draft.filled(ASSETS[key], {"k": str(choices.randint(100, 999))}))
    files = dict(PROJECT)
    files["toy/helpers.py"] += "\n\ndef made():\n    return SIZE\n"
    files["toy/assets.py"] = "\n\n".join(parts) + "\n"
    files["toy/definitions.py"] = draft.filled(DEFINITIONS, {})
    return draft, files


def wired_edit(draft: Draft, files: dict[str, str]) -> tuple[str, dict[str, str]]:
    """One edit of its wiring, its code or its files."""
    chance = draft.random.random()
    texts = [name for name in files if name.endswith(".txt")]
    if chance < 0.1 and "DATA" in files["toy/assets.py"] + "table.txt":
        one, other = draft.random.sample(texts, 2)
        return draft.random.choice(
            [
                ("changed file", files | {one: files[one] + "7"}),
                ("exchanged files", files | {one: files[other], other: files[one]}),
                ("added file", files | {"data/three.txt": "3"}),
                (
                    "renamed file",
                    {
                        ("data/a.txt" if name == "data/one.txt" else name): text
                        for name, text in files.items()
                    },
                ),
            ]
        )
    names = [name for name in edits.EDITS if name not in ("added change",)]
    weights = [edits.WEIGHTS[name] for name in names]
    name = draft.random.choices(names, weights)[0]
    code = {
        path: text
        for path, text in files.items()
        if path.endswith(("assets.py", "definitions.py", "helpers.py"))
    }
    if chance < 0.3:
        name = "exchanged values"
        return name, files | {"toy/assets.py": exchanged(draft.random, files["toy/assets.py"])}
    return name, files | edits.EDITS[name](draft, code)


def exchanged(choices: random.Random, text: str) -> str:
    """A module in which two entries, keywords or texts have exchanged their values."""
    tree = ast.parse(text)
    pairs: list[tuple[list[Any], int, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and len(node.values) > 1:
            pairs.append((node.values, 0, 1))
    keywords = [
        k
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for k in [node.keywords]
        if len(k) > 1
    ]
    if not pairs and not keywords:
        raise RefusedError("nothing to exchange")
    if pairs and (not keywords or choices.random() < 0.7):
        items, i, j = pairs[choices.randrange(len(pairs))]
        items[i], items[j] = items[j], items[i]
    else:
        some = keywords[choices.randrange(len(keywords))]
        some[0].value, some[1].value = some[1].value, some[0].value
    return ast.unparse(tree) + "\n"


def built(root: Path, files: Files) -> dict[str, tuple[str, str]] | None:
    """Build a project from nothing; identity and value by slot, None where it doesn't load."""
    shutil.rmtree(root, ignore_errors=True)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text.replace("DATA", str(root / "data")))
    with (
        pytest.MonkeyPatch.context() as patch,
        warnings.catch_warnings(),
        dg.DagsterInstance.ephemeral() as instance,
    ):
        warnings.simplefilter("ignore")  # what Dagster says of its own parts that are in beta
        patch.setattr(sys, "path", [str(root), *sys.path])
        patch.setenv("TOY_RATE", "")
        patch.delenv("DAGSTER_HOME", raising=False)
        patch.setenv("DAGSTER_HOME", str(root / "home"))
        (root / "home").mkdir()
        patch.setattr(sys, "dont_write_bytecode", True)
        for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
            del sys.modules[name]
        try:
            session = Session(find(root), instance)
            outcome = session.rebuild(session.select())
        except Exception:
            return None
        found = {}
        for slot in session.select():
            record = session.store.current(slot)
            if record is None or slot in outcome.failed:
                found[str(slot)] = ("", "failed")
            else:
                value = shown(session.store.load(slot)).replace(str(root), "")
                found[str(slot)] = (f"{record.build}", value)
        session.close()
    return found
