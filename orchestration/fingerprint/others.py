"""What is known of the functions and classes of others: which of them change nothing.

What is not listed may change and call whatever it is handed.
"""

from __future__ import annotations

from orchestration.fingerprint.facts import LOGGING

COPIERS = {
    "builtins.dict", "builtins.enumerate", "builtins.iter", "builtins.list", "builtins.next",
    "builtins.reversed", "builtins.set", "builtins.tuple", "builtins.zip",
    "collections.Counter", "collections.OrderedDict", "collections.defaultdict",
    "collections.deque", "builtins.sum", "itertools.batched", "itertools.chain",
    "itertools.chain.from_iterable", "itertools.combinations", "itertools.count",
    "itertools.cycle", "itertools.islice", "itertools.pairwise", "itertools.permutations",
    "itertools.product", "itertools.repeat", "itertools.zip_longest",
}  # fmt: skip
"""Return something new that holds the items of what they are handed."""

MAPPINGS = {
    "builtins.dict", "collections.Counter", "collections.OrderedDict", "collections.defaultdict",
}  # fmt: skip
PAIRING = {
    "builtins.enumerate", "builtins.zip", "itertools.batched", "itertools.combinations",
    "itertools.pairwise", "itertools.permutations", "itertools.product", "itertools.zip_longest",
}  # fmt: skip
"""Those that return mappings, and those that return tuples of the items."""

CALLERS = {
    "builtins.filter", "builtins.map", "builtins.max", "builtins.min", "builtins.sorted",
    "functools.reduce", "itertools.accumulate", "itertools.groupby", "itertools.starmap", "re.sub",
    "re.subn",
}  # fmt: skip
"""Call a function that they are handed with items of the rest, and may return those."""

FIELDS = {"attr.field", "attr.ib", "attrs.field", "dataclasses.field", "pydantic.Field"}
"""Stand for a default, or for what a function returns."""

_HARMLESS = {
    "builtins.abs", "builtins.all", "builtins.any", "builtins.bin", "builtins.callable",
    "builtins.chr", "builtins.dict.fromkeys", "builtins.dir", "builtins.divmod",
    "builtins.hasattr", "builtins.hex", "builtins.id", "builtins.isinstance",
    "builtins.issubclass", "builtins.oct", "builtins.object", "builtins.ord", "builtins.pow",
    "builtins.print", "builtins.round", "builtins.slice", "copy.deepcopy", "ctypes.CDLL",
    "ctypes.CFUNCTYPE", "ctypes.POINTER", "dataclasses.asdict", "dataclasses.astuple",
    "dataclasses.fields", "dataclasses.is_dataclass", "enum.auto", "hashlib.sha256",
    "importlib.util.find_spec", "json.dumps", "operator.attrgetter", "operator.itemgetter",
    "operator.methodcaller", "os.cpu_count", "os.environ.get", "os.getcwd", "os.getenv",
    "os.getpid", "os.listdir", "os.scandir", "os.stat", "os.walk", "pkgutil.iter_modules",
    "pydantic.ConfigDict", "random.Random", "shutil.which", "threading.Event", "threading.Lock",
    "threading.RLock", "threading.local", "weakref.WeakKeyDictionary",
    "weakref.WeakValueDictionary",
}  # fmt: skip
_HARMLESS_PACKAGES = (
    "abc.", "base64.", "builtins.bytes.", "builtins.float.", "builtins.int.", "builtins.str.",
    "calendar.", "csv.", "dagster.", "glob.", "importlib.metadata.", "importlib.resources.",
    "inspect.", "json.load", "math.", "numbers.", "orchestration.", "os.path.", "platform.", "re.",
    "secrets.", "statistics.", "string.", "tempfile.", "textwrap.", "time.", "tomllib.", "typing.",
    "typing_extensions.", "unicodedata.", "uuid.", "warnings.", "zlib.",
)  # fmt: skip
_RUNNERS = ("dagster.execute", "dagster.materialize")
"""Neither change nor call what they are handed, and return nothing that shares it; the exceptions.

`orchestration` is this package: what it lays over a project's assets changes none of its objects.
"""

KEEPERS = {
    "builtins.memoryview", "collections.ChainMap", "contextlib.closing", "contextlib.nullcontext",
    "contextvars.ContextVar", "copy.copy", "dataclasses.replace", "functools.cmp_to_key",
    "functools.singledispatch", "functools.singledispatchmethod", "numpy.array",
    "numpy.asanyarray", "numpy.asarray",
    "numpy.ascontiguousarray", "numpy.asfortranarray", "numpy.atleast_1d", "numpy.atleast_2d",
    "numpy.broadcast_to", "numpy.diagonal", "numpy.expand_dims", "numpy.flip", "numpy.moveaxis",
    "numpy.ravel", "numpy.reshape", "numpy.rot90", "numpy.split", "numpy.squeeze",
    "numpy.swapaxes", "numpy.transpose", "pydantic.TypeAdapter", "types.MappingProxyType",
    "types.SimpleNamespace", "weakref.proxy", "weakref.ref",
}  # fmt: skip
"""Change nothing, and return what shares what they are handed."""

LOGGERS = {"dagster.get_dagster_logger", "logging.getLogger", "structlog.get_logger"}
"""Return a logger."""

NUMPY = {
    "arange": 9, "argsort": 9, "bincount": 9, "concatenate": 2, "cumsum": 3, "diff": 9, "empty": 9,
    "empty_like": 9, "eye": 9, "finfo": 9, "full": 9, "full_like": 9, "geomspace": 9,
    "hstack": 9, "identity": 9, "iinfo": 9, "interp": 9, "linspace": 9, "logspace": 9, "loadtxt": 9,
    "meshgrid": 9, "median": 2, "ones": 9, "ones_like": 9, "outer": 2, "prod": 3, "repeat": 9,
    "stack": 2, "std": 3, "sum": 3, "tile": 9, "unique": 9, "vstack": 9, "where": 9, "zeros": 9,
    "zeros_like": 9, "dtype": 9, "mean": 3, "max": 2, "min": 2, "dot": 2, "matmul": 2, "add": 2,
    "subtract": 2, "multiply": 2, "divide": 2, "power": 2, "exp": 1, "log": 1, "log2": 1,
    "log10": 1, "sqrt": 1, "abs": 1, "sin": 1, "cos": 1, "deg2rad": 1, "rad2deg": 1, "round": 2,
    "hanning": 9, "hamming": 9, "blackman": 9, "float32": 9, "float64": 9, "int64": 9, "int32": 9,
    "random.default_rng": 9, "random.RandomState": 9, "random.SeedSequence": 9,
}  # fmt: skip
"""Functions of NumPy that change nothing when handed no more than so many arguments in place."""

DECORATORS = {
    "builtins.classmethod", "builtins.property", "builtins.staticmethod", "abc.abstractmethod",
    "contextlib.asynccontextmanager", "contextlib.contextmanager", "dataclasses.dataclass",
    "enum.unique", "functools.cache", "functools.cached_property", "functools.lru_cache",
    "functools.total_ordering", "functools.wraps", "keras.saving.register_keras_serializable",
    "numba.jit", "numba.njit", "tensorflow.custom_gradient",
    "tensorflow.function", "typing.final", "typing.no_type_check",
    "typing.override", "typing.runtime_checkable", "pydantic.field_validator",
    "pydantic.model_validator", "pydantic.validator", "pydantic.field_serializer",
    "pydantic.dataclasses.dataclass", "pydantic.validate_call",
}  # fmt: skip
"""Decorators that neither call nor change what they decorate."""

_LOCAL = (
    "bisect.", "functools.", "heapq.", "itertools.", "numpy.", "operator.", "pandas.", "scipy.",
    "unittest.mock.patch.dict", "unittest.mock.patch.object",
)  # fmt: skip
_GLOBAL = (
    "numpy.errstate", "numpy.random.", "numpy.set", "pandas.options", "pandas.plotting.",
    "pandas.set_", "scipy.fft.set",
)  # fmt: skip
"""Packages whose functions change nothing but what they are handed, and the exceptions."""

READERS = {
    "__contains__", "__getitem__", "__iter__", "__len__", "all", "any", "argmax", "argmin",
    "argsort", "as_posix", "astype", "copy", "count", "difference", "dot", "endswith", "flatten",
    "format", "get", "index", "intersection", "is_dir", "is_file", "isdisjoint", "issubset",
    "issuperset", "items", "joinpath", "join", "keys", "max", "mean", "min", "most_common",
    "prod", "ravel", "reshape", "resolve", "round", "split", "startswith", "std", "strip", "sum",
    "symmetric_difference", "tolist", "total", "transpose", "union", "values", "var", "view",
}  # fmt: skip
"""Methods of containers, and of others' objects, that change nothing."""

HARMLESS_BASES = {
    "builtins.object", "typing.Protocol", "typing.Generic", "abc.ABC", "dagster.Config",
    "pydantic.BaseModel", "enum.Enum", "enum.StrEnum", "enum.IntEnum", "enum.Flag",
    "typing.NamedTuple", "typing.TypedDict", "builtins.Exception", "builtins.ValueError",
    "builtins.RuntimeError", "builtins.TypeError", "builtins.KeyError", "builtins.LookupError",
}  # fmt: skip
"""Bases whose methods change nothing but attributes of an object that is being made."""

CONTAINER_BASES = {
    "builtins.dict", "builtins.list", "builtins.set", "builtins.tuple", "collections.UserDict",
    "collections.UserList", "collections.OrderedDict", "collections.defaultdict",
    "collections.deque", "collections.Counter",
}  # fmt: skip

_FIXED_ATTRIBUTES = {"e", "inf", "maxsize", "nan", "newaxis", "pi", "platform", "version_info"}

DUNDERS = {
    "Add": "add", "Sub": "sub", "Mult": "mul", "Div": "truediv", "FloorDiv": "floordiv",
    "Mod": "mod", "Pow": "pow", "MatMult": "matmul", "LShift": "lshift", "RShift": "rshift",
    "BitOr": "or", "BitAnd": "and", "BitXor": "xor", "USub": "neg", "UAdd": "pos",
    "Invert": "invert", "Not": "bool",
}  # fmt: skip
ARITHMETIC = {"Add", "Sub", "Mult", "Div", "FloorDiv", "Mod", "Pow", "MatMult", "USub", "UAdd",
               "Not", "Invert", "BitAnd", "BitOr", "BitXor"}  # fmt: skip


PROCESS_WIDE = (
    "decimal.getcontext", "decimal.setcontext", "jax.config", "keras.backend", "keras.config",
    "keras.mixed_precision", "keras.utils.set_random_seed", "locale.setlocale", "matplotlib.rc",
    "matplotlib.use", "multiprocessing.set_start_method", "numpy.random.seed",
    "numpy.random.set_state", "numpy.set", "os.chdir", "os.environ", "os.putenv", "os.unsetenv",
    "pandas.options", "pandas.set_option", "random.seed", "random.setstate", "signal.signal",
    "sys.path", "sys.set", "tensorflow.config", "tensorflow.keras.mixed_precision",
    "tensorflow.keras.utils.set_random_seed", "tensorflow.random.set_seed", "time.tzset",
    "torch.manual_seed", "torch.set_", "warnings.filterwarnings", "warnings.simplefilter",
)  # fmt: skip
"""Beginnings of paths that set what every module of the process then finds."""


CLOCKS = (
    "datetime.date.today", "datetime.datetime.now", "datetime.datetime.today",
    "datetime.datetime.utcnow", "numpy.random.", "os.getpid", "os.urandom", "random.", "secrets.",
    "socket.gethostname", "tempfile.", "threading.get_ident", "time.", "uuid.",
)  # fmt: skip
"""Beginnings of paths of what may differ each time that a module is imported."""


def is_constant(path: str) -> bool:
    """Whether something of others is taken for a constant by its name."""
    last = path.rpartition(".")[2]
    return last in _FIXED_ATTRIBUTES


def is_harmless(path: str) -> bool:
    """Whether a function of others neither changes nor calls what it is handed."""
    if path.startswith("builtins.") and path.endswith(("Error", "Exception", "Warning")):
        return True
    if path.startswith("logging.") and path.rpartition(".")[2] in LOGGING:
        return True
    if path in _HARMLESS or path in DECORATORS:
        return True
    return path.startswith(_HARMLESS_PACKAGES) and not path.startswith(_RUNNERS)


def is_ambient(path: str) -> bool:
    """Whether a function of others may change more than what it is handed."""
    method = path.rpartition(".")[2]
    if method[:1].isupper() or method in READERS or method in LOGGING:
        return False
    return path.startswith(_GLOBAL) or not path.startswith(_LOCAL)
