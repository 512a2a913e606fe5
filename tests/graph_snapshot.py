"""The asset graph as text: one paragraph an asset, to be compared and renewed.

``python -m tests.graph_snapshot --write`` renews ``tests/graph_snapshot.txt``; without an option it
prints the graph.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import dagster as dg

ROOT = Path(__file__).resolve().parents[1]
FILE = Path(__file__).with_suffix(".txt")
COMMAND = "python -m tests.graph_snapshot --write"


def snapshot() -> str:
    """Describe every asset of the project under the default settings."""
    from orchestration.project import find

    definitions: dg.Definitions = import_module(find(ROOT).definitions).defs
    graph = definitions.resolve_asset_graph()
    checks: dict[dg.AssetKey, list[str]] = {}
    for check in graph.asset_check_keys:
        checks.setdefault(check.asset_key, []).append(check.name)
    paragraphs = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        above = sorted(parent.to_user_string() for parent in node.parent_keys)
        manager = node.assets_def.get_io_manager_key_for_asset_key(key)
        tags = [f"{name}={value}" for name, value in sorted(node.tags.items())]
        lines = {
            "group": node.group_name,
            "tags": ", ".join(tag for tag in tags if not tag.startswith("dagster/")),
            "kinds": ", ".join(sorted(node.kinds)),
            "stored by": manager,
            "partitions": _partitions(node.partitions_def),
            "checks": ", ".join(sorted(checks.get(key, []))),
            "from": ", ".join(above),
        }
        shown = [f"    {name}: {value}" for name, value in lines.items() if value]
        paragraphs.append("\n".join([key.to_user_string(), *shown]))
    return "\n\n".join(paragraphs) + "\n"


def _partitions(definition: dg.PartitionsDefinition[str] | None) -> str:
    if definition is None:
        return ""
    if isinstance(definition, dg.DynamicPartitionsDefinition):
        return f"dynamic, {definition.name}"
    keys = list(definition.get_partition_keys())
    return f"{len(keys)}, {keys[0]} to {keys[-1]}"


def changed_assets(before: str, after: str) -> list[str]:
    """Name the assets that two snapshots describe differently."""
    old, new = (
        {paragraph.splitlines()[0]: paragraph for paragraph in text.strip().split("\n\n")}
        for text in (before, after)
    )
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))


if __name__ == "__main__":
    os.environ |= {"FAINT_SETTINGS": os.devnull}
    os.environ.pop("FAINT_PROFILE", None)
    if "--write" in sys.argv[1:]:
        FILE.write_text(snapshot(), encoding="utf-8")
    else:
        print(snapshot(), end="")
