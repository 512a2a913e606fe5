"""New recordings as assets: from an inbox to verdicts, a sheet each, and one catalogue.

The recordings are dynamic partitions. The sensor of a system's inbox adds one for each recording
that arrives in the folder of its settings, and removes those whose files are gone. A recording's
files count in the version of its own partition alone; a retrained model makes exactly the verdicts
stale that it gave.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import numpy as np
from pydantic import Field

from assets import wiring
from assets.detection import Detector, catalogue
from assets.settings import ROOT, StageConfig
from models.arrays import Arrays
from models.detection import Recording, TrainedModel, Verdict, verdict_rows
from models.types import JsonDict

FACTS = "facts"
"""Name of what a recording says about itself, among its arrays."""


class Inbox(StageConfig):
    """Where new recordings arrive; a system's subclass names its section and its detector."""

    _detector: ClassVar[Detector]

    folder: str = Field("", description="folder of new recordings; empty: none")

    def recordings(self) -> dict[str, tuple[Path, ...]]:
        """Find the files of each recording that is in the folder, by its name."""
        if not self.folder:
            return {}
        folder = ROOT / Path(self.folder).expanduser()
        groups: dict[str, tuple[Path, ...]] = self._detector.science.group_files([folder])
        return groups if folder.is_dir() else {}

    def input_files(self, partition: str) -> Sequence[Path]:  # type: ignore[override]
        """Name the files of one recording."""
        return self.recordings().get(partition, ())


def partitions_of(detector: Detector) -> dg.DynamicPartitionsDefinition:
    """The recordings of a system as partitions."""
    return dg.DynamicPartitionsDefinition(name=f"{detector.system}_recordings")


def detection_assets(Settings: type[Inbox]) -> list[dg.AssetsDefinition]:
    """The assets of a system's inbox: recording, readings, verdicts, sheet, catalogue."""
    detector = Settings._detector
    partitions = partitions_of(detector)
    loaded = {"recording": _asset_in(detector, "recording")}
    return [
        _recording(detector, Settings, partitions),
        _readings(detector, partitions, loaded),
        _verdicts(detector, partitions, loaded),
        _sheet(detector, partitions, loaded),
        _catalogue(detector),
    ]


def _asset_in(
    detector: Detector, name: str, *, every: bool = False, names: Sequence[str] = ()
) -> dg.AssetIn:
    """Name an input: a partition of it, or every one, or those that are named."""
    some = dg.SpecificPartitionsPartitionMapping(names) if names else dg.AllPartitionMapping()
    return wiring.asset_in(detector.system, name, partitions=some if every or names else None)


def _recording(
    detector: Detector, Settings: type[Inbox], partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    @dg.asset(
        key=[detector.system, "recording"],
        io_manager_key="arrays",
        partitions_def=partitions,
        description="A recording from the inbox, as it was read.\n\n"
        f"- Arrays such as `time` (n,): see `models.{detector.system}.detection`\n"
        "- `facts` (1,): JSON of what it says about itself, and of what was repaired",
    )
    def recording(
        context: dg.AssetExecutionContext,
        config: Settings,  # type: ignore[valid-type]
    ) -> dg.Output[dict[str, Any]]:
        settings: Inbox = config
        name = context.partition_key
        files = settings.recordings().get(name)
        if files is None:
            raise FileNotFoundError(f"the inbox {settings.folder!r} has no recording {name!r}")
        read: Recording = detector.science.read_recording(name, files)
        facts: JsonDict = {"facts": read.facts, "notes": list(read.notes)}
        written = {FACTS: np.array([json.dumps(facts)]), **read.arrays}
        return dg.Output(written, metadata=facts)

    return recording


def _readings(
    detector: Detector, partitions: dg.PartitionsDefinition, loaded: Mapping[str, dg.AssetIn]
) -> dg.AssetsDefinition:
    stored = {name: _asset_in(detector, name) for name in detector.science.READINGS_FROM}

    @dg.asset(
        key=[detector.system, "readings"],
        io_manager_key="arrays",
        partitions_def=partitions,
        ins={**loaded, **stored},
        description="Features of a recording, computed and scaled as in training.\n\n"
        f"- Arrays (n, ...): see `models.{detector.system}.detection`",
    )
    def readings(
        context: dg.AssetExecutionContext,
        recording: Arrays,
        **scaling: Any,
    ) -> dict[str, Any]:
        read = _as_recording(detector, context.partition_key, recording)
        features: dict[str, Any] = detector.science.readings(read, scaling)
        return features

    return readings


def _verdicts(
    detector: Detector, partitions: dg.PartitionsDefinition, loaded: Mapping[str, dg.AssetIn]
) -> dg.AssetsDefinition:
    models = {
        f"{name}__{part}": _asset_in(detector, key, every=model.partitioned, names=model.names)
        for name, model in detector.models.items()
        for part, key in model.own().items()
    }
    models |= {
        f"{name}__{part}": _asset_in(detector, key)
        for name, model in detector.models.items()
        for part, key in model.shared.items()
    }

    @dg.asset(
        key=[detector.system, "verdicts"],
        io_manager_key="json",
        partitions_def=partitions,
        ins={
            **loaded,
            "readings": _asset_in(detector, "readings"),
            "training_range": _asset_in(detector, "training_range"),
            **models,
        },
        description="What every model says about a recording, with its error rates.",
    )
    def verdicts(
        context: dg.AssetExecutionContext,
        recording: Arrays,
        readings: Arrays,
        training_range: JsonDict,
        **parts: Any,
    ) -> dg.Output[list[JsonDict]]:
        read = _as_recording(detector, context.partition_key, recording)
        given: list[Verdict] = detector.science.verdicts(
            read, _loaded(detector, readings), _trained(detector, parts), training_range
        )
        table = [dg.TableRecord(_plain(row)) for row in verdict_rows(given)]
        metadata = {"positive": sum(bool(v.positive) for v in given), "verdicts": len(given)}
        rows = {"table": dg.MetadataValue.table(table)} if table else {}
        return dg.Output([v.to_dict() for v in given], metadata={**metadata, **rows})

    return verdicts


def _sheet(
    detector: Detector, partitions: dg.PartitionsDefinition, loaded: Mapping[str, dg.AssetIn]
) -> dg.AssetsDefinition:
    @dg.asset(
        key=[detector.system, "sheet"],
        io_manager_key="folders",
        partitions_def=partitions,
        ins={**loaded, **{name: _asset_in(detector, name) for name in ("readings", "verdicts")}},
        description="The page of a recording, with its pictures.",
    )
    def sheet(
        context: dg.AssetExecutionContext,
        recording: Arrays,
        readings: Arrays,
        verdicts: list[JsonDict],
    ) -> dict[str, bytes]:
        read = _as_recording(detector, context.partition_key, recording)
        listed = [Verdict.from_dict(stored) for stored in verdicts]
        files: dict[str, bytes] = detector.science.sheet(
            read, _loaded(detector, readings), listed
        ).as_files()
        return files

    return sheet


def _catalogue(detector: Detector) -> dg.AssetsDefinition:
    @dg.asset(
        key=[detector.system, "catalogue"],
        io_manager_key="tables",
        ins={"verdicts": _asset_in(detector, "verdicts", every=True)},
        description="All verdicts on the recordings of the inbox in one table.\n\n"
        "- `recording`, `part`, `model`: of what, by which\n"
        "- `label`, `positive`, `score`, `threshold`: the verdict; `warnings`, `details` (JSON)",
    )
    def table(verdicts: dict[str, list[JsonDict]]) -> Any:
        listed = [Verdict.from_dict(one) for name in sorted(verdicts) for one in verdicts[name]]
        return catalogue(listed)

    return table


def _as_recording(detector: Detector, name: str, stored: Arrays) -> Recording:
    said = json.loads(stored[FACTS][:][0])
    arrays = _loaded(detector, {key: stored[key] for key in stored if key != FACTS})
    return Recording(name, arrays, said["facts"], tuple(said["notes"]))


def _loaded(detector: Detector, arrays: Arrays) -> dict[str, Any]:
    """Load arrays, but for those that may be too large."""
    return {name: arrays[name] if name in detector.large else arrays[name][...] for name in arrays}


def _trained(detector: Detector, parts: Mapping[str, Any]) -> dict[str, TrainedModel]:
    """Put the loaded parts of each model together; a partitioned one is a model a partition."""
    models = {}
    for name, model in detector.models.items():
        own = {part: parts[f"{name}__{part}"] for part in model.own()}
        shared = {part: parts[f"{name}__{part}"] for part in model.shared}
        if not model.partitioned:
            models[name] = model.trained(name, own | shared)
            continue
        for key in sorted(own["fitted"]):
            one = {part: loaded[key] for part, loaded in own.items()}
            models[key] = model.trained(key, one | shared)
    return models


def _plain(row: JsonDict) -> dict[str, Any]:
    """A table's row as Dagster takes it: numbers and text alone."""
    return {
        name: value["value"] if isinstance(value, dict) else value for name, value in row.items()
    }


# the sensor -------------------------------------------------------------------------------------


def inbox_sensor(Settings: type[Inbox]) -> dg.SensorDefinition:
    """Build the sensor that keeps a system's partitions as the recordings in its inbox are."""
    detector = Settings._detector

    @dg.sensor(
        name=f"{detector.system}_inbox",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Adds the recordings that arrive in the inbox of {detector.system}, and "
        "removes those whose files are gone. Their verdicts are then stale: the sensor `stale`, "
        "a schedule or `faint rebuild` builds them.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        partitions = partitions_of(detector)
        known = set(context.instance.get_dynamic_partitions(partitions.name or ""))
        present = set(Settings.model_validate({}).recordings())
        requests: list[Any] = []
        if arrived := sorted(present - known):
            requests.append(partitions.build_add_request(arrived))
        if gone := sorted(known - present):
            requests.append(partitions.build_delete_request(gone))
        if not requests:
            return dg.SkipReason(f"{len(known)} recordings, as before")
        return dg.SensorResult(dynamic_partitions_requests=requests)

    return look
