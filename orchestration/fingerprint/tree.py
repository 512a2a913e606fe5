"""The code version of a stage: a digest of everything in the project that it uses.

The modules named below know neither Dagster nor the project that they serve, import none of the
code they read, and need only the standard library and a cache.

How it works
------------
1. Each file is parsed once (`syntax`) into `facts`: one record per module-level statement, its
   syntax normalised to a digest with slots for the names it uses (`normalise`, `scopes`), and what
   it does to them (`effects`, `definitions`). Facts are cached by content (`source_files`).
2. A stage's names are resolved as Python would (`names`): local and global scopes, aliases,
   relative imports, re-exports, stars, `module.attribute`. What resolves into the project is
   followed.
3. A definition's digest is its own syntax with each slot filled by the digest of what it resolves
   to, never by a name or a place (`closure`). So a definition may move and a module may be renamed.
   Definitions that use each other are solved together, by refinement until no two of them can be
   told apart (`nodes`). Variables of a function made at run time count by value (`values`).
4. Which statements change which objects on import is found in two ways, and both count. All files
   are analysed at once for what may be the same object (`flow`, `points_to`, and `others` for what
   libraries are known to leave alone); and the objects themselves are read (`loaded`). The first
   covers what is imported only while a stage runs; the second needs no list of idioms.

What counts, beyond the plain cases:

- A name counts with *every* statement of its module that binds or changes it (`+=`, `TABLE["a"] =`,
  `TABLE.update(...)`, loops, `try`/`if` alternatives), with those of other modules that change it,
  and with functions that rebind it through `global`.
- A name of a module that is imported before a stage runs counts by its value as well (`loaded`):
  the data, objects and functions that it stands for once the project is loaded, however they got
  there.
- A registry counts with what is registered in it, through a decorator, a call, `singledispatch` or
  `__init_subclass__`. What only writes to a registry does not depend on its other entries.
- A statement that changes something outside the project when a module is imported counts for each
  stage that causes that module to be imported; if it sets something of the whole process
  (`np.seterr`, `os.environ[...] =`), for every stage of a project whose definitions import it.
- A class counts as a whole. Fields of a settings class (see `SourceTree`) count without their
  defaults where it is only an annotation or a base of one, since the caller hashes the values.
- Annotations count on fields of classes, and on functions where something may read them: an unknown
  decorator, or `inspect` and the like. Of a stage's parameters only the project's classes count.

What does not count, beyond comments, docstrings and formatting:

- Names of local variables, of functions, parameters and constants, and of classes of whose
  instances only attributes are used where they are made (`instances`). A name does count where it
  can be read: of a function or class that is used as a value, is decorated by who knows whom, or is
  in a module that is widened; of a stage's parameters, which are its inputs; of methods and their
  parameters; of everything where the stage reads frames, `locals()`, `__qualname__` and the like
  (`facts.FRAME_READERS`); and of things that can change and otherwise look alike, such as two empty
  lists.
- The order of methods in a class, and a method that no one names in a class whose instances stay
  where they are made: if no base, decorator or metaclass may look at them. A member that no one
  names of an enumeration of constants, of which only members are used. Other entries of a table
  that is written out and never changed, where one is looked up by a key that is written out.
- The order of keyword arguments that are names and constants, where what is called is known not to
  collect them.
- An `else` after a block that leaves, and arithmetic on numbers and strings that are written out
  (`canonical`).
- Calls that log or print, if their arguments only read and no handler, filter or redirection in the
  stage's code reads what is logged (`logs`). A subscript, a membership test and what goes through
  an iterator are more than reading: a defaultdict would grow, an iterator would end. So is a
  division, which may fail.

These still count, as they can't be told from edits that change a result: texts and types of
exceptions, which someone may catch and store; every entry of a table that is looked up by a
computed key; names of inner functions and classes.

Limits: files that are read at run time, code that is started as a separate process, and names
written in a string (other than for `getattr` and `import_module`) are not followed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from orchestration.fingerprint.closure import Graph
from orchestration.fingerprint.facts import Use, digest_of
from orchestration.fingerprint.loaded import loaded_values
from orchestration.fingerprint.nodes import VALUE, Dynamic, Key, Node
from orchestration.fingerprint.others import CLOCKS
from orchestration.fingerprint.source_files import SourceFiles
from orchestration.fingerprint.values import Values


@dataclass(frozen=True)
class Fingerprint:
    """What a function's code amounts to.

    Parameters
    ----------
    digest
        64 hexadecimal digits. Equal digests: nothing that can alter the result differs.
    pieces
        `module:name` of each definition used, with the digest of that definition alone, to name
        what changed (see `changed`).
    packages
        Third-party packages used, by import name, sorted; the standard library is left out.
    dynamic
        What could not be followed.
    outside
        Full name of what is used of other packages, or the package alone.
    """

    digest: str
    pieces: Mapping[str, str]
    packages: tuple[str, ...]
    dynamic: tuple[Dynamic, ...]
    outside: frozenset[str] = field(default=frozenset(), compare=False)


class Definition(NamedTuple):
    """How a name of a module is defined.

    Parameters
    ----------
    digest
        Of the statements that bind the name.
    reads_clock
        Whether those use something that differs from process to process, as far as is known.
    """

    digest: str
    reads_clock: bool


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Name the definitions that differ between two `Fingerprint.pieces`.

    A definition that only moved to another module is left out.

    Returns
    -------
    list of str
        `module:name`, with ` (new)` or ` (gone)` where only one side has it; sorted.
    """
    gone = {piece for piece in old if piece not in new}
    added = {piece for piece in new if piece not in old}
    for piece in sorted(gone):
        name = piece.partition(":")[2]
        for other in sorted(added):
            if other.partition(":")[2] == name and new[other] == old[piece]:
                gone.discard(piece)
                added.discard(other)
                break
    edited = {piece for piece in old if piece in new and old[piece] != new[piece]}
    for group in (edited, added, gone):  # a value that its definition tells of
        group -= {f"{piece} (value)" for piece in edited | added | gone}
    return sorted(
        [*edited, *(f"{piece} (new)" for piece in added), *(f"{piece} (gone)" for piece in gone)]
    )


class SourceTree:
    """The source of a project, as it was when this object was made.

    Parameters
    ----------
    root
        Folder that holds the packages.
    packages
        Top-level packages or modules whose code is followed. Everything else is another's: its
        names count, its code does not (see `Fingerprint.packages`).
    cache
        File of the facts of each file, by its content; none by default. A cache that is damaged
        or was written by another version of this package is replaced.
    settings_bases
        Classes, by full path, whose subclasses hold settings: defaults of their fields do not
        count where such a class annotates a parameter, as the caller is to hash the values.
    wiring
        Packages whose decorators only wire a stage into a graph: on the stage itself they do not
        count.

    Raises
    ------
    ValueError
        A package is not in ``root``.
    """

    def __init__(
        self,
        root: Path,
        packages: Sequence[str],
        cache: Path | None = None,
        *,
        settings_bases: Collection[str] = ("dagster.Config", "dagster.PermissiveConfig"),
        wiring: Collection[str] = ("dagster",),
    ) -> None:
        self._sources = SourceFiles(Path(root), packages, cache)
        graph = Graph(self._sources, settings_bases, wiring)
        self._graphs = [graph, graph.with_names()]
        self._looked = False

    def files(self) -> tuple[Path, ...]:
        """Every source file that was read, sorted."""
        return tuple(sorted(self._sources.paths.values()))

    def look(self, roots: Iterable[str] | None = None, like: SourceTree | None = None) -> None:
        """Read what the names of imported modules stand for, if that was not done yet.

        What a stage changes when it runs doesn't count: this is for before any has run.

        Parameters
        ----------
        roots
            Modules that every process that runs a stage imports, with all that they import: only
            these are read, and what importing them does outside the project counts for each stage.
            By default all that are imported now are read, and nothing counts for each.
        like
            Take what this tree has read.
        """
        if self._looked:
            return
        self._looked = True
        graph = self._graphs[0]
        modules = set(graph.sources) if roots is None else graph.imported(roots)
        if like is None:
            graph.values.update(loaded_values(graph, modules))
        else:
            graph.values.update(like._graphs[0].values)
        if roots is not None:
            for each in self._graphs:
                each.always = frozenset(modules)

    @property
    def state(self) -> str:
        """Digest of all source files."""
        return self._sources.state

    def values(self) -> dict[str, str]:
        """Digest of the value of every name that was read, by `module:name`."""
        nodes = self._graphs[0].values
        return {f"{k.module}:{k.name}": node.own for k, node in nodes.items() if k.variant == VALUE}

    def definition(self, name: str) -> Definition:
        """How a name, as in `values`, is defined."""
        module, _, last = name.partition(":")
        node = self._graphs[0].bare(Key(module, last))
        clock = any(path.startswith(CLOCKS) for path in node.outside)
        return Definition(digest_of(f"{name} {node.own}"), clock)

    def leave_out(self, names: Collection[str]) -> None:
        """Let the values of some names not count."""
        values = self._graphs[0].values
        for key in [key for key in values if f"{key.module}:{key.name}" in names]:
            del values[key]

    def fingerprint(
        self, module: str, qualname: str, values: Mapping[str, object] | None = None
    ) -> Fingerprint:
        """Fingerprint a function with everything in the project that it uses.

        Parameters
        ----------
        module, qualname
            Where it is defined: its `__module__` and `__qualname__`.
        values
            For a function made inside another, the values of its free variables, and the classes
            that annotate its parameters (see `cells`). Plain data counts by value, functions and
            classes by their definition, any other object by its class and state; one that can't be
            copied counts as the whole project, and is reported. Without a value, a variable counts
            as the whole outer function; a parameter of that is reported, too.

        Raises
        ------
        LookupError
            There is no such function.
        SourceError
            A file that it uses cannot be parsed.
        """
        return self._found(lambda graph: self._root(graph, module, qualname, values))

    def value(self, value: object, name: str) -> Fingerprint:
        """Fingerprint a value of any kind, with everything in the project that it uses.

        Parameters
        ----------
        value
            Counted as the values of `fingerprint` are.
        name
            What to call it where it can't be followed.
        """

        def root(graph: Graph) -> Key:
            key = Key("", name, f"value {len(graph.nodes)}")
            node = graph.nodes[key] = Node()
            Values(graph, "", name, {}, node).write(value)
            return key

        return self._found(root)

    def _found(self, root: Callable[[Graph], Key]) -> Fingerprint:
        """Fingerprint a node of the graph."""
        self.look()
        for graph in self._graphs:
            digest, closure = graph.closed(root(graph))
            if not graph.observed(closure):
                break
        pieces: dict[str, list[str]] = {}
        outside: set[str] = set()
        dynamic: set[Dynamic] = set()
        for key in closure:
            node = graph.nodes[key]
            outside |= node.outside
            dynamic |= node.dynamic
            if key.module and not key.name.startswith("*"):
                name = "(on import)" if key.name.startswith("#") else key.name
                if key.variant.startswith(VALUE):
                    name += " (value)"
                pieces.setdefault(f"{key.module}:{name}", []).append(node.own)
            for name, value in node.values.items():
                pieces.setdefault(f"{key.module}:{key.name}({name})", []).append(value)
        return Fingerprint(
            digest=digest,
            pieces={
                name: own[0] if len(own) == 1 else digest_of("\n".join(sorted(own)))
                for name, own in sorted(pieces.items())
            },
            packages=tuple(
                sorted({name.partition(".")[0] for name in outside} - sys.stdlib_module_names)
            ),
            outside=frozenset(outside),
            dynamic=tuple(sorted(dynamic)),
        )

    def _root(
        self, graph: Graph, module: str, qualname: str, values: Mapping[str, object] | None
    ) -> Key:
        if module not in self._sources:
            raise LookupError(f"no module {module!r} in {self._sources.root}")
        top, *rest = qualname.split(".")
        if "<locals>" in rest:
            if qualname not in self._sources.facts(module).get("nested", {}):
                raise LookupError(f"no function {qualname!r} in {self._sources.paths[module]}")
            key = Key(module, qualname, f"stage {len(graph.nodes)}")
            node = graph.nodes[key] = Node()
            Values(graph, module, qualname, values or {}, node).assemble(key)
            return key
        target = next(graph.names.definitions(module, f"{Use.READ}:{top}"), None)
        if target is None:
            raise LookupError(f"no function {qualname!r} in {self._sources.paths[module]}")
        if not rest:
            return Key(target.module, target.name, "stage")
        key = Key(target.module, qualname, "stage")
        if key not in graph.nodes:
            node = graph.nodes[key] = Node()
            node.key(Key(*target.pair, "named"))
            node.text(".".join(rest))
        return key
