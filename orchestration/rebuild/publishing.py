"""Show a stored build in Dagster's event log, with the tags by which Dagster knows its inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import dagster as dg

from orchestration.io_managers import storage_metadata
from orchestration.rebuild.planning import CODE_TAG, DATA_TAG, Stale
from orchestration.stages import Graph
from orchestration.store import Record, Slot

PARTITION_EDGES_TRACKED = 100
"""Upstream partitions of one edge from which on Dagster compares only the latest event."""


def publish(graph: Graph, instance: dg.DagsterInstance, item: Stale) -> bool:
    """Make a stored build current, and let Dagster show it as the latest; whether it could."""
    record = item.record
    assert record is not None
    if item.action == "restore" and not graph.store.restore(record):
        return False
    build = graph.store.built(item.slot, record.build)
    metadata: dict[str, Any] = {}
    if build is not None and build.metadata:
        metadata = dict(dg.deserialize_value(build.metadata, dict))
    note = "restored from the store" if item.action == "restore" else "told of the stored build"
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            asset_key=dg.AssetKey(item.slot.asset.split("/")),
            partition=item.slot.partition,
            description=note,
            metadata=metadata
            | storage_metadata(graph.store, record)
            | {"rebuild": dg.MetadataValue.text(note)},
            tags=_tags(graph, instance, item.slot, record),
        )
    )
    return True


def _tags(graph: Graph, instance: dg.DagsterInstance, slot: Slot, record: Record) -> dict[str, str]:
    """The tags by which Dagster knows what a materialisation was built from."""
    tags = {
        DATA_TAG: record.content,
        CODE_TAG: graph.stages.version(slot.asset).key,
        "dagster/data_version_is_user_provided": "true",
    }
    upstream = graph.stages.upstream(slot)
    keys = {name: dg.AssetKey(name.split("/")) for name in upstream}
    asset_records = instance.get_asset_records(list(keys.values())) if keys else ()
    pointers = {
        record.asset_entry.asset_key: record.asset_entry.last_materialization_storage_id
        for record in asset_records
    }
    for name, group in upstream.items():
        tags[f"dagster/input_data_version/{name}"] = _dagster_version(graph, group)
        tags[f"dagster/input_event_pointer/{name}"] = str(pointers.get(keys[name]) or "NULL")
    return tags


def _dagster_version(graph: Graph, slots: Sequence[Slot]) -> str:
    """Data version of an upstream asset as Dagster computes it for its child."""
    records = sorted(
        (record for record in map(graph.store.current, slots) if record),
        key=lambda record: record.slot,
    )
    if len(slots) == 1 and slots[0].partition is None:
        return records[0].content
    if len(slots) >= PARTITION_EDGES_TRACKED:
        return max(records, key=lambda record: record.created).content
    return hashlib.sha256("".join(record.content for record in records).encode()).hexdigest()
