"""Dagster's side of the store: IO managers that write, read and version what stages return.

One per format (`orchestration.store.formats`), named by an asset's ``io_manager_key``. Writing sets
Dagster's data version to the hash of the content, so that a stage that runs again and gives the
same leaves what is downstream fresh. What every stage shows in the web UI is added here: rows,
shapes, seconds, peak memory, content hash and file; embedded pictures become links
(`orchestration.pictures`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import dagster as dg

from orchestration.pictures import PAGE, linked, report_link
from orchestration.stages import Stages, build_key, combine, difference
from orchestration.store import FORMAT_NAMES, Description, Record, Slot, Store, Stored
from orchestration.unstored import Unstored
from orchestration.views import Built, View, shown

if TYPE_CHECKING:
    from orchestration.store.formats import Written

SHOWN_PARTS = 100
"""Arrays, columns or layers that the table on an asset lists at most."""


@dataclass
class _Step:
    """What is known of a step that runs: when it began, and what it has read."""

    began: float
    read: dict[str, str] = field(default_factory=dict)


_steps: WeakKeyDictionary[Any, _Step] = WeakKeyDictionary()


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
    views
        Of the assets that have one, by key.
    """

    def __init__(
        self,
        store: Store,
        stages: Stages,
        format_name: str,
        views: Mapping[str, View] | None = None,
    ) -> None:
        self.store = store
        self.stages = stages
        self._format = format_name
        self._views = views or {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Store what a stage returned, with all that is needed to know it again.

        One that returned nothing has a record all the same.
        """
        slot = _output_slot(context)
        stage = self.stages.by_key[slot.asset]
        context_of_step: Any = context.step_context
        step = _steps.get(context_of_step) or _Step(_logged_start(context_of_step))
        version = self.stages.version_after(
            stage, context_of_step.op_config, slot.partition, step.began
        )
        inputs = {
            parent: step.read.get(parent) or self._unread(slots, step, context.run_id)
            for parent, slots in self.stages.upstream(slot).items()
        }
        metadata: dict[str, Any] = dict(context.output_metadata)
        if version.config != (committed := self.stages.version(slot.asset).config):
            metadata["built with other settings"] = difference(committed, version.config)
        seconds = time.time() - step.began

        def describe(stored: Stored) -> Description:
            if self._format == "folders" and PAGE in stored.written.parts:
                metadata["report"] = report_link(slot, stored.file)
            every = _generic(stored.written, self._format, seconds) | metadata
            if (view := self._views.get(slot.asset)) is not None and obj is not None:
                built = Built(slot, stored.load, self.store, self.stages)
                every = shown(view, built, context.log) | every
            # The materialisation turns plain values into what Dagster can serialise.
            plain = dg.AssetMaterialization(context.asset_key, metadata=every).metadata
            with_links, pictures = linked(plain, slot)
            metadata.clear()
            metadata.update(_in_order(with_links))
            return Description(dg.serialize_value(cast(Any, metadata)), pictures)

        build, content, format_name = build_key(version, inputs), None, self._format
        if isinstance(obj, Unstored) or (obj is None and format_name == "json"):
            # Whatever it did elsewhere is known by what it says, or else by what it was made from.
            content = (obj.version if obj else None) or build
            obj, format_name = None, "json"
        record = self.store.write(
            slot,
            obj,
            format_name,
            version=version.to_dict(),
            inputs=inputs,
            build=build,
            content=content,
            seconds=seconds,
            run=context.run_id,
            describe=describe,
        )
        context_of_step.set_data_version(context.asset_key, dg.DataVersion(record.content))
        if context_of_step.output_capture is not None:
            # An in-process run keeps all outputs for whoever launched it: memory would grow with
            # the number of stages, and everything is in the store.
            context_of_step.output_capture.clear()
        # Dagster would put what the stage says first, and shows it all in the order given.
        cast("dict[str, Any]", context.output_metadata).clear()
        context.add_output_metadata(metadata | storage_metadata(self.store, record))
        _reset_peak()

    def load_input(self, context: dg.InputContext) -> Any:
        """Read what a stage asks for; several partitions come as a dict by partition key."""
        key = "/".join(context.asset_key.path)
        if not context.has_asset_partitions:
            slots = [Slot(key)]
        else:
            keys = context.asset_partition_keys
            slots = self.stages.in_order(Slot(key, part) for part in keys)
        step = None
        with suppress(dg.DagsterInvariantViolationError):  # where it is loaded outside a run
            step = _steps.setdefault(context.step_context, _Step(time.time()))
        found = {slot: self.store.read(slot) for slot in slots}
        if step is not None:
            version = combine({slot: record for slot, (record, _) in found.items()})
            step.read[key] = version or ""
        if not slots and context.has_partition_key:
            return None  # the first of partitions that are built from the ones before
        # A child that reads the same partition wants the value; one that reads all wants a dict,
        # also when the family has one member.
        if len(slots) == 1 and (
            slots[0].partition is None
            or (context.has_partition_key and not _reads_a_family(context))
        ):
            return found[slots[0]][1]
        return {slot.partition: value for slot, (_, value) in found.items()}

    def _unread(self, slots: list[Slot], step: _Step, run: str) -> str:
        """Version of an upstream asset that a stage depends on without loading it.

        Unknown if it was made anew since the stage began: it may have seen the one before. Another
        machine's clock may be wrong, so it tells only where nobody looked when the run began.
        """
        records = {slot: self.store.current(slot) for slot in slots}
        for slot, record in records.items():
            if record is None or record.run == run:  # built in the run itself, and so before
                continue
            if slot in self.store.at_first:
                first = self.store.at_first[slot]
                same = first and (first.content, first.created) == (record.content, record.created)
                changed = not same
            else:
                changed = record.created > step.began
            if changed:
                return ""
        return combine(records) or ""


def _reads_a_family(context: dg.InputContext) -> bool:
    """Whether a stage reads the same partitions of an asset whichever partition it builds."""
    step: Any = context.step_context
    definition = step.job_def.asset_layer.get_assets_def_for_node(step.node_handle)
    mapping = definition and definition.get_partition_mapping_for_dep(context.asset_key)
    return isinstance(mapping, dg.AllPartitionMapping | dg.SpecificPartitionsPartitionMapping)


def _output_slot(context: dg.OutputContext) -> Slot:
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


def _logged_start(step: Any) -> float:
    """When Dagster logged that a step began: for one that loads nothing, nobody else knows."""
    started = step.instance.get_records_for_run(
        step.run_id, of_type=dg.DagsterEventType.STEP_START, ascending=False
    )
    for record in started.records:
        if record.event_log_entry.step_key == step.step.key:
            return float(record.event_log_entry.timestamp)
    return time.time()


def _generic(written: Written, format_name: str, seconds: float) -> dict[str, dg.MetadataValue]:
    """What every stage shows of its result, and a restored one shows again."""
    shown: dict[str, dg.MetadataValue] = {
        "seconds": dg.MetadataValue.float(round(seconds, 3)),
        "peak memory (MB)": dg.MetadataValue.int(_peak_megabytes()),
        "content hash": dg.MetadataValue.text(written.content[:16]),
    }
    if written.rows is not None:
        shown["dagster/row_count"] = dg.MetadataValue.int(written.rows)
    if format_name == "tables":
        columns = [dg.TableColumn(name, kind) for name, (kind, _) in written.parts.items()]
        shown["dagster/column_schema"] = dg.MetadataValue.table_schema(dg.TableSchema(columns))
    elif written.parts:
        shown["shapes"] = dg.MetadataValue.table(
            [
                dg.TableRecord({"name": name, "type": kind, "shape": " x ".join(map(str, shape))})
                for name, (kind, shape) in list(written.parts.items())[:SHOWN_PARTS]
            ]
        )
    return shown


def _in_order(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Put what is looked at first, pictures, before numbers and text, and tables last."""

    def place(item: tuple[str, Any]) -> int:
        if isinstance(item[1], dg.MarkdownMetadataValue):
            return 0
        return 2 if isinstance(item[1], dg.TableMetadataValue) else 1

    return dict(sorted(metadata.items(), key=place))


def _peak_megabytes() -> int:
    """The most memory this process has had since `_reset_peak`."""
    import resource

    with suppress(OSError, IndexError, ValueError):
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.split("VmHWM:")[1].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _reset_peak() -> None:
    with suppress(OSError):  # only Linux can
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def storage_metadata(store: Store, record: Record) -> dict[str, dg.MetadataValue]:
    """Where a result lies."""
    return {
        "stored bytes": dg.MetadataValue.int(record.artifact.bytes),
        "stored at": dg.MetadataValue.path(str(store.path(record))),
    }


def io_managers(
    store: Store, stages: Stages, views: Mapping[str, View] | None = None
) -> dict[str, StoreIOManager]:
    """One IO manager per format, by ``io_manager_key``; JSON where an asset names none."""
    managers = {name: StoreIOManager(store, stages, name, views) for name in FORMAT_NAMES}
    return managers | {"io_manager": managers["json"]}
