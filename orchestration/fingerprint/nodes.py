"""Nodes of the graph of code, and the digests of nodes that use each other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from orchestration.fingerprint.facts import digest_of

VALUE = "value"
"""Variant of a key: what a name stood for once its module was imported (`loaded`)."""


@dataclass(frozen=True, order=True)
class Dynamic:
    """Something that cannot be followed statically, and so was widened.

    Parameters
    ----------
    module
        Module it stands in.
    line
        Line in that module's file; 0 where it came with a run-time value.
    what
        What it is, for a person.
    counts
        What counts as a whole for it.
    """

    module: str
    line: int
    what: str
    counts: str


class Key(NamedTuple):
    """One node of the graph of code.

    Variants of a definition: "" in full; "bare" without what else changes it, for those who only
    change it too; "settings" without defaults of fields; "named" with the names of a function and
    its parameters; "reflected" also with annotations and docstring; "entry ..." with one entry of a
    table alone; "stage..." without decorators that only wire it into a graph; "value" what it stood
    for once it was imported (`loaded`), "value ..." one entry of that.
    """

    module: str
    name: str  # a definition; "*" all of the module, "**" and of those below; "#3,7" statements
    variant: str = ""


class Node:
    """What a node's digest is made of: text, and digests of others in order and without order."""

    def __init__(self) -> None:
        self.parts: list[str | Key] = []
        self.also: set[Key] = set()
        self.label: list[str] = []  # the parts with names: the definition's digest alone
        self.outside: set[str] = set()
        self.dynamic: set[Dynamic] = set()
        self.observes = False  # may read what variables and functions are called
        self.stateful = False  # something that two names may share
        self.loads: set[str] = set()  # modules imported inside functions
        self.values: dict[str, str] = {}

    def text(self, text: str) -> None:
        """Write text."""
        self.parts.append(f"={text}")
        self.label.append(text)

    def key(self, key: Key) -> None:
        """Write the digest of another node."""
        self.parts.append(key)
        self.label.append("#" if key.name.startswith("#") else key.name)

    @functools.cached_property
    def edges(self) -> frozenset[Key]:
        """Nodes used; asked for only when all is written."""
        return frozenset(part for part in self.parts if type(part) is Key) | self.also

    def digest(self, of: Mapping[Key, str]) -> str:
        """Digest of the whole, given those of the nodes used."""
        ordered = [part if type(part) is str else f"@{of[part]}" for part in self.parts]  # type: ignore[index]
        return digest_of("\n".join([*ordered, "", *sorted({of[key] for key in self.also})]))

    @functools.cached_property
    def own(self) -> str:
        """Digest of the definition alone."""
        return digest_of("\n".join(self.label))


def solve(root: Key, node_of: Callable[[Key], Node], digests: dict[Key, str]) -> None:
    """Add the digests of a node and of all that it uses to ``digests``.

    Nodes come out strongly connected component by component, those that are used first
    (R. Tarjan, "Depth-first search and linear graph algorithms", 1972; without recursion).
    """
    if root in digests:
        return
    order: dict[Key, int] = {}
    lowest: dict[Key, int] = {}
    pending: list[Key] = []
    waiting: set[Key] = set()
    walk: list[tuple[Key, Iterator[Key]]] = []

    def enter(key: Key) -> None:
        order[key] = lowest[key] = len(order)
        pending.append(key)
        waiting.add(key)
        walk.append((key, iter(node_of(key).edges)))

    enter(root)
    while walk:
        key, edges = walk[-1]
        for other in edges:
            if other in digests:
                continue
            if other not in order:
                enter(other)
                break
            if other in waiting:
                lowest[key] = min(lowest[key], order[other])
        else:
            walk.pop()
            if walk:
                before = walk[-1][0]
                lowest[before] = min(lowest[before], lowest[key])
            if lowest[key] == order[key]:
                component = pending[pending.index(key) :]
                del pending[-len(component) :]
                waiting.difference_update(component)
                _solve_component({key: node_of(key) for key in component}, digests)


def _solve_component(nodes: dict[Key, Node], digests: dict[Key, str]) -> None:
    """Add the digests of nodes that use each other, whatever they are called.

    Each starts out the same; then all take the digest of what they look like given the last
    round's digests, until a round tells no more of them apart. Two such graphs are alike if
    their sets of pairs of digests before and after a last round are.
    """
    edges = {edge for node in nodes.values() for edge in node.edges}
    if len(nodes) == 1 and edges.isdisjoint(nodes):
        digests.update({key: node.digest(digests) for key, node in nodes.items()})
        return
    outer = {edge: digests[edge] for edge in edges if edge not in nodes}
    before = dict.fromkeys(nodes, "")
    apart = 1
    while True:
        known = outer | before
        after = {key: node.digest(known) for key, node in nodes.items()}
        if len(set(after.values())) == apart:
            break
        before, apart = after, len(set(after.values()))
    whole = sorted({before[key] + after[key] for key in nodes})
    for key in nodes:
        digests[key] = digest_of("\n".join([after[key], *whole]))
