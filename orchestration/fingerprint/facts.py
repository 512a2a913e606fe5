"""Facts of a source file, as plain data that depends on its content alone, to be cached as JSON."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TypedDict

Spec = tuple[int, str, str]
"""An import: number of leading dots, module, attribute ("" for the module itself)."""


class Use(StrEnum):
    """How a statement uses a name: the first letter of a ref, as in `g:np.sum`."""

    READ = "g"
    SOFT = "s"  # in an annotation of a field, or in a base
    STORED = "w"  # only stored to
    METHOD = "m"  # called on import for what it does, its result unused
    FILLED = "l"  # the same in a function, of a method that containers have
    ENCLOSING = "c"  # a variable of an enclosing function
    PARAMETER = "p"  # a parameter of one
    IMPORTED = "i"  # imported inside a function, and followed
    LOADED = "e"  # imported inside a function, and only mentioned
    CALLED = "f"  # called, and nothing else
    MADE = "n"  # called, and of what it returns only attributes are used
    IMPORT_CALLED = "j"  # imported inside a function, and called
    ENTRY = "y"  # looked up by a key that is written out, which follows the name and a colon
    KEYWORDS = "a"  # no name: the keyword arguments of a call, by their index in the unit
    CHECKED = "k"  # looked up, perhaps before storing to it; only while reading


CAPTURED = {Use.ENCLOSING, Use.PARAMETER}
"""Uses of what only the run can tell."""


class Part(TypedDict):
    """A stretch of normalised syntax: its digest, and its slots as indices into the unit's refs."""

    text: str
    slots: list[int]


class Decorator(Part):
    """A decorator, which may be left out."""

    by: list[int]  # refs of what is called


class Hints(Part):
    """Annotations of a function, which may be left out."""

    by: list[int]  # refs of the decorators that may read them; -1 for one that is no name


class Fields(TypedDict):
    """A field of a class, with the refs in the bases of that class."""

    bases: list[int]
    full: Part
    settings: Part  # the same without defaults


class Log(Part):
    """A call that logs or prints and whose arguments only read: it may be left out."""

    who: str  # "" for what is sure to be a logger, "context" for that of a stage, or "name"
    by: list[int]  # refs of what is called
    uses: list[str]  # attributes and special methods that its arguments use


class Member(Part):
    """A method of a class, or a member of an enumeration."""

    name: str
    free: bool  # may be left out where no one uses it


class Keywords(TypedDict):
    """Keyword arguments of a call."""

    by: list[int]  # refs of what is called
    plain: bool  # all are names and constants, so that their order does not matter here
    given: list[tuple[str, Part]]


class Unit(TypedDict, total=False):
    """One statement. Its refs are strings: a `Use`, a colon and a name."""

    kind: str  # "def", "class" or "state"
    line: int
    binds: list[str]
    refs: list[str]
    body: Part
    signature: str  # names of a function's parameters, which its text is without
    positions: dict[str, int]  # of parameters that can be given by keyword
    places: dict[str, int]  # of the names that a statement binds, which its text is without
    immutable: bool  # makes nothing that can change: neither a value nor a default
    keywords: list[Keywords]
    logs: list[Log]
    logger: bool  # binds one name to a logger
    container: bool  # binds one name to a new built-in container
    locals: str  # digest of the names of its functions' variables, which its text is without
    eager: list[int]  # refs evaluated on import
    decorators: list[Decorator]
    hints: list[Hints]
    fields: list[Fields]
    bases: list[int]
    parameters: list[tuple[str, list[int]]]  # and the refs in their annotations
    doc: str
    dynamic: list[tuple[int, str, str]]  # line, what, pattern of the modules it may reach
    computed: list[tuple[int, str, int]]  # line, what, ref of what a computed attribute is of
    imports: list[Spec]  # inside functions
    # What it does to names, on import ...
    stores: list[int]
    # ... and when called.
    globals: list[str]
    writes: list[int]
    methods: list[int]  # methods called that may change what they belong to
    reads_hints: bool
    observes: bool  # may read what variables and functions are called, or what is logged
    defines: bool  # another statement that has a function or class inside
    metaclass: list[int]
    entries: list[tuple[str, Part]]  # of a table that is written out, by key
    members: list[Member]
    order: str  # digest of the order of a class's methods among its other statements
    movable: bool  # whether it makes no difference to the class itself
    enum: bool  # an enumeration of different constants, and nothing else
    collects: bool  # a class that takes any keyword argument
    shows: bool  # a class that may hand on its instances, or itself
    read: list[str]  # attributes read of what is MADE
    hooks: bool  # a class that does something when another inherits from it
    subclasses: bool  # asks for its subclasses
    # How objects flow through it: see `flow`.
    flow: str  # its operations, as JSON of its own that is read only where it runs
    acts: bool  # it does more than to bind names to what it makes
    fixed: dict[str, list[str]]  # names bound to constants, if these refs are constants


class Facts(TypedDict, total=False):
    """Facts of one file, or the line and message of the `error` that keeps it from being parsed."""

    error: tuple[int, str]
    doc: str
    exports: list[str] | None  # `__all__`; absent: public names, None: cannot be told
    imports: dict[str, list[Spec]]
    typing: dict[str, list[Spec]]  # under `if TYPE_CHECKING`
    stars: list[tuple[int, str]]
    imported: list[Spec]  # modules imported with this one
    active: list[str]  # see `logs.active`
    attributes: list[str]  # all that are named anywhere
    methods: list[str]  # of classes
    types: bool  # whether it asks for the class of a value, other than for its name
    units: list[Unit]
    nested: dict[str, list[Unit]]  # functions inside functions, by qualified name


BLIND_DECORATORS = {
    "abc.abstractmethod", "builtins.classmethod", "builtins.property", "builtins.staticmethod",
    "contextlib.asynccontextmanager", "contextlib.contextmanager", "functools.cache",
    "functools.lru_cache", "typing.final", "typing.no_type_check", "typing.override",
}  # fmt: skip
"""Decorators that don't look at what a function and its parameters are called."""

PLAIN_DECORATORS = {
    "dataclasses.dataclass", "functools.total_ordering", "typing.final", "typing.runtime_checkable",
}  # fmt: skip
"""Decorators of a class that look neither at its name nor at the order of its methods."""

PLAIN_BASES = {"abc.ABC", "builtins.object", "typing.Generic", "typing.Protocol"}
"""Bases that do neither."""

QUIET_DECORATORS = {
    "abc.abstractmethod", "atexit.register", "builtins.classmethod", "builtins.property",
    "builtins.staticmethod", "contextlib.asynccontextmanager", "contextlib.contextmanager",
    "functools.cache", "functools.cached_property", "functools.lru_cache",
    "functools.singledispatch", "functools.singledispatchmethod", "functools.wraps",
    "keras.saving.register_keras_serializable", "numba.jit", "numba.njit", "tensorflow.function",
    "typing.final", "typing.no_type_check", "typing.override",
}  # fmt: skip
"""Decorators that don't look at annotations."""

HINT_READERS = {
    "beartype.beartype", "inspect.get_annotations", "inspect.getdoc", "inspect.getfullargspec",
    "inspect.getsource", "inspect.getsourcelines", "inspect.signature", "pydantic.TypeAdapter",
    "pydantic.create_model", "pydantic.validate_call", "typeguard.typechecked",
    "typing.get_type_hints",
}  # fmt: skip
"""What reads annotations, or the source itself."""

OBSERVERS = {
    "__code__", "__globals__", "__qualname__", "addFilter", "addHandler", "ag_frame", "co_freevars",
    "co_name", "co_names", "co_qualname", "co_varnames", "cr_frame", "f_back", "f_code",
    "f_globals", "f_locals", "gi_frame", "tb_frame",
}  # fmt: skip
"""Attributes that show what the code around calls its variables and itself, or what it logs."""

FRAME_READERS = {
    "builtins.compile", "builtins.eval", "builtins.exec", "builtins.globals", "builtins.locals",
    "contextlib.redirect_stderr", "contextlib.redirect_stdout", "dis", "duckdb", "executing",
    "gc.get_objects", "gc.get_referrers", "icecream", "inspect.currentframe",
    "inspect.getclosurevars", "inspect.getframeinfo", "inspect.getinnerframes",
    "inspect.getouterframes", "inspect.getsource", "inspect.getsourcelines", "inspect.stack",
    "inspect.trace", "logging.Filter", "logging.Handler", "logging.LoggerAdapter",
    "logging.StreamHandler", "logging.config", "logging.handlers", "logging.setLogRecordFactory",
    "logging.setLoggerClass", "numexpr", "pandas.eval", "pandasql", "patsy", "polars.sql",
    "statsmodels", "sys._current_frames", "sys._getframe", "sys.setprofile", "sys.settrace",
    "sys.stderr", "sys.stdout", "symtable", "trace", "traceback", "unittest.mock", "varname",
}  # fmt: skip
"""What may read the variables of its callers by name, or what they log or print.

By full path or as a whole package.
"""

MUTATORS = {
    "__delitem__", "__setattr__", "__setitem__", "add", "append", "appendleft", "clear", "discard",
    "extend", "extendleft", "fill", "insert", "itemset", "pop", "popitem", "popleft", "put",
    "register", "remove", "reverse", "rotate", "setdefault", "setflags", "sort", "update",
}  # fmt: skip
"""Methods that change what they belong to, wherever they are called."""

CONTAINERS = {
    "builtins.dict", "builtins.list", "builtins.set", "collections.Counter",
    "collections.OrderedDict", "collections.defaultdict", "collections.deque",
}  # fmt: skip
"""What makes containers whose methods do to themselves what their names say, and nothing else."""

LOGGING = {"critical", "debug", "error", "exception", "info", "log", "warning"}
"""Methods that change nothing that counts, even where their result is thrown away."""


def digest_of(text: str) -> str:
    """64 hexadecimal digits that stand for a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
