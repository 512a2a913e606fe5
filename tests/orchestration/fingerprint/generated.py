"""Hold fingerprints against the truth: generate projects, edit them, and run both from nothing.

A missed edit changes what a stage returns and leaves its fingerprint as it was: the stored result
would be taken for fresh. An edit that changes a fingerprint and no result is over-built: that costs
time only. Run `python -m tests.orchestration.fingerprint.generated --edits 20000 --seed 0`.
"""

from __future__ import annotations

import argparse
import ast
import functools
import itertools
import json
import logging
import random
import sys
import tempfile
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher, unified_diff
from pathlib import Path
from typing import Any
from unittest import mock

from orchestration.fingerprint import SourceTree, cells, source_files
from tests.orchestration.fingerprint import generated_wiring
from tests.orchestration.fingerprint.generated_edits import EDITS, WEIGHTS
from tests.orchestration.fingerprint.generated_projects import (
    STAGES,
    Draft,
    Files,
    RefusedError,
    generate,
    outcome,
    world,
)

MOVES, EDITS_EACH = 10, 14


@dataclass(frozen=True)
class Miss:
    """An edit that changes the result of a stage and not its fingerprint."""

    before: Files
    after: Files
    stage: str
    edit: str
    idioms: frozenset[str] = frozenset()
    results: tuple[str, str] = ("", "")
    notes: Mapping[str, str] = field(default_factory=dict, compare=False)  # idioms by statement

    def __str__(self) -> str:
        """The project, and the edit as a difference."""
        parts = [f"{self.stage}: {self.edit}", f"  {self.results[0]}", f"  {self.results[1]}"]
        for name, text in self.before.items():
            if text.strip() or self.after[name].strip():
                lines = unified_diff(
                    text.splitlines(), self.after[name].splitlines(), lineterm="", n=999
                )
                shown = list(lines)[3:] or [" " + line for line in text.splitlines()]
                parts += [f"--- {name}", *(line for line in shown if line.strip())]
        return "\n".join(parts)


@dataclass
class Figures:
    """What a run counted; `pairs` are of an edit and a stage."""

    edits: int = 0
    pairs: int = 0
    changed: int = 0
    missed: int = 0
    equal: int = 0
    over: int = 0
    by_edit: dict[str, Counter[str]] = field(default_factory=dict)
    misses: list[Miss] = field(default_factory=list)
    crashes: dict[str, tuple[Files, str]] = field(default_factory=dict)

    def crashed(self, files: Files, digests: dict[str, str]) -> bool:
        """Note fingerprints that could not be computed; whether there are any."""
        found = {digest: (files, stage) for stage, digest in digests.items() if "crash" in digest}
        self.crashes |= found
        return bool(found)

    def __str__(self) -> str:
        lines = [
            f"{self.edits} edits, {self.pairs} pairs of an edit and a stage",
            f"{self.changed} changed results, {self.missed} of them missed",
            f"{self.equal} equal results, {self.over} of them over-built "
            f"({self.over / max(self.equal, 1):.1%})",
            f"{len(self.crashes)} kinds of crashes: {', '.join(self.crashes)}",
        ]
        for name, counts in sorted(self.by_edit.items()):
            share = counts["over"] / max(counts["equal"], 1)
            lines.append(
                f"  {name:<26} changed {counts['changed']:>5}  missed {counts['missed']:>4}  "
                f"equal {counts['equal']:>5}  over-built {share:.0%}"
            )
        return "\n".join(lines)


class Bench:
    """Two folders on disk, for a project before and after an edit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.written: dict[str, Files] = {}

    def digests(self, files: Files, side: str = "after") -> dict[str, str]:
        """The fingerprint of each stage of a project that loads."""
        root = self.root / side
        known = self.written.get(side, {})
        for name in known.keys() - files.keys():
            (root / name).unlink()
        for name, text in files.items():
            if known.get(name) != text:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
        self.written[side] = dict(files)
        tree = SourceTree(root, ["toy"])
        found = {}
        with world(files, root) as load:
            module = load()
            for stage in STAGES:
                function = getattr(module, stage)
                if not isinstance(function, types.FunctionType):
                    found[stage] = "no function"
                    continue
                try:
                    found[stage] = tree.fingerprint(
                        function.__module__, function.__qualname__, cells(function)
                    ).digest
                except Exception as error:
                    found[stage] = f"crashed: {type(error).__name__}: {error}"
        return found


EMPTY = Draft(random.Random(0)).files()
MISSED = Path(__file__).with_name("generated_missed.json")


def once_missed() -> list[Miss]:
    """Edits that fingerprints did not notice once, made small."""
    return [
        Miss(
            EMPTY | item["before"],
            EMPTY | item["before"] | item["after"],
            item["stage"],
            item["edit"],
            frozenset(item["idioms"]),
        )
        for item in json.loads(MISSED.read_text())
    ]


@functools.lru_cache(maxsize=1)
def _cached_reader() -> mock._patch:
    return mock.patch.object(
        source_files, "read_facts", functools.lru_cache(maxsize=4096)(source_files.read_facts)
    )


def run(edits: int, seed: int, root: Path, **options: Any) -> Figures:
    """Generate edits and judge them, reporting on standard error how far it is.

    Parameters
    ----------
    edits
        How many.
    seed
        Equal seeds give equal projects and edits.
    root
        Folder for the projects.
    **options
        As of `judge_project`.
    """
    figures, bench = Figures(), Bench(root)
    began = time.monotonic()
    for number in itertools.count():
        judge_project(f"{seed} {number}", bench, figures, most=edits, **options)
        if number % 20 == 0:
            print(
                f"\r{figures.edits} edits, {figures.changed} changed, "
                f"{figures.missed} missed, {time.monotonic() - began:.0f} s",
                end="",
                file=sys.stderr,
            )
        if figures.edits >= edits:
            print(file=sys.stderr)
            return figures
    raise AssertionError


def judge_project(
    seed: str | int,
    bench: Bench,
    figures: Figures,
    *,
    most: int = sys.maxsize,
    minimal: bool = True,
    every: bool = True,
) -> None:
    """Generate one project, and judge some edits of it.

    Parameters
    ----------
    seed
        Equal seeds give equal projects and edits.
    bench, figures
        Where the project is, and what is counted.
    most
        How many edits to count at most.
    minimal
        Whether to make each miss small, which takes longer than to find it.
    every
        Whether to run the stages whose fingerprint changed as well, to count the over-built.
    """
    with _cached_reader():
        draft = generate(random.Random(seed), MOVES)
        files = draft.files()
        try:
            truth = outcome(files, bench.root / "before")
            digests = bench.digests(files, "before")
        except Exception:  # it loads only sometimes
            return
        if truth is None or not (draft.reads or draft.made):
            return
        figures.crashed(files, digests)
        for name, edited in edited_projects(draft, files):
            if figures.edits >= most:
                break
            judge(figures, bench, draft, files, edited, name, truth, digests, minimal, every)


def edited_projects(draft: Draft, files: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Some edits of a project, by name."""
    for _ in range(EDITS_EACH):
        draft.added = frozenset()
        name = draft.random.choices([*EDITS], [*WEIGHTS.values()])[0]
        try:
            edited = EDITS[name](draft, dict(files))
        except (RefusedError, SyntaxError, ValueError):
            continue
        if edited != files:
            yield name, edited


def judge(
    figures: Figures,
    bench: Bench,
    draft: Draft,
    files: Files,
    edited: Files,
    name: str,
    truth: dict[str, str],
    digests: dict[str, str],
    minimal: bool,
    every: bool,
) -> None:
    """Count one edit."""
    try:
        now = bench.digests(edited)
        asked = [stage for stage in STAGES if every or digests[stage] == now[stage]]
        results = outcome(edited, bench.root / "after", asked)
    except Exception:  # it doesn't load
        return
    if results is None:
        return
    if figures.crashed(edited, now):
        return
    figures.edits += 1
    counts = figures.by_edit.setdefault(name, Counter())
    figures.pairs += len(STAGES)
    for stage in asked:
        changed, noticed = truth[stage] != results[stage], digests[stage] != now[stage]
        key = "changed" if changed else "equal"
        setattr(figures, key, getattr(figures, key) + 1)
        counts[key] += 1
        if changed and not noticed and is_miss(Miss(files, edited, stage, name), bench):
            figures.missed += 1
            counts["missed"] += 1
            notes = {
                text: idiom
                for parts in [*draft.statements.values(), *draft.bodies.values()]
                for text, idiom in parts
            }
            miss = Miss(files, edited, stage, name, draft.added, notes=notes)
            figures.misses.append(shrunk(miss, bench) if minimal else miss)
        elif noticed and not changed:
            figures.over += 1
            counts["over"] += 1


def judge_assets(seed: str | int, root: Path, figures: Figures, most: int = EDITS_EACH) -> None:
    """Build a project of assets from nothing before and after some edits, and judge these.

    Parameters
    ----------
    seed
        Equal seeds give equal projects and edits.
    root
        Folder for the project, which is replaced.
    figures
        What is counted; a pair is of an edit and a slot.
    most
        How many edits to try.
    """
    draft, files = generated_wiring.wired(random.Random(seed), 2)
    before = generated_wiring.built(root, files)
    if before is None:
        return
    for _ in range(most):
        try:
            name, edited = generated_wiring.wired_edit(draft, dict(files))
        except (RefusedError, SyntaxError, ValueError):
            continue
        after = generated_wiring.built(root, edited) if edited != files else None
        if after is None:
            continue
        figures.edits += 1
        counts = figures.by_edit.setdefault(name, Counter())
        for slot in before.keys() & after.keys():
            (identity, value), (now, result) = before[slot], after[slot]
            if "failed" in (value, result):
                continue
            figures.pairs += 1
            key = "changed" if value != result else "equal"
            setattr(figures, key, getattr(figures, key) + 1)
            counts[key] += 1
            if value != result and identity == now:
                figures.missed += 1
                counts["missed"] += 1
                empty = dict.fromkeys(edited.keys() - files.keys(), "")
                names, results = frozenset(draft.used), (value, result)
                gone = dict.fromkeys(files.keys() - edited.keys(), "")
                miss = Miss(files | empty, edited | gone, slot, name, names, results)
                figures.misses.append(miss)
            elif identity != now and value == result:
                figures.over += 1
                counts["over"] += 1


# -- small examples


def is_miss(miss: Miss, bench: Bench) -> bool:
    """Whether the stage's result changes and its fingerprint doesn't."""
    found = []
    for files, side in ((miss.before, "before"), (miss.after, "after")):
        try:
            result = outcome(files, bench.root / side, [miss.stage])
            if result is None or result != outcome(files, bench.root / side, [miss.stage]):
                return False
            found.append(result[miss.stage])
        except (SyntaxError, RecursionError):
            return False
    if found[0] == found[1] or found[0].startswith("raised"):
        return False
    try:
        first = bench.digests(miss.before, "before")
        return first[miss.stage] == bench.digests(miss.after)[miss.stage]
    except (AttributeError, LookupError):
        return False


def shrunk(miss: Miss, bench: Bench) -> Miss:
    """The same miss with every statement left out that it doesn't need, and with its idioms."""
    for _ in range(3):
        size = sum(map(len, miss.before.values()))
        for name in [*miss.before]:
            miss = _fewer(_fewer(miss, bench, name, _alone), bench, name, _common)
        if sum(map(len, miss.before.values())) == size:
            break
    statements = {ast.unparse(ast.parse(text)): idiom for text, idiom in miss.notes.items()}
    left = "\n".join(ast.unparse(ast.parse(text)) for text in miss.before.values())
    flat = "\n".join(line.strip() for line in left.splitlines())
    names = {
        part
        for text, idiom in statements.items()
        if "\n".join(line.strip() for line in text.splitlines()) in flat
        for part in idiom.split("; ")
        if part
    }
    results = [
        outcome(files, Path("/nowhere"), [miss.stage]) or {} for files in (miss.before, miss.after)
    ]
    found = (results[0].get(miss.stage, ""), results[1].get(miss.stage, ""))
    return replace(miss, idioms=miss.idioms | names, results=found)


Statements = tuple[list[ast.stmt], int]
"""A block and a position in it."""


def _fewer(
    miss: Miss,
    bench: Bench,
    name: str,
    candidates: Callable[[ast.AST, ast.AST], Iterator[tuple[Statements, ...]]],
) -> Miss:
    """The miss without what it doesn't need of one file."""
    position = 0
    while True:
        trees = [ast.parse(files[name]) for files in (miss.before, miss.after)]
        found = [*candidates(trees[0], trees[1])]
        if position >= len(found):
            return miss
        for body, index in found[position]:
            del body[index]
            if not body:
                body.append(ast.Pass())
        before, after = (ast.unparse(tree) + "\n" for tree in trees)
        smaller = replace(
            miss, before={**miss.before, name: before}, after={**miss.after, name: after}
        )
        if is_miss(smaller, bench):
            miss = smaller
        else:
            position += 1


def _blocks(
    first: ast.AST, second: ast.AST
) -> Iterator[tuple[list[ast.stmt], list[ast.stmt], dict[int, int]]]:
    """Blocks of two trees that correspond, and positions of equal statements in them."""
    one, other = getattr(first, "body", None), getattr(second, "body", None)
    if not isinstance(one, list) or not isinstance(other, list):
        return
    texts = [[ast.dump(node) for node in body] for body in (one, other)]
    matching = SequenceMatcher(None, *texts, autojunk=False).get_matching_blocks()
    equal = {block.a + k: block.b + k for block in matching for k in range(block.size)}
    yield one, other, equal
    rest = [i for i in range(len(one)) if i not in equal] if len(one) == len(other) else []
    for i, j in [*equal.items(), *zip(rest, rest, strict=True)]:
        yield from _blocks(one[i], other[j])


def _common(first: ast.AST, second: ast.AST) -> Iterator[tuple[Statements, ...]]:
    """Statements that both sides have, many at once and then one by one, the last ones first."""
    for one, other, equal in _blocks(first, second):
        pairs = [(i, j) for i, j in reversed(equal.items()) if not isinstance(one[i], ast.Pass)]
        size = len(pairs)
        while size:
            for start in range(0, len(pairs), size):
                some = pairs[start : start + size]
                yield tuple(at for i, j in some for at in ((one, i), (other, j)))
            size //= 2


def _alone(first: ast.AST, second: ast.AST) -> Iterator[tuple[Statements, ...]]:
    """Statements that one side has."""
    for one, other, equal in _blocks(first, second):
        for body, matched in ((one, equal.keys()), (other, equal.values())):
            for index, node in enumerate(body):
                if index not in matched and not isinstance(node, ast.Pass):
                    yield ((body, index),)


def main() -> None:
    """Run, and print the figures and the smallest missed edit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--edits", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--assets", type=int, default=100, help="edits of projects of assets")
    parser.add_argument("--shown", type=int, default=1, help="missed edits to print")
    options = parser.parse_args()
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as folder:
        figures = run(options.edits, options.seed, Path(folder), minimal=False)
        print(figures)
        wired = Figures()
        logging.disable()
        for number in itertools.count():
            if wired.edits >= options.assets:
                break
            judge_assets(f"{options.seed} {number}", Path(folder, "assets"), wired)
        print(f"\nProjects of assets, built by Dagster:\n{wired}")
        for miss in wired.misses[: options.shown]:
            print(f"\n{miss}")
        largest_last = sorted(figures.misses, key=lambda miss: sum(map(len, miss.before.values())))
        bench = Bench(Path(folder, "small"))
        some = [shrunk(miss, bench) for miss in largest_last[: 3 * options.shown]]
        for miss in sorted(some, key=lambda miss: len(str(miss)))[: options.shown]:
            print(f"\n{miss}\n  idioms: {', '.join(sorted(miss.idioms))}")
    sys.exit(bool(figures.missed or wired.missed))


if __name__ == "__main__":
    main()
