"""The `faint` command: plan, rebuild, free, compare, report.

Dagster is imported only once a question can't be answered from what is remembered, so that asking
whether anything is stale is quick. Exit status: 0 done, 1 something failed, 2 wrong usage,
130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import memo
from orchestration.project import Project, ProjectError, find

if TYPE_CHECKING:
    from orchestration.rebuild import Outcome, Plan, Workshop
    from orchestration.storage import Slot

SELECTION_HELP = (
    "what to look at, in Dagster's selection syntax: an asset key, 'key:\"a/b\"', 'group:NAME', "
    "'tag:stage=training', '+KEY' for what is upstream as well, with and / or / not "
    "(default: everything)"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options, find()))
    except ProjectError as error:
        print(f"faint: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nfaint: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        if not _is_usage(error):
            raise
        print(f"faint: {error}", file=sys.stderr)
        return 2


def _is_usage(error: Exception) -> bool:
    return type(error).__name__ in {"UsageError", "SettingsError"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="faint", description="Rebuild only what changed in the asset graph of this project."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    plan = commands.add_parser("plan", help="say what is out of date, and why")
    plan.add_argument("selection", nargs="?", help=SELECTION_HELP)
    _partitions(plan)
    plan.add_argument(
        "--explain",
        action="store_true",
        help="say all reasons, and what of a stage's code can't be followed",
    )
    plan.add_argument("--json", action="store_true", help="print JSON")
    plan.add_argument("--verify", action="store_true", help="read every stored file to check it")
    plan.set_defaults(run=_plan)

    rebuild = commands.add_parser("rebuild", help="run the least that brings it up to date")
    rebuild.add_argument("selection", nargs="?", help=SELECTION_HELP)
    _partitions(rebuild)
    rebuild.add_argument(
        "--jobs", type=_positive, default=1, metavar="N", help="stages run at a time (default: 1)"
    )
    rebuild.add_argument("--dry-run", action="store_true", help="only say what is out of date")
    rebuild.add_argument("--json", action="store_true", help="print JSON")
    rebuild.add_argument("--verify", action="store_true", help="read every stored file to check it")
    rebuild.set_defaults(run=_rebuild, explain=False)

    free = commands.add_parser("gc", help="free what no current or kept build needs")
    free.add_argument(
        "--keep",
        type=_count,
        default=3,
        metavar="N",
        help="earlier builds of each asset to keep (default: 3)",
    )
    free.add_argument(
        "--limit",
        type=_size,
        metavar="SIZE",
        help="most the store may hold, such as 5GB: the oldest kept builds go first",
    )
    free.add_argument("--dry-run", action="store_true", help="only say what would go")
    free.set_defaults(run=_gc)
    return parser


def _partitions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--partitions",
        metavar="A,B",
        help="only these partitions, or 'all' (default: all); a key with two parts is 'a|b'",
    )


def _positive(text: str) -> int:
    value = _count(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, got {text}")
    return value


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return value


def _size(text: str) -> int:
    units = {"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
    number = text.rstrip("bBkKmMgGtT")
    try:
        return int(float(number) * units[text[len(number) :].upper()])
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(
            f"expected a size such as 500MB or 5GB, got {text!r}"
        ) from None


# plan -------------------------------------------------------------------------------------------


def _plan(options: argparse.Namespace, project: Project) -> int:
    question = f"{options.selection}|{options.partitions}"
    kept = None if options.verify or options.explain else memo.recall(project, question)
    if kept is not None:
        _show_fresh(options, int(str(kept["fresh"])))
        return 0
    workshop = _open(project)
    slots = workshop.select(options.selection, _listed(options.partitions))
    before = _states(workshop, slots)
    plan = workshop.plan(slots, verify=options.verify)
    if not plan.stale:
        memo.remember(project, question, before, {"fresh": plan.fresh})
    if options.json:
        print(json.dumps(plan.to_dict(), indent=1))
    else:
        _show_plan(plan, explain=options.explain)
        if options.explain:
            _show_dynamic(workshop, slots)
    workshop.close()
    return 0


def _open(project: Project) -> Workshop:
    from orchestration.rebuild import Workshop

    return Workshop(project)


def _listed(partitions: str | None) -> list[str] | str | None:
    return partitions if partitions in (None, "all") else partitions.split(",")


def _states(workshop: Workshop, slots: Sequence[Slot]) -> dict[str, memo.Stat]:
    if not workshop.store.local:
        return {}
    _ = workshop.instance  # opening it may create its files
    files: list[str | Path] = list(workshop.stages.sources())
    for slot in workshop.with_ancestors(slots):
        record = workshop.store.current(slot)
        if record is not None:
            files += workshop.store.files(slot, record)
    return memo.states(workshop.project, files)


def _show_fresh(options: argparse.Namespace, fresh: int) -> None:
    if options.json:
        print(json.dumps({"stale": [], "fresh": fresh}, indent=1))
    else:
        print(f"Nothing to do: {_number(fresh, 'asset')} up to date.")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _show_plan(plan: Plan, *, explain: bool = False) -> None:
    if not plan.stale:
        print(f"Nothing to do: {_number(plan.fresh, 'asset')} up to date.")
        return
    width = min(60, max(len(str(item.slot)) for item in plan.stale))
    for item in plan.stale:
        reasons = item.reasons if explain else item.reasons[:1]
        mark = {"build": "build" if item.certain else "maybe"}.get(item.action, item.action)
        for number, reason in enumerate(reasons):
            name = str(item.slot) if number == 0 else ""
            print(f"{mark if number == 0 else '':8}{name:{width}}  {reason.kind}: {reason.detail}")
        if len(reasons) < len(item.reasons):
            rest = {reason.kind for reason in item.reasons[1:]} - {"dependency"}
            if rest:
                print(f"{'':8}{'':{width}}  and {', '.join(sorted(rest))} (--explain says all)")
    certain = sum(item.certain for item in plan.stale)
    maybe = len(plan.stale) - certain
    print(
        f"{certain} out of date, {maybe} more perhaps (if what is upstream comes out different), "
        f"{plan.fresh} up to date"
    )


def _show_dynamic(workshop: Workshop, slots: Sequence[Slot]) -> None:
    seen = {}
    for slot in slots:
        workshop.stages.version(slot.asset)
        for item in workshop.stages.dynamic.get(slot.asset, ()):
            seen.setdefault((item.module, item.line, item.what), []).append(slot.asset)
    for (module, line, what), names in seen.items():
        stages = ", ".join(dict.fromkeys(names))
        print(
            f"not followed: {what} in {module}, line {line}: the whole module counts for {stages}"
        )


# rebuild ----------------------------------------------------------------------------------------


def _rebuild(options: argparse.Namespace, project: Project) -> int:
    if options.dry_run:
        return _plan(options, project)
    started = time.monotonic()
    question = f"{options.selection}|{options.partitions}"
    kept = None if options.verify else memo.recall(project, question)
    if kept is not None:
        if options.json:
            from_memory = {name: [] for name in ("materialized", "restored", "unchanged", "failed")}
            seconds = round(time.monotonic() - started, 3)
            print(json.dumps({**from_memory, "errors": {}, "seconds": seconds}, indent=1))
        else:
            _show_fresh(options, int(str(kept["fresh"])))
        return 0
    workshop = _open(project)
    slots = workshop.select(options.selection, _listed(options.partitions))
    if missing := workshop.blocked(slots):
        from orchestration.rebuild import UsageError

        raise UsageError(
            f"{missing[0]} has never been built and is upstream of what is selected; "
            f"select it as well: '+{options.selection}'"
        )
    bar = _Bar(workshop, quiet=options.json)
    try:
        outcome = workshop.rebuild(
            slots, jobs=options.jobs, verify=options.verify, progress=bar.update
        )
    finally:
        bar.close()
    if not outcome.failed:
        workshop.close()  # the event log is at rest before its state is taken
        before = _states(workshop, slots)
        plan = workshop.plan(slots)
        if not plan.stale:
            memo.remember(project, question, before, {"fresh": plan.fresh})
    workshop.close()
    if options.json:
        print(json.dumps(outcome.to_dict(), indent=1))
    else:
        _show_outcome(outcome, len(slots))
    return 1 if outcome.failed else 0


class _Bar:
    """Progress on standard error, weighed by how long each stage took last time."""

    def __init__(self, workshop: Workshop, *, quiet: bool) -> None:
        self._workshop = workshop
        self._quiet = quiet
        self._bar: Any = None
        self._weights: dict[Slot, float] = {}

    def update(self, done: str, slots: Sequence[Slot], left: int) -> None:
        if self._quiet:
            return
        if done == "planned":
            self._weights = {slot: self._seconds(slot) for slot in slots}
            if left:
                from tqdm import tqdm

                self._bar = tqdm(
                    total=round(sum(self._weights.values()), 2),
                    leave=False,
                    file=sys.stderr,
                    bar_format="{l_bar}{bar}| {elapsed} so far, about {remaining} left{postfix}",
                )
            return
        for slot in slots:
            if self._bar is not None:
                self._bar.update(min(self._weights.get(slot, 0), self._bar.total - self._bar.n))
                self._bar.write(f"{done:13}{slot}", file=sys.stderr)

    def _seconds(self, slot: Slot) -> float:
        record = self._workshop.store.current(slot)
        return max(0.05, record.seconds) if record else 5.0

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _show_outcome(outcome: Outcome, selected: int) -> None:
    for name in outcome.failed:
        print(f"failed  {name}: {outcome.errors.get(name, 'unknown error')}", file=sys.stderr)
    if not (outcome.materialized or outcome.restored or outcome.failed):
        print(f"Nothing to do: {_number(selected, 'asset')} up to date.")
        return
    print(
        f"{len(outcome.materialized)} built, {len(outcome.restored)} restored, "
        f"{len(outcome.unchanged)} needed no work after all, {len(outcome.failed)} failed "
        f"in {outcome.seconds:.1f} s"
    )


# gc ---------------------------------------------------------------------------------------------


def _gc(options: argparse.Namespace, project: Project) -> int:
    from orchestration.storage import Store

    store = Store(project.store, project.locks)
    freed = store.free(keep=options.keep, limit=options.limit, dry_run=options.dry_run)
    size = sum(count for _, count in freed) / 1e6
    verb = "would be freed" if options.dry_run else "freed"
    print(f"{_number(len(freed), 'file')}, {size:,.1f} MB {verb}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
