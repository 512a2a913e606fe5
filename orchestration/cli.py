"""The `faint` command: plan, rebuild, ui, gc, doctor, and the commands of the project's own.

Dagster is imported only once a question can't be answered from what is remembered, so that asking
whether anything is stale is quick. Exit status: 0 done, 1 something failed, 2 wrong usage,
130 interrupted.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from orchestration.errors import (
    ProjectError,
    StoreDamagedError,
    StoreUnreachableError,
    UsageError,
)
from orchestration.project import Project, find
from orchestration.rebuild import memo, sources
from orchestration.rebuild.outcome import Outcome
from orchestration.seconds import spell

if TYPE_CHECKING:
    from orchestration.fingerprint import Dynamic
    from orchestration.rebuild.session import Session
    from orchestration.store import Slot
    from orchestration.store.damage import Finding

COMMANDS = ("plan", "rebuild", "ui", "gc", "doctor")
SELECTION_HELP = (
    "what to look at, in Dagster's selection syntax: an asset key, 'key:\"a/b\"', 'group:NAME', "
    "'tag:stage=training', '+KEY' for what is upstream as well, with and / or / not "
    "(default: everything)"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parser(_plugged_in(arguments)).parse_args(arguments)
        return int(options.run(options, find()))
    except (ProjectError, UsageError) as error:
        print(f"faint: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nfaint: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except (StoreDamagedError, StoreUnreachableError, OSError) as error:
        print(f"faint: {error}", file=sys.stderr)
        return 1


def _plugged_in(arguments: Sequence[str]) -> Project | None:
    """The project whose own commands are asked for or listed; None where they are not."""
    if arguments and arguments[0] in COMMANDS:
        return None
    try:
        return find()
    except ProjectError:
        if arguments and not arguments[0].startswith("-"):
            raise
        return None  # its help is shown outside a project as well


def _parser(project: Project | None = None) -> argparse.ArgumentParser:
    """Build the parser, with the commands of a project's own if it is given."""
    parser = argparse.ArgumentParser(
        prog="faint", description="Rebuild only what changed in the asset graph of this project."
    )
    parser.set_defaults(run=_answer)
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
    rebuild.add_argument(
        "--parent-run",
        metavar="ID",
        help="tag the runs of the stages with the Dagster run that asks",
    )
    rebuild.set_defaults(run=_rebuild, explain=False)

    ui = commands.add_parser("ui", help="open the Dagster web UI with its daemon")
    ui.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    ui.add_argument("--port", type=_positive, default=3000, help="port (default: %(default)s)")
    ui.set_defaults(run=_ui)

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

    doctor = commands.add_parser(
        "doctor", help="say what is damaged in the store and in Dagster's home, and mend it"
    )
    doctor.add_argument(
        "--mend",
        action="store_true",
        help="mend it without asking: what can't be used is moved aside, nothing is deleted",
    )
    doctor.add_argument("--json", action="store_true", help="print JSON; asks nothing")
    doctor.set_defaults(run=_doctor)

    if project is not None and project.commands is not None:
        if str(project.root) not in sys.path:
            sys.path.insert(0, str(project.root))
        sources.begin(project)
        try:
            import_module(project.commands).add_commands(commands)
        except (ImportError, AttributeError) as error:
            raise ProjectError(
                f"the commands {project.commands} can't be loaded: {error}"
            ) from error
    return parser


def _partitions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--partitions",
        metavar="A,B",
        help="only these partitions, or 'all' (default: all); a key with two parts is 'a|b', "
        "one with a comma is quoted: '\"a,b\",c'",
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
    plan = None if options.verify or options.explain else memo.recall(project, question)
    if plan is None:
        with _stdout_to_stderr(options.json):
            session = _open(project)
            slots = session.select(options.selection, _listed(options.partitions))
            plan = _planned(session, question, slots, verify=options.verify)
    if options.json:
        print(json.dumps(plan, indent=1))
    else:
        _show_plan(plan, explain=options.explain)
        if options.explain:
            _explain_unfollowed(_unfollowed(session, slots))
        else:
            _show_unfollowed(plan["unfollowed"])
    return 0


def _planned(
    session: Session, question: str, slots: Sequence[Slot], *, verify: bool
) -> dict[str, Any]:
    """Plan in full, and remember the answer; see `Plan.to_dict`."""
    with session.seen:
        local = session.logs_to(session.project.home / memo.EVENT_LOG)
        before = memo.states(session.project) if local else {}
        try:
            plan = session.plan(slots, verify=verify)
        finally:
            session.close()
    unfollowed = {name for names in _unfollowed(session, slots).values() for name in names}
    answer, read = plan.to_dict() | {"unfollowed": len(unfollowed)}, session.planner.read()
    if before and read and (plan.up_to_date or not verify):
        until = session.stands_until()
        memo.remember(session.project, question, before | read, answer, session.seen, until)
    return answer


@contextmanager
def _stdout_to_stderr(wanted: bool) -> Iterator[None]:
    """Keep standard output for the answer: what stages and imports print goes to standard error."""
    sys.stdout.flush()
    if not wanted:
        yield
        return
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)


def _open(project: Project, parent: str | None = None) -> Session:
    from orchestration.rebuild.session import Session

    os.chdir(project.root)  # stages name their files from there, wherever the command is given
    return Session(project, parent=parent)


def _listed(partitions: str | None) -> list[str] | str | None:
    if partitions in (None, "all"):
        return partitions
    return next(csv.reader([partitions]), [])


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _is_fresh(plan: Mapping[str, Any]) -> bool:
    return not (plan["stale"] or plan["checks"])


def _show_fresh(count: int) -> None:
    print(f"Nothing to do: {_number(count, 'asset')} up to date.")


def _show_plan(plan: Mapping[str, Any], *, explain: bool = False) -> None:
    """Print a plan, given as `Plan.to_dict` has it."""
    if _is_fresh(plan):
        _show_fresh(plan["fresh"])
        return
    lines = [
        (item["action"] if item["certain"] else "maybe", _name(item), item["reasons"])
        for item in plan["stale"]
        if item["action"] != "check"  # its check has a line
    ]
    lines += [
        ("check", f"{_name(check)}:{check['check']}", check["reasons"]) for check in plan["checks"]
    ]
    width = min(60, max((len(name) for _, name, _ in lines), default=0))
    for mark, first, every in lines:
        reasons = every if explain else every[:1]
        for number, reason in enumerate(reasons):
            name, shown = (first, mark) if number == 0 else ("", "")
            print(f"{shown:8}{name:{width}}  {reason['kind']}: {reason['detail']}")
        if len(reasons) < len(every):
            rest = {reason["kind"] for reason in every[1:]} - {"dependency"}
            if rest:
                print(f"{'':8}{'':{width}}  and {', '.join(sorted(rest))} (--explain says all)")
    certain = sum(item["certain"] and item["action"] != "check" for item in plan["stale"])
    maybe = sum(not item["certain"] for item in plan["stale"])
    print(
        f"{certain} out of date, {maybe} more perhaps (if what is upstream comes out different), "
        f"{plan['fresh']} up to date"
        + (f"; {_number(len(plan['checks']), 'check')} to run" if plan["checks"] else "")
    )
    if said := _spelled(plan["seconds"]):
        print(said)


def _spelled(estimate: Mapping[str, Any]) -> str:
    """Say how long a plan's work will take, and how sure that is."""
    known, unknown = estimate["known"], estimate["unknown"]
    if not known and not unknown:
        return ""
    if not known:
        return f"How long {_number(unknown, 'stage')} will take isn't known: none was built before"
    certain, possible = (spell(estimate[name]) for name in ("certain", "possible"))
    if not estimate["certain"]:
        said = f"Takes up to about {possible}"
    else:
        said = f"Takes about {certain}" + (f", up to {possible}" if possible != certain else "")
    said += f", going by {'its last build' if known == 1 else 'their last builds'}"
    if unknown:
        said += f"; {_number(unknown, 'stage')} never built before not counted"
    return said


def _name(item: Mapping[str, Any]) -> str:
    """Name of a slot in a plan."""
    return f"{item['asset']}" + ("" if item["partition"] is None else f"[{item['partition']}]")


def _unfollowed(session: Session, slots: Sequence[Slot]) -> dict[Dynamic, list[str]]:
    """Find the code that could not be wholly followed, with the assets for which more counts."""
    assets: dict[Dynamic, list[str]] = {}
    for name in dict.fromkeys(slot.asset for slot in slots):
        session.stages.version(name)
        for item in session.stages.dynamic.get(name, ()):
            assets.setdefault(item, []).append(name)
    return assets


def _show_unfollowed(count: int) -> None:
    if count:
        print(
            f"{_number(count, 'asset')} {'has' if count == 1 else 'have'} code that can't be "
            "wholly followed: more counts than is used (--explain says what)"
        )


def _explain_unfollowed(assets: Mapping[Dynamic, Sequence[str]]) -> None:
    for item, names in assets.items():
        where = f"{item.module}, line {item.line}" if item.line else item.module
        print(
            f"not followed: {item.what} in {where}: all of {item.counts} counts for "
            f"{', '.join(names)}"
        )


# rebuild ----------------------------------------------------------------------------------------


def _rebuild(options: argparse.Namespace, project: Project) -> int:
    if options.dry_run:
        return _plan(options, project)
    started = time.monotonic()
    question = f"{options.selection}|{options.partitions}"
    plan = None if options.verify else memo.recall(project, question)
    if plan is not None and _is_fresh(plan):
        if options.json:
            nothing = Outcome(seconds=time.monotonic() - started)
            print(json.dumps(nothing.to_dict(), indent=1))
        else:
            _show_fresh(plan["fresh"])
        return 0
    with _stdout_to_stderr(options.json):
        session = _open(project, options.parent_run)
        slots = session.select(options.selection, _listed(options.partitions))
        if missing := session.blocked(slots):
            raise UsageError(
                f"{missing[0]} has never been built and is upstream of what is selected; select "
                f"what is upstream as well, such as '+key:\"{slots[0].asset}\"'"
            )
        from orchestration.rebuild.display import Display

        try:
            with Display(session.stages, quiet=options.json) as display:
                session.store.locks.tell = display.say
                outcome = session.rebuild(
                    slots, jobs=options.jobs, verify=options.verify, progress=display
                )
        finally:
            session.close()
        if not outcome.failed:  # the event log is at rest: what is remembered stands
            _planned(session, question, slots, verify=False)
    for name in outcome.failed:
        print(f"failed  {name}: {outcome.errors.get(name, 'unknown error')}", file=sys.stderr)
    if options.json:
        print(json.dumps(outcome.to_dict(), indent=1))
    else:
        _show_outcome(outcome, len(slots))
    return 1 if outcome.failed else 0


def _show_outcome(outcome: Outcome, selected: int) -> None:
    if not (outcome.materialized or outcome.restored or outcome.failed or outcome.checked):
        print(f"Nothing to do: {_number(selected, 'asset')} up to date.")
        return
    print(
        f"{len(outcome.materialized)} built, {len(outcome.restored)} restored, "
        f"{len(outcome.unchanged)} needed no work after all, {len(outcome.failed)} failed "
        f"in {outcome.seconds:.1f} s"
        + (f"; {_number(len(outcome.checked), 'check')} passed" if outcome.checked else "")
    )


# ui ---------------------------------------------------------------------------------------------


def _ui(options: argparse.Namespace, project: Project) -> int:
    from orchestration.webserver import serve

    return serve(project, options.host, options.port)


# gc ---------------------------------------------------------------------------------------------


def _gc(options: argparse.Namespace, project: Project) -> int:
    from orchestration.store.gc import collect

    session = _open(project)
    known = {*session.select(), *(at.slot for _, at in session.checks.slots())}
    freed = collect(
        session.store,
        keep=options.keep,
        limit=options.limit,
        known=known.__contains__,
        dry_run=options.dry_run,
    )
    size = sum(count for _, count in freed) / 1e6
    verb = "would be freed" if options.dry_run else "freed"
    print(f"{_number(len(freed), 'file')}, {size:,.1f} MB {verb}")
    return 0


# doctor -----------------------------------------------------------------------------------------


def _doctor(options: argparse.Namespace, project: Project) -> int:
    from orchestration.doctor import count, examine
    from orchestration.store.damage import Aside

    os.chdir(project.root)
    aside = Aside(project.state / "aside")
    before: list[Finding] = []
    with _stdout_to_stderr(options.json):
        for finding in examine(project, aside):
            before.append(finding)
            if not options.json:
                _show_finding(finding, mended=options.mend and finding.mend is not None)
            if options.mend and finding.mend is not None:
                finding.mend()
        asked = not (options.mend or options.json) and before and sys.stdin.isatty()
        mend = options.mend or (asked and _agreed("Mend it? Nothing is deleted. [y/N] "))
        if asked and mend:
            for finding in examine(project, aside):
                if finding.mend is not None:
                    finding.mend()
        after = list(examine(project, aside)) if mend and before else before
    remaining = [finding for finding in after if not finding.harmless]
    moved = str(aside.place) if aside.place.exists() else None
    if options.json:
        left = {(finding.where, finding.problems) for finding in after}
        listed = [
            _finding_to_dict(each, mended=(each.where, each.problems) not in left)
            for each in before
        ]
        print(json.dumps({"findings": listed, "moved_to": moved}, indent=1))
    elif not before:
        stored = _number(count(project), "stored asset")
        print(f"Nothing is damaged: {stored}, and Dagster's log agrees.")
    elif mend:
        if moved:
            print(f"Moved to {moved}; delete it when you miss nothing.")
        print("Mended." if not after else f"{_number(len(after), 'finding')} can't be mended here:")
        for finding in after:
            _show_finding(finding)
    else:
        print(f"{_number(len(before), 'finding')}; mend with: faint doctor --mend")
    return 1 if remaining else 0


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _show_finding(finding: Finding, *, mended: bool = False) -> None:
    mark = "leftover" if finding.harmless else "damaged"
    for problem in finding.problems:
        print(f"{mark:10}{finding.where}: {problem}")
    print(f"{'mended' if mended else 'remedy':>10}: {finding.remedy}")


def _finding_to_dict(finding: Finding, *, mended: bool) -> dict[str, object]:
    return {
        "where": finding.where,
        "problems": list(finding.problems),
        "remedy": finding.remedy,
        "harmless": finding.harmless,
        "mended": mended,
    }


# commands of the project's own ------------------------------------------------------------------


def _answer(options: argparse.Namespace, project: Project) -> int:
    """Print what a command of the project's own makes of stored assets."""
    from orchestration.store import ArtifactError
    from orchestration.stored import StoredAssets

    try:
        answer = options.answer(options, StoredAssets(project))
    except ArtifactError as error:
        print(f"faint: {error}", file=sys.stderr)
        return 1
    text, status = answer if isinstance(answer, tuple) else (answer, 0)
    print(text)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
