"""The asset checks of a project: what each reads, its version, and its stored verdicts.

A check has a version as a stage has. Its verdict stands while the version and the content of all
that it read stay the same; a verdict that wasn't stored (of a run launched in Dagster itself, or
killed) is one that the next rebuild asks for. Checks that a stage makes itself (`check_specs`) run
with it and never alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

from orchestration.stages import Graph, Stage, combine
from orchestration.store import Slot
from orchestration.store.verdicts import CheckSlot, Verdict, write_verdict


@dataclass(frozen=True, eq=False)
class Check:
    """One asset check.

    Parameters
    ----------
    stage
        Its function, configuration and partitions; the stage itself for one that it makes.
    asset, name
        What it checks, as a slash-joined key, and what it is called.
    blocking
        Whether nothing is to be built from an asset that fails it.
    alone
        Whether it can run without its asset.
    inputs
        Every asset it reads, the checked one first.
    partitions_def
        Dagster's definition of its partitions, if it has any.
    """

    stage: Stage
    asset: str
    name: str
    blocking: bool
    alone: bool
    inputs: tuple[str, ...]
    partitions_def: dg.PartitionsDefinition | None = None


class Checks:
    """All checks of a project.

    Parameters
    ----------
    definitions
        Asset checks, as `dagster.Definitions` has them.
    graph
        The project's stages and store.
    """

    def __init__(self, definitions: Iterable[dg.AssetsDefinition], graph: Graph) -> None:
        self._stages, self._store = graph.stages, graph.store
        checks = [_own(each, spec) for each in definitions for spec in _specs(each)]
        for stage in self._stages.stages:
            checks += [_made(stage, spec) for spec in _specs(stage.definition)]
        self.by_asset: dict[str, list[Check]] = {}
        for check in checks:
            if check.asset in self._stages.by_key:
                self.by_asset.setdefault(check.asset, []).append(check)

    def find(self, at: CheckSlot) -> Check:
        """The check that is evaluated at a slot.

        Raises
        ------
        StopIteration
            If there is none.
        """
        return next(check for check in self.by_asset[at.slot.asset] if check.name == at.name)

    def of(self, assets: Iterable[str]) -> list[Check]:
        """The checks of some assets."""
        return [check for asset in assets for check in self.by_asset.get(asset, ())]

    def at(self, check: Check, slot: Slot) -> CheckSlot:
        """Where the verdict of a check lies that covers a slot of its asset."""
        return CheckSlot(slot if check.stage.partitions_def else Slot(slot.asset), check.name)

    def slots(self) -> list[tuple[Check, CheckSlot]]:
        """Every check with each slot that has a verdict of it, in the order of the assets."""
        return [
            (check, at)
            for key in self._stages.order()
            for check in self.by_asset.get(key, ())
            for at in dict.fromkeys(self.at(check, slot) for slot in self._stages.slots(key))
        ]

    def reads(self, check: Check, at: CheckSlot) -> dict[str, list[Slot]]:
        """The slots that a check reads, by asset: of its own partition where there is one."""
        partition, slots = at.slot.partition, {}
        for name in (name for name in check.inputs if name in self._stages.by_key):
            same = Slot(name, partition)
            every = self._stages.slots(name)
            slots[name] = [same] if partition is not None and same in every else every
        return slots

    def contents(self, check: Check, at: CheckSlot) -> dict[str, str | None]:
        """Data version of each asset that a check would read now; None for one not built."""
        return {
            name: combine({slot: self._store.current(slot) for slot in slots})
            for name, slots in self.reads(check, at).items()
        }

    def before(self, assets: Iterable[str], partition: str | None) -> dict[Slot, str]:
        """Content of all that the checks of some assets read, to be given to `save` after a run."""
        slots = {
            slot
            for asset in assets
            for check in self.by_asset.get(asset, ())
            for group in self.reads(check, self.at(check, Slot(asset, partition))).values()
            for slot in group
        }
        return {slot: record.content for slot in slots if (record := self._store.current(slot))}

    def save(
        self, result: dg.ExecuteInProcessResult, partition: str | None, before: Mapping[Slot, str]
    ) -> None:
        """Store the verdicts of a run, but for those whose inputs another process changed."""
        for found in result.get_asset_check_evaluations():
            slot = Slot("/".join(found.asset_key.path), partition)
            try:
                check = self.find(CheckSlot(slot, found.check_name))
            except (KeyError, StopIteration):
                continue
            at = self.at(check, slot)
            reads = [slot for slots in self.reads(check, at).values() for slot in slots]
            if any(self._changed(slot, before.get(slot), result.run_id) for slot in reads):
                continue
            verdict = Verdict(
                version=self._stages.version_after(check.stage, None).to_dict(),
                inputs={name: str(content) for name, content in self.contents(check, at).items()},
                passed=found.passed,
                severity=found.severity.value,
                blocking=found.blocking or False,
                run=result.run_id,
                detail=complaint(found),
            )
            write_verdict(self._store, at, verdict)

    def _changed(self, slot: Slot, before: str | None, run: str) -> bool:
        """Whether a slot holds something else than before a run, and not that run's result."""
        record = self._store.current(slot)
        return record is None or (record.run != run and record.content != before)


def complaint(found: dg.AssetCheckEvaluation) -> str:
    """What an evaluation says: its description, or else its metadata."""
    said = "; ".join(f"{name}: {value.value}" for name, value in found.metadata.items())
    return found.description or said or "see its run"


def _specs(definition: dg.AssetsDefinition) -> list[dg.AssetCheckSpec]:
    return sorted(definition.check_specs, key=lambda spec: (spec.asset_key, spec.name))


def _own(definition: dg.AssetsDefinition, spec: dg.AssetCheckSpec) -> Check:
    asset = "/".join(spec.asset_key.path)
    keys = [*definition.keys_by_input_name.values(), *(d.asset_key for d in spec.additional_deps)]
    names = sorted({"/".join(key.path) for key in keys} - {asset})
    stage = Stage(
        definition=definition,
        keys=(f"{asset}:{spec.name}",),
        deps={},
        partitions_def=spec.partitions_def,
    )
    return Check(stage, asset, spec.name, spec.blocking, True, (asset, *names), spec.partitions_def)


def _made(stage: Stage, spec: dg.AssetCheckSpec) -> Check:
    asset = "/".join(spec.asset_key.path)
    return Check(stage, asset, spec.name, spec.blocking, False, (asset,))
