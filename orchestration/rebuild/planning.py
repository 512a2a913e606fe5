"""Plan what is out of date, and why.

Planning compares state with state: what each slot of the store holds, and what Dagster's event log
says of it, against the versions that sources, settings and libraries give now. Nothing depends on
what changed since someone last looked, so a missed tick or a killed process loses nothing. What is
done about it is `orchestration.rebuild.rebuilding`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import dagster as dg

from orchestration.checks import Check, Checks
from orchestration.eventlog import EventLog, Tags
from orchestration.fingerprint import changed
from orchestration.rebuild.durations import Durations, Estimate
from orchestration.rebuild.watch import TICK_NS, Stat, stat_of
from orchestration.stages import Graph, Version, build_key, combine, difference, named
from orchestration.store import Record, Slot, Store
from orchestration.store.verdicts import CheckSlot, Verdict, read_verdicts

Kind = Literal["code", "config", "data", "missing", "corrupt", "dependency", "check"]
Action = Literal["build", "restore", "publish", "check", "refused"]

Logged = tuple[str | None, str | None]
"""Data and code version that Dagster's event log shows."""

DATA_TAG = "dagster/data_version"
CODE_TAG = "dagster/code_version"
SHORT = 8
"""Digits of a hash that a reason shows, so that two plans that ask for different things differ."""
RECORDS_AT_A_TIME = 500
"""Fewer than the variables that SQLite takes in one statement."""
NAMED = 4
"""Changed definitions a reason names before it counts the rest."""


@dataclass(frozen=True)
class Reason:
    """Why a slot is stale."""

    kind: Kind
    detail: str


@dataclass(frozen=True)
class Stale:
    """A slot that is out of date.

    Parameters
    ----------
    slot
        What is stale.
    reasons
        Why, the strongest first.
    action
        What a rebuild would do: build it, restore an earlier build, only report the stored build
        to Dagster, run a blocking check of it, or nothing, since that check refused it.
    record
        The build to restore or to report.
    seen
        The build that was current when it was planned.
    refusal
        What a failed blocking check says of the current build: nothing is built from that.
    """

    slot: Slot
    reasons: tuple[Reason, ...]
    action: Action = "build"
    record: Record | None = None
    seen: str | None = None
    refusal: str = ""

    @property
    def certain(self) -> bool:
        """Whether it is stale whatever its upstream stages come out as."""
        return any(reason.kind != "dependency" for reason in self.reasons)


@dataclass(frozen=True)
class StaleCheck:
    """A check whose verdict is out of date, though its asset needs no build for certain.

    Parameters
    ----------
    at
        Which check of which slot.
    reasons
        Why, the strongest first.
    reads
        The slots that it reads.
    key
        What it would be evaluated with: equal key, equal verdict.
    """

    at: CheckSlot
    reasons: tuple[Reason, ...]
    reads: tuple[Slot, ...]
    key: str


@dataclass(frozen=True)
class Plan:
    """What is out of date, upstream ones first."""

    stale: list[Stale]
    fresh: int
    checks: list[StaleCheck] = field(default_factory=list)
    estimate: Estimate = field(default_factory=Estimate)

    @property
    def up_to_date(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.stale or self.checks)

    def to_dict(self) -> dict[str, Any]:
        """As `faint plan --json` prints it."""
        return {
            "stale": [
                {
                    "asset": item.slot.asset,
                    "partition": item.slot.partition,
                    "action": item.action,
                    "reasons": [{"kind": r.kind, "detail": r.detail} for r in item.reasons],
                    "certain": item.certain,
                }
                for item in self.stale
            ],
            "fresh": self.fresh,
            "checks": [
                {
                    "asset": item.at.slot.asset,
                    "partition": item.at.slot.partition,
                    "check": item.at.name,
                    "reasons": [{"kind": r.kind, "detail": r.detail} for r in item.reasons],
                }
                for item in self.checks
            ],
            "seconds": self.estimate.to_dict(),
        }


@dataclass(frozen=True)
class _Look:
    """What was seen of a slot: whether it was fresh, and what that rests on.

    Parameters
    ----------
    fresh
        Whether it was.
    read
        State of each file of the store, from before it was read.
    logged
        What Dagster's event log showed.
    upstream
        What it is built from, the object itself: another one may have other partitions.
    began
        When, in nanoseconds since 1970.
    """

    fresh: bool
    read: Mapping[str, Any]
    logged: Logged | None
    upstream: Mapping[str, Any]
    began: int

    def is_racy(self) -> bool:
        """Whether a file was written so shortly before that it may have the same state again."""
        newest = max((stat[2] for stat in self.read.values() if stat), default=0)
        return bool(newest > self.began - TICK_NS)


class _Records(dict[Slot, Record | None]):
    """Current records, each read when it is first asked for."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def __missing__(self, slot: Slot) -> Record | None:
        self[slot] = record = self._store.current(slot)
        return record


class Planner:
    """Compares what is stored, what would be built now, and Dagster's event log.

    Parameters
    ----------
    graph
        The project's stages and what is stored of them.
    checks
        The project's checks.
    """

    def __init__(self, graph: Graph, checks: Checks) -> None:
        self.graph = graph
        self.checks = checks
        self.stages = graph.stages
        self.store = graph.store
        self._looks: dict[Slot, _Look] = {}
        self._check_looks: list[_Look] = []
        self._records = _Records(self.store)  # of the last plan

    def with_ancestors(self, slots: Iterable[Slot]) -> list[Slot]:
        """All of ``slots`` and what they are built from, upstream ones first."""
        ordered: dict[Slot, None] = {}
        stack = [(slot, False) for slot in reversed(list(slots))]
        while stack:
            slot, above_done = stack.pop()
            if slot in ordered:
                continue
            if above_done:
                ordered[slot] = None
                continue
            stack.append((slot, True))
            for group in reversed(self.stages.upstream(slot).values()):
                stack += [(above, False) for above in reversed(group) if above not in ordered]
        return list(ordered)

    def plan(
        self, slots: Iterable[Slot], instance: dg.DagsterInstance, *, verify: bool = False
    ) -> dict[Slot, Stale]:
        """Everything stale among ``slots`` and their ancestors, upstream ones first.

        Parameters
        ----------
        slots
            What to plan.
        instance
            Whose event log should show what is stored.
        verify
            Hash every stored file.
        """
        scope = self.with_ancestors(slots)
        logged = self.logged({slot.asset for slot in scope}, instance)
        records = self._records = _Records(self.store)
        stale: dict[Slot, Stale] = {}
        unchanged: set[Slot] = set()
        for slot in scope:
            if not verify and self._stands(slot, logged.get(slot), unchanged):
                unchanged.add(slot)
                continue
            began = time.time_ns()
            with self.store.files.recording() as read:
                item = self._evaluate(slot, records, stale, logged.get(slot), verify=verify)
                current = records[slot]
                if current is not None:
                    item = self._checked(slot, item)
            if item is not None:
                stale[slot] = replace(item, seen=current.build if current else None)
            self._looks[slot] = _Look(
                item is None, read, logged.get(slot), self.stages.upstream(slot), began
            )
        return stale

    def durations(self) -> Durations:
        """How long stages took, by the records that the last plan has read."""
        return Durations(self.stages, self._records)

    def _stands(self, slot: Slot, logged: Logged | None, unchanged: Collection[Slot]) -> bool:
        """Whether a slot was fresh at the last look, and nothing that this rests on has changed."""
        look = self._looks.get(slot)
        if look is None or not look.fresh or look.logged != logged or look.is_racy():
            return False
        upstream = self.stages.upstream(slot)
        return (
            self.store.files.local
            and look.upstream is upstream
            and all(above in unchanged for group in upstream.values() for above in group)
            and not self.stages.reads_by_partition(slot.asset)
            and all(stat_of(path) == stat for path, stat in look.read.items())
        )

    def read(self) -> dict[str, Stat]:
        """State, from before it was read, of every file of the store that plans have rested on.

        Empty where one was written just before, and may have been written to again.
        """
        looks = [*self._looks.values(), *self._check_looks]
        if any(look.is_racy() for look in looks):
            return {}
        return {path: stat for look in looks for path, stat in look.read.items()}

    def stale_checks(self, slots: Iterable[Slot], stale: Mapping[Slot, Stale]) -> list[StaleCheck]:
        """Checks of ``slots`` whose verdict is out of date; not those that a build will run."""
        chosen = set(slots)
        built = {
            slot
            for slot, item in stale.items()
            if item.certain and item.action in ("build", "restore")
        }
        items, began = [], time.time_ns()
        with self.store.files.recording() as read:
            for check, at in self.checks.slots():
                covered = self.checks.reads(check, at)[check.asset]
                if check.alone and chosen.issuperset(covered) and built.isdisjoint(covered):
                    item = self._check(check, at)[1]
                    items += [item] if item is not None else []
        self._check_looks = [_Look(False, read, None, {}, began)]
        return items

    def _check(self, check: Check, at: CheckSlot) -> tuple[Verdict | None, StaleCheck | None]:
        """The latest verdict of a check, and why it no longer stands; None if it does.

        A check that can't run, since something it reads isn't built, has neither.
        """
        contents = self.checks.contents(check, at)
        if None in contents.values():
            return None, None
        want, verdicts = self.stages.version_of(check.stage), read_verdicts(self.store, at)
        reasons = [Reason("missing", f"never ran (version {want.key[:SHORT]})")]
        for verdict in reversed(verdicts):  # why the newest doesn't stand, unless one does
            reasons = version_reasons(verdict.version, want, "evaluated")
            reasons += _input_reasons(verdict.inputs, contents)
            if not reasons:
                return verdict, None
        reads = tuple(s for slots in self.checks.reads(check, at).values() for s in slots)
        key = build_key(want, {name: content or "" for name, content in contents.items()})
        newest = verdicts[0] if verdicts else None
        return newest, StaleCheck(at, tuple(reasons), reads, key)

    def _checked(self, slot: Slot, item: Stale | None) -> Stale | None:
        """Add what the blocking checks of a built slot say to what is stale about it."""
        for check in self.checks.by_asset.get(slot.asset, ()):
            if not check.blocking:
                continue
            verdict, stale = self._check(check, self.checks.at(check, slot))
            if stale is None and verdict is not None and verdict.failed:
                refusal = f"its blocking check {check.name} failed: {verdict.detail}"
                if item is None or item.action == "check":
                    item = Stale(slot, (Reason("check", refusal),), "refused")
                item = replace(item, refusal=refusal)
            elif stale is not None and check.alone and item is None:
                why = f"its blocking check {check.name}: {stale.reasons[0].detail}"
                item = Stale(slot, (Reason("check", why),), "check")
        return item

    def _evaluate(
        self,
        slot: Slot,
        records: Mapping[Slot, Record | None],
        stale: Mapping[Slot, Stale],
        logged: Logged | None,
        *,
        verify: bool,
    ) -> Stale | None:
        """Say whether and why one slot is stale, given all that is upstream of it."""
        record, want = records[slot], self.stages.version_in(slot)
        upstream = self.stages.upstream(slot)
        inputs = {
            parent: combine({above: records[above] for above in group})
            for parent, group in upstream.items()
        }
        reasons: list[Reason] = []
        if record is None and (path := self.store.unreadable(slot)):
            reasons.append(Reason("corrupt", f"its record {path} can't be read"))
        elif record is None:
            reasons.append(Reason("missing", f"never built (version {want.key[:SHORT]})"))
        else:
            if defect := self.store.defect(record, verify=verify):
                reasons.append(Reason(defect.kind, defect.detail))
            reasons += version_reasons(record.version, want) + _input_reasons(record.inputs, inputs)
        waiting = sorted(
            parent for parent, group in upstream.items() if any(above in stale for above in group)
        )
        if waiting:
            reasons += [Reason("dependency", f"{parent} is stale") for parent in waiting]
            return Stale(slot, tuple(reasons))
        build = build_key(want, {parent: version or "" for parent, version in inputs.items()})
        if record is not None and record.build != build and not reasons:
            reasons.append(Reason("data", "built from other inputs"))
        if reasons:
            earlier = self.store.built(slot, build)
            if earlier is not None and not self.store.defect(earlier, verify=verify):
                return Stale(slot, tuple(reasons), "restore", earlier)
            return Stale(slot, tuple(reasons))
        assert record is not None
        if logged != (record.content, self.stages.version(slot.asset).key):
            reason = Reason("missing", "stored, but Dagster's event log doesn't show it")
            return Stale(slot, (reason,), "publish", record)
        return None

    def logged(self, assets: Iterable[str], instance: dg.DagsterInstance) -> dict[Slot, Logged]:
        """Data and code version of each slot's latest materialisation in Dagster's event log."""
        keys = {name: dg.AssetKey(name.split("/")) for name in assets}
        log = instance.event_log_storage
        plain = [
            key for name, key in keys.items() if self.stages.by_key[name].partitions_def is None
        ]
        found = log.latest_tags(plain) if isinstance(log, EventLog) else {}
        logged = {Slot("/".join(k.path)): _versions_in(tags) for k, tags in found.items() if tags}
        others = [key for key in plain if key not in found]
        for record in instance.get_asset_records(others) if others else ():
            if latest := record.asset_entry.last_materialization_record:
                slot = Slot("/".join(record.asset_entry.asset_key.path))
                logged[slot] = _versions_in(_tags_in(latest))
        for key in set(keys.values()).difference(plain):
            name = "/".join(key.path)
            for partition, tags in _by_partition(instance, key):
                logged[Slot(name, partition)] = _versions_in(tags)
        return logged


def _by_partition(
    instance: dg.DagsterInstance, key: dg.AssetKey
) -> Iterator[tuple[str | None, Tags]]:
    """Partition and tags of the latest materialisation of each partition of an asset."""
    log = instance.event_log_storage
    latest = log.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION)
    if isinstance(log, EventLog):
        yield from log.tags_of(latest.values())
        return
    for ids in _batched(sorted(latest.values()), RECORDS_AT_A_TIME):
        chosen = dg.AssetRecordsFilter(asset_key=key, storage_ids=ids)
        for record in instance.fetch_materializations(chosen, limit=len(ids)).records:
            yield record.partition_key, _tags_in(record)


def _tags_in(record: dg.EventLogRecord) -> Tags:
    materialization = record.asset_materialization
    return materialization.tags if materialization else None


def _versions_in(tags: Tags) -> Logged:
    return (tags or {}).get(DATA_TAG), (tags or {}).get(CODE_TAG)


def _batched(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Take ``size`` at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def version_reasons(old: Mapping[str, Any], want: Version, done: str = "built") -> list[Reason]:
    """Say how the version a slot was built with differs from what it would be built with now."""
    reasons = []
    if old.get("code") != want.code:
        names = changed(old["pieces"], want.pieces) if old.get("pieces") else []
        if names:
            what = f"{some(names)} changed"
        elif old.get("pieces"):
            what = "how its definitions use each other changed"
        else:
            what = f"its code {old.get('code')}"
        reasons.append(Reason("code", f"{what} (now {want.code[:SHORT]})"))
    if old.get("packages") != dict(want.packages):
        detail = difference(old.get("packages", {}), want.packages)
        reasons.append(Reason("code", f"library {detail}"))
    if old.get("config") != dict(want.config):
        detail = difference(want.config, old.get("config", {}))
        reasons.append(Reason("config", f"{done} with other settings: {detail}"))
    wired = old.get("wiring", {})
    for part in sorted({*wired, *want.wiring}):
        before, after = wired.get(part, {}), want.wiring.get(part, {})
        if before != after:
            pairs = isinstance(before, dict) and isinstance(after, dict)
            detail = difference(before, after) if pairs else f"{before or None} -> {after or None}"
            reasons.append(Reason("config", f"wiring: {part} {detail}"))
    was, now = named(old.get("files", {})), named(want.files)
    if was != now:
        files = [
            f"{path} (now {known[:SHORT]})"
            for path, (name, known) in zip(want.files, now.items(), strict=True)
            if was.get(name) != known
        ]
        files += [f"{name} (gone)" for name in was if name not in now]
        reasons.append(Reason("data", f"{some(files)} changed"))
    return reasons


def _input_reasons(old: Mapping[str, str], inputs: Mapping[str, str | None]) -> list[Reason]:
    reasons = []
    for parent, version in inputs.items():
        if parent not in old:
            reasons.append(Reason("data", f"{parent} is a new input"))
        elif not old[parent]:
            reasons.append(Reason("data", f"{parent} changed while the stage ran"))
        elif version is not None and old[parent] != version:
            reasons.append(Reason("data", f"{parent} has other content ({version[:SHORT]})"))
    reasons += [
        Reason("data", f"{parent} is no longer an input") for parent in old if parent not in inputs
    ]
    return reasons


def some(names: Sequence[str]) -> str:
    """Name a few, and count the rest."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
