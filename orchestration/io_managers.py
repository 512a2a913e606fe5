"""Dagster's side of the store: IO managers that write, read and version what stages return.

One per format (`arrays`, `tables`, `json`, `documents`, `networks`, `estimators`), named by an
asset's ``io_manager_key``. Writing sets Dagster's data version to the hash of the content, so that
a stage that runs again and gives the same leaves what is downstream fresh.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import dagster as dg

from orchestration.formats import FORMATS
from orchestration.stages import Stages, build_key
from orchestration.storage import Slot, Store

CHANGED_WHILE_RUNNING = "sources changed while the stage ran"


class StoreIOManager(dg.IOManager):
    """Keeps what stages return in the store.

    Parameters
    ----------
    store
        Where results live.
    stages
        The project's stages, for versions and upstream slots.
    format_name
        Which format this one writes; it reads any.
    """

    def __init__(self, store: Store, stages: Stages, format_name: str) -> None:
        self.store = store
        self.stages = stages
        self._format = format_name

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Store what a stage returned, with all that is needed to know it again."""
        slot = self._slot(context)
        stage = self.stages.by_key[slot.asset]
        step: Any = context.step_context
        version = self.stages.version_with(stage, step.op_config)
        if not self.stages.unchanged(stage, version):
            version = replace(version, code=CHANGED_WHILE_RUNNING, pieces={})
        read = _inputs_read.get(step, {})
        inputs = {
            parent: read.get(parent) or self.stages.input_version(slots, self.store) or ""
            for parent, slots in self.stages.upstream(slot).items()
        }
        metadata = dict(context.output_metadata)
        record = self.store.write(
            slot,
            obj,
            self._format,
            version=version.to_dict(),
            inputs=inputs,
            build=build_key(version, inputs),
            seconds=_Clock.lap(),
            run=context.run_id,
            metadata=serialise(metadata),
        )
        self.store.make_current(record)
        asset_key = context.asset_key
        step.set_data_version(asset_key, dg.DataVersion(record.content))
        context.add_output_metadata(storage_metadata(self.store, record))
        committed = self.stages.version(slot.asset).config
        if version.config != committed:
            context.add_output_metadata(
                {"built with other settings": difference(committed, version.config)}
            )

    def load_input(self, context: dg.InputContext) -> Any:
        """Read what a stage asks for; several partitions come as a dict by partition key."""
        key = "/".join(context.asset_key.path)
        if not context.has_asset_partitions:
            slots = [Slot(key)]
        else:
            slots = [Slot(key, part) for part in context.asset_partition_keys]
        version = self.stages.input_version(slots, self.store)
        if version is not None and hasattr(context, "step_context"):
            read = _inputs_read.setdefault(context.step_context, {})
            if not read:
                _Clock.lap()
            read[key] = version
        if len(slots) == 1 and (slots[0].partition is None or _one_partition(context)):
            return self.store.load(slots[0])
        return {slot.partition: self.store.load(slot) for slot in slots}

    def _slot(self, context: dg.OutputContext) -> Slot:
        key = "/".join(context.asset_key.path)
        if not context.has_asset_partitions:
            return Slot(key)
        partitions = list(context.asset_partition_keys)
        if len(partitions) != 1:
            raise dg.Failure(
                f"{key}: one run builds one partition here, this one was asked for "
                f"{len(partitions)}; launch it as a backfill with one run per partition"
            )
        return Slot(key, partitions[0])


_inputs_read: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()


def _one_partition(context: dg.InputContext) -> bool:
    # A child that reads the same partition wants the value; one that reads all wants a dict,
    # also when the family has one member.
    return context.has_partition_key


class _Clock:
    """When the stage at hand began: at its first input, or when the one before it had ended."""

    last = time.time()

    @classmethod
    def lap(cls) -> float:
        begun, cls.last = cls.last, time.time()
        return cls.last - begun


def serialise(metadata: Mapping[str, Any]) -> str:
    """Metadata as text for a record, so that a restored build shows it again."""
    return dg.serialize_value(dict(metadata))


def storage_metadata(store: Store, record: Any) -> dict[str, dg.MetadataValue]:
    """What Dagster shows of a stored result."""
    return {
        "content hash": dg.MetadataValue.text(record.content[:16]),
        "stored bytes": dg.MetadataValue.int(record.artifact.bytes),
        "stored at": dg.MetadataValue.path(str(store.path(record))),
    }


def difference(committed: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Say which settings differ, and how."""
    names = sorted(set(committed) | set(given))
    return ", ".join(
        f"{name} {committed.get(name)!r} -> {given.get(name)!r}"
        for name in names
        if committed.get(name) != given.get(name)
    )


def io_managers(store: Store, stages: Stages) -> dict[str, StoreIOManager]:
    """One IO manager per format, by ``io_manager_key``; JSON where an asset names none."""
    managers = {name: StoreIOManager(store, stages, name) for name in FORMATS}
    return managers | {"io_manager": managers["json"]}
