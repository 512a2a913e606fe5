"""Show a stored build in Dagster's event log, with the tags by which Dagster knows its inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import dagster as dg

from orchestration.io_managers import storage_metadata
from orchestration.rebuild.planning import CODE_TAG, DATA_TAG, Logged, Stale, version_reasons
from orchestration.stages import Graph, Version, combine
from orchestration.store import Record, Slot

PARTITION_EDGES_TRACKED = 100
"""Upstream partitions of one edge from which on Dagster compares only the latest event."""


def publish(graph: Graph, instance: dg.DagsterInstance, item: Stale) -> bool:
    """Make a stored build current, and let Dagster show it as the latest; whether it could."""
    record = item.record
    assert record is not None
    if item.action == "restore" and not graph.store.restore(record):
        return False
    report(graph, instance, record, restored=item.action == "restore")
    return True


def report(
    graph: Graph, instance: dg.DagsterInstance, record: Record, *, restored: bool = False
) -> None:
    """Let Dagster show a stored build as the latest."""
    build = graph.store.built(record.slot, record.build)
    metadata: dict[str, Any] = {}
    if build is not None and build.metadata:
        metadata = dict(dg.deserialize_value(build.metadata, dict))
    note = "restored from the store" if restored else "reported again: Dagster's log lacked it"
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            asset_key=dg.AssetKey(record.slot.asset.split("/")),
            partition=record.slot.partition,
            description=note,
            metadata=metadata
            | storage_metadata(graph.store, record)
            | {"rebuild": dg.MetadataValue.text(note)},
            tags=_tags(graph, instance, record),
        )
    )


def is_logged(graph: Graph, record: Record, logged: Logged | None) -> bool:
    """Whether Dagster's event log shows a build as it would be reported.

    The code version of one that is out of date may be any: one that was run with other settings
    has the version that was current then.
    """
    if logged is None or logged[0] != record.content:
        return False
    return logged[1] == graph.stages.version(record.slot.asset).key or not _is_current(
        graph, record
    )


def _is_current(graph: Graph, record: Record) -> bool:
    """Whether a build was made with the version that its stage has now."""
    return not version_reasons(record.version, graph.stages.version_in(record.slot))


def _tags(graph: Graph, instance: dg.DagsterInstance, record: Record) -> dict[str, str]:
    """The tags by which Dagster knows what a materialisation was built from."""
    slot = record.slot
    key = graph.stages.version(slot.asset).key
    tags = {
        DATA_TAG: record.content,
        CODE_TAG: key if _is_current(graph, record) else Version.of(record.version).key,
        "dagster/data_version_is_user_provided": "true",
    }
    upstream = _drawn_above(graph, slot)
    keys = {name: dg.AssetKey(name.split("/")) for name in upstream}
    asset_records = instance.get_asset_records(list(keys.values())) if keys else ()
    pointers = {
        record.asset_entry.asset_key: record.asset_entry.last_materialization_storage_id
        for record in asset_records
    }
    for name, group in upstream.items():
        current = combine({above: graph.store.current(above) for above in group}) or ""
        read = record.inputs.get(name, current)  # what is built together has no version of itself
        same = read == current
        version = _dagster_version(graph, group) if same else read
        tags[f"dagster/input_data_version/{name}"] = version
        tags[f"dagster/input_event_pointer/{name}"] = str(pointers.get(keys[name]) or "NULL")
    return tags


def _drawn_above(graph: Graph, slot: Slot) -> dict[str, list[Slot]]:
    """What the lineage draws above a slot, which may be less than its function reads."""
    stage = graph.stages.by_key[slot.asset]
    found = graph.stages.upstream(slot)
    drawn = stage.definition.asset_deps[dg.AssetKey(slot.asset.split("/"))]
    names = ["/".join(key.path) for key in sorted(drawn)]
    beside = {name: [Slot(name, slot.partition)] for name in stage.keys if name != slot.asset}
    return {name: group for name in names if (group := found.get(name) or beside.get(name))}


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
