"""The idioms that generated projects are made of; to add one, add a line to a table.

An idiom is a template. `$o` is the object it is about, `$n`, `$m` and `$k` are numbers, `$v` any
value, `$s` a statement and `$e` an expression; every other `$name` is a name that nothing else has.
An idiom's name in reports is its key, or where a table has none, the template itself.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of object with state.

    Parameters
    ----------
    makes
        Statements that bind `$o` to a new one.
    changes
        Statements that change one.
    reads
        Expressions that depend on one, and change nothing that a later read depends on.
    views
        A statement, an expression and its kind: what shares state with one.
    """

    makes: tuple[str, ...]
    changes: tuple[str, ...]
    reads: tuple[str, ...]
    views: tuple[tuple[str, str, str], ...] = ()


# The names that every generated module may use without importing them from another.
PRELUDE = """\
import array, bisect, collections, contextlib, contextvars, copy, dataclasses, datetime, decimal
import enum, fractions, functools, heapq, io, itertools, logging, math, operator, random, re, sys
import threading, types, typing, weakref
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from contextlib import nullcontext, contextmanager, ExitStack
from functools import partial, reduce
from pathlib import Path
from types import SimpleNamespace
from unittest import mock
import numpy as np
import elsewhere
log = logging.getLogger(__name__)
"""

# A package of somebody else's, which keeps state: what is done to it counts on import.
ELSEWHERE = """\
import contextlib
RATE = 1
TABLE = {}
HOOKS = []
class Thing:
    size = 1
class Base:
    kinds = []
    def __init_subclass__(cls, **more):
        super().__init_subclass__(**more)
        Base.kinds.append(cls)
class Layer:
    def __init__(self, size=1):
        self.size = size
        self.parts = []
    def add(self, part):
        self.parts.append(part)
        return self
    def count(self):
        return self.size + sum(part if isinstance(part, int) else part.count() for part in self.parts)
def configure(rate):
    global RATE
    RATE = rate
def register(function):
    HOOKS.append(function)
    return function
def named(name):
    def decorate(function):
        TABLE[name] = function
        return function
    return decorate
def total(x):
    return x * RATE + sum(hook(x) for hook in HOOKS)
def fill(table, key, value):
    table[key] = value
def grow(items, value):
    items.append(value)
    return len(items)
@contextlib.contextmanager
def rated(rate):
    global RATE
    kept, RATE = RATE, rate
    yield
    RATE = kept
"""

BOUND = ("$o($n)", "for $i in range($n):\n    $o($i)", "$kept = [$o($i) for $i in ($n, $m)]")

KINDS = {
    "list": Kind(
        ("$o = [$n, $m, $k]", "$o = list(range($n))", "$o: list[int] = [$v]", "$o = [$n] * 3"),
        (
            "$o.append($v)", "$o.extend([$n, $m])", "$o.insert(0, $n)", "$o.reverse()", "$o.pop()",
            "$o[0] = $v", "$o[:] = [$n, $m]", "$o[1:1] = ($n,)", "$o += [$n]", "$o *= 2",
            "del $o[0]", "$o.sort(key=lambda $i: -$i)", "$o.sort()", "$o.clear()",
            "list.append($o, $n)", "operator.iadd($o, [$n])", "heapq.heappush($o, $n)",
            "random.Random($n).shuffle($o)", "bisect.insort($o, $n)", "$o.__setitem__(0, $n)",
            "[$o.append($i) for $i in ($n, $m)]", "list(map($o.append, ($n, $m)))",
            "$kept = $o.pop()", "$o[0], $rest = $n, $m", "for $o[0] in ($n, $m):\n    pass",
            "operator.setitem($o, 0, $n)", "elsewhere.grow($o, $n)", "$kept = elsewhere.grow($o, $n)",
            "operator.methodcaller('append', $n)($o)", "getattr($o, 'append')($n)",
            "[*map($o.append, ($n,))]", "any($o.append($i) for $i in ($n, $m))",
            "deque(map($o.append, ($n, $m)), maxlen=0)", "reduce(lambda $p, $q: $p.append($q) or $p, ($n,), $o)",
            "$o.extend($i * $n for $i in range(3))", "$o and $o.append($n)",
        ),
        ("list($o)", "sum($o)", "len($o)", "$o[-1]", "max($o, default=0)", "repr($o)",
         "[$i * $n for $i in $o]", "elsewhere.total(len($o))"),
        (("", "$o.append", "adder"), ("", "$o.extend", "extender"),
         ("def $put(x, $t=$o):\n    $t.append(x)", "$put", "adder"),
         ("def $put(x):\n    $o.append(x)", "$put", "adder"),
         ("def $put($t, x):\n    $t.append(x)\n\n$putting = partial($put, $o)", "$putting", "adder"),
         ("$put = lambda x: $o.append(x)", "$put", "adder"),
         ("class $Box:\n    items = $o\n\n    def put(self, x):\n        self.items.append(x)", "$Box().put", "adder"),
         ("class $Box:\n    def __init__(self, x):\n        $o.append(x)", "$Box", "adder"),
         ("class $Box:\n    def __call__(self, x):\n        $o.append(x)\n\n$box = $Box()", "$box", "adder"),
         ("def $reg($f):\n    $o.append($f(1))\n    return $f", "$reg", "registrar"),
         ("class $Base:\n    def __init_subclass__(cls, **more):\n        super().__init_subclass__(**more)\n"
          "        $o.append(cls.size)\n\n    size = $n", "$Base", "hooked base"),
         ("class $Log:\n    def info(self, x):\n        $o.append(x)\n\n    log = debug = info\n\n$log = $Log()", "$log", "logger-like"),
         ),
    ),
    "dict": Kind(
        ("$o = {'x': $n, 'y': $m}", "$o = dict(x=$n)", "$o = {'x': $v}", "$o = OrderedDict(x=$n, y=$m)",
         "$o = {**dict(x=$n), 'y': $m}"),
        (
            "$o['x'] = $v", "$o['z'] = $n", "$o.update(x=$n)", "$o.update({'w': $n})", "$o |= {'x': $n}",
            "$o.pop('x', None)", "$o.setdefault('q', $n)", "$o.clear()", "del $o['x']", "$o.popitem()",
            "dict.update($o, x=$n)", "operator.setitem($o, 'x', $n)", "$o['x'] += $n",
            "for $i in ('x', 'z'):\n    $o[$i] = $n", "elsewhere.fill($o, 'x', $n)",
            "$kept = elsewhere.fill($o, 'x', $n)", "$kept = $o.setdefault('q', $n)",
            "$o['y'], $rest = $n, $m", "for $o['x'] in ($n, $m):\n    pass",
            "$o.update([('x', $n), ('u', $m)])", "$o.__setitem__('x', $n)", "$o.__ior__({'x': $n})",
            "{$o.setdefault($i, $n) for $i in 'ab'}", "mock.patch.dict($o, {'x': $n}).start()",
            "$o.update(zip('xy', ($n, $m)))", "with nullcontext($n) as $o['x']:\n    pass",
        ),
        ("dict($o)", "list($o.items())", "$o.get('x', 0)", "sum($o.values())", "list($o)", "len($o)",
         "'x' in $o", "{**$o}", "str($o)"),
        (("", "$o.update", "updater"), ("", "$o.__setitem__", "setter"),
         ("def $put(x, $t=$o):\n    $t[str(x)] = x", "$put", "adder"),
         ("def $put(key, x):\n    $o[key] = x", "$put", "setter"),
         ("$put = partial(operator.setitem, $o)", "$put", "setter"),
         ("def $reg(name):\n    def decorate($f):\n        $o[name] = $f(1)\n        return $f\n    return decorate", "$reg", "named registrar"),
         ("def $reg(name, $table=$o):\n    def decorate($f):\n        $table[name] = $f(2)\n        return $f\n    return decorate", "$reg", "named registrar"),
         ("def $reg(name):\n    $table = $o\n    def decorate($f):\n        $table[name] = $f(2)\n        return $f\n    return decorate", "$reg", "named registrar"),
         ("class $Base:\n    kinds = $o\n\n    @classmethod\n    def register(cls, $f):\n        cls.kinds[$f.__name__[:1]] = $f(1)\n        return $f\n\n\n"
          "class $Child($Base):\n    pass", "$Child.register", "registrar"),
         ("$field = SimpleNamespace(table=$o)", "$field.table", "dict"),
         ("class $Meta(type):\n    def __new__(meta, name, bases, space):\n        $o[name[:1]] = space.get('size', 0)\n"
          "        return super().__new__(meta, name, bases, space)\n\n\nclass $Base(metaclass=$Meta):\n    size = $n", "$Base", "hooked base"),
         ),
    ),
    "set": Kind(
        ("$o = {$n, $m}", "$o = set()", "$o = set(range($n))"),
        ("$o.add($n)", "$o.discard($n)", "$o |= {$n, $m}", "$o.update(range($n))", "$o -= {$n}",
         "$o ^= {$n}", "$o &= {$n, $m, 1, 2}", "$o.clear()", "set.add($o, $n)", "$o.difference_update({$n})",
         "[$o.add($i) for $i in ($n, $m)]", "$o.symmetric_difference_update({$n})", "$o.intersection_update({1, $n})"),
        ("sorted($o)", "len($o)", "$n in $o", "sum($o)"),
        (("", "$o.add", "adder"),),
    ),
    "deque": Kind(
        ("$o = deque([$n, $m], maxlen=5)",),
        ("$o.append($n)", "$o.appendleft($n)", "$o.rotate($n)", "$o.extendleft([$n])", "$o += [$n]", "$o.popleft()"),
        ("list($o)", "$o[0]"),
        (("", "$o.appendleft", "adder"),),
    ),
    "counter": Kind(
        ("$o = Counter('aab')", "$o = Counter(a=$n)"),
        ("$o.update('b')", "$o.subtract(a=$n)", "$o['c'] += $n", "$o += Counter(a=$n)", "$o['a'] = $n"),
        ("dict($o)", "sorted($o.elements())", "$o.most_common(1)", "$o['c']"),
        (("", "$o.update", "updater"),),
    ),
    "defaultdict": Kind(
        ("$o = defaultdict(list)", "$o = defaultdict(list, x=[$n])"),
        ("$o['x'].append($n)", "$o['x'] += [$n]", "$o['y'].extend([$n, $m])", "$o['q']",
         "$o.setdefault('x', []).append($n)", "$o.default_factory = None", "for $i in 'xy':\n    $o[$i].append($n)"),
        ("{key: list(value) for key, value in $o.items()}", "len($o)", "dict($o)"),
        (("$inner = $o['x']", "$inner", "list"), ("", "$o['x']", "list"), ("", "$o.__getitem__('x')", "list")),
    ),
    "nested": Kind(
        ("$o = {'x': [$n], 'y': {'z': [$m]}}", "$o = dict(x=[$n, $m], y=dict(z=[$k]))"),
        ("$o['x'].append($n)", "$o['y']['z'].append($n)", "$o['x'][0] = $n", "$o['y']['w'] = $n",
         "$o.get('x').append($n)", "$o['y'].update(w=$n)", "for $t in $o.values():\n    $t.clear()",
         "for $key, $t in $o.items():\n    if $key == 'x':\n        $t.append($n)", "$o['x'] += [$n]",
         "[*$o.values()][0].append($n)", "next(iter($o.values())).append($n)", "$o.copy()['x'].append($n)",
         "copy.copy($o)['x'].append($n)", "$copied = dict($o)\n$copied['x'].append($n)", "{**$o}['x'].append($n)",
         "$o.setdefault('x', []).append($n)", "($o.get('x') or []).append($n)", "operator.itemgetter('x')($o).append($n)"),
        ("repr($o)", "list($o['x'])", "dict($o['y'])", "sum($o['y']['z'])"),
        (("$inner = $o['x']", "$inner", "list"), ("$inner, *$rest = $o.values()", "$inner", "list"),
         ("", "$o['y']", "dict"), ("$inner = $o.get('y')", "$inner", "dict"),
         ("def $inner():\n    return $o['x']", "$inner()", "list"), ("", "$o['y']['z']", "list"),
         ("$inner = [$t for $t in $o.values()][0]", "$inner", "list"),
         ("match $o:\n    case {'x': $inner}:\n        pass", "$inner", "list"),
         ("$shallow = $o.copy()", "$shallow['x']", "list"), ("$shallow = dict($o)", "$shallow['x']", "list"),
         ("$shallow = {**$o}", "$shallow['y']", "dict"), ("$merged = $o | {}", "$merged['y']", "dict")),
    ),
    "rows": Kind(
        ("$o = [[$n], [$m, $k]]", "$o = [[$n] for $i in range(2)]", "$o = [[$n]] * 2", "$o = ([$n], [$m])"),
        ("$o[0].append($n)", "$o[-1].append($n)", "for $t in $o:\n    $t.append($n)", "[$t.append($n) for $t in $o]",
         "for $i, $t in enumerate($o):\n    $t[0] = $i * $n", "$o[0] += [$n]", "list(map(list.reverse, $o))",
         "for $t, $u in zip($o, ($n, $m)):\n    $t.append($u)", "$o[:][0].append($n)", "sorted($o)[0].append($n)",
         "list($o)[0].append($n)", "max($o).append($n)", "for $t in reversed($o):\n    $t.append(len($o[0]))",
         "for $t in filter(None, $o):\n    $t.append($n)", "next(iter($o)).append($n)",
         "for $t in itertools.chain($o):\n    $t.append($n)", "($o[0] if $n else $o[1]).append($m)"),
        ("[list($t) for $t in $o]", "sum(map(sum, $o))", "repr($o)"),
        (("$inner, $rest = $o", "$inner", "list"), ("", "$o[0]", "list"), ("$inner = list($o)[0]", "$inner", "list"),
         ("for $inner in $o:\n    pass", "$inner", "list"), ("$copied = $o[:]", "$copied[0]", "list"),
         ("*_, $inner = $o", "$inner", "list"), ("$inner = min($o)", "$inner", "list"),
         ("$inner = next(iter($o))", "$inner", "list"), ("[$inner, $rest] = sorted($o)", "$inner", "list")),
    ),
    "array": Kind(
        ("$o = np.array([$n, $m, $k])", "$o = np.arange(4)", "$o = np.zeros(3)", "$o = np.full((2, 2), $n)"),
        ("$o[0] = $n", "$o[:] = $n", "$o += $n", "$o *= $n", "$o.fill($n)", "$o.sort()", "$o[...] = $n",
         "np.add($o, $n, out=$o)", "np.multiply($o, $n, $o)", "np.copyto($o, $n)", "np.put($o, [0], $n)",
         "np.place($o, $o > $n, $m)", "np.putmask($o, $o > 1, $n)", "np.add.at($o, 0, $n)", "$o.put(0, $n)",
         "$o.flat[0] = $n", "$o[$o > 1] = $n", "$o.itemset(0, $n)", "$o.resize((2,), refcheck=False)",
         "$o.partition(1)", "np.random.default_rng($n).shuffle($o)", "$o[::2] = $n", "$o[0:1] -= $n",
         "np.clip($o, 0, $n, out=$o)", "$kept = np.add($o, $n, out=$o)", "np.cumsum($o, out=$o)",
         "np.nditer($o, op_flags=['readwrite']).operands[0][...] = $n", "$o.reshape(-1)[0] = $n", "$o.T[0] = $n",
         "np.negative($o, out=$o)", "np.maximum($o, $n, out=$o)", "$o.ravel()[1] = $n", "$o.setflags(write=False)",
         "$o.view()[0] = $n", "np.asarray($o)[0] = $n", "memoryview($o)[0] = $n"),
        ("$o.tolist()", "$o.sum().item()", "$o.copy()", "$o.max()", "float($o.ravel()[0])", "$o * $n",
         "np.flip($o).tolist()"),
        (("$view = $o[:2]", "$view", "array"), ("$view = $o.reshape(-1)", "$view", "array"), ("$view = $o.T", "$view", "array"),
         ("$view = np.asarray($o)", "$view", "array"), ("$view = $o.ravel()", "$view", "array"), ("$view = $o.view()", "$view", "array"),
         ("", "$o[1:]", "array"), ("$view = np.atleast_1d($o)", "$view", "array"), ("$view, $rest = np.split($o, 2)", "$view", "array"),
         ("def $view():\n    return $o[:1]", "$view()", "array"), ("$view = np.flip($o)", "$view", "array"),
         ("$view = $o[::-1]", "$view", "array"), ("$view = np.broadcast_arrays($o)[0]", "$view", "array"), ("$view = $o.real", "$view", "array"),
         ("$view = np.swapaxes($o, 0, -1)", "$view", "array")),
    ),
    "bytes": Kind(
        ("$o = bytearray([$n, $m])", "$o = bytearray(b'abc')"),
        ("$o[0] = $n", "$o.append($n)", "$o += bytes([$n])", "memoryview($o)[0] = $n", "$o.extend([$n, $m])", "$o.reverse()"),
        ("bytes($o)", "$o.hex()", "len($o)"),
        (("$view = memoryview($o)", "$view", "memory"), ("", "$o.append", "adder")),
    ),
    "memory": Kind((), ("$o[0] = $n", "$o[:1] = bytes([$n])"), ("bytes($o)",)),
    "namespace": Kind(
        ("$o = SimpleNamespace(size=$n, parts=[$m])", "class $Plain:\n    size = $n\n    parts = [$m]\n\n\n$o = $Plain()",
         "@dataclasses.dataclass\nclass $Data:\n    size: int = $n\n    parts: list = dataclasses.field(default_factory=lambda: [$m])\n\n\n$o = $Data()",
         "class $o:\n    size = $n\n    parts = [$m]", "$o = types.ModuleType('made')\n$o.size = $n\n$o.parts = [$m]",
         "class $Slotted:\n    __slots__ = ('size', 'parts')\n\n    def __init__(self):\n        self.size, self.parts = $n, [$m]\n\n\n$o = $Slotted()"),
        ("$o.size = $v", "setattr($o, 'size', $n)", "$o.size += $n", "$o.parts.append($n)", "$o.parts += [$n]", "$o.parts = [$n]",
         "mock.patch.object($o, 'size', $n).start()", "object.__setattr__($o, 'size', $n)", "vars($o).update(size=$n)",
         "$o.__dict__['size'] = $n", "del $o.parts[0]", "for $o.size in ($n, $m):\n    pass", "$o.size, $rest = $n, $m",
         "with nullcontext($n) as $o.size:\n    pass", "operator.attrgetter('parts')($o).append($n)", "getattr($o, 'parts').append($n)",
         "for $key in ('size', 'width'):\n    setattr($o, $key, $n)", "$o.__setattr__('size', $n)", "[setattr($o, 'size', $i) for $i in ($n, $m)]",
         "(lambda $t: setattr($t, 'size', $n))($o)"),
        ("$o.size", "list($o.parts)", "$o.size + len($o.parts)", "getattr($o, 'size')"),
        (("", "$o.parts", "list"), ("$inner = $o.parts", "$inner", "list"),
         ("def $put(x):\n    $o.size = x", "$put", "adder"), ("$put = partial(setattr, $o, 'size')", "$put", "adder")),
    ),
    "instance": Kind(
        ("class $Net:\n    def __init__(self, size=$n):\n        self.size, self.layers = size, []\n\n"
         "    def add(self, layer):\n        self.layers.append(layer)\n        return self\n\n"
         "    def apply(self, x):\n        self.size = self.size * 2 + x\n        return self.size\n\n"
         "    def __iadd__(self, x):\n        self.layers.append(x)\n        return self\n\n"
         "    def __setitem__(self, key, x):\n        self.layers.append((key, x))\n\n"
         "    def __getitem__(self, key):\n        self.size += 1\n        return self.size\n\n"
         "    def __call__(self, x):\n        self.layers.insert(0, x)\n        return x\n\n"
         "    def __enter__(self):\n        self.size += 3\n        return self\n\n"
         "    def __exit__(self, *error):\n        self.size *= 2\n\n"
         "    def __lshift__(self, x):\n        self.layers.append(-x)\n        return self\n\n"
         "    def __contains__(self, x):\n        self.layers.append(x)\n        return True\n\n"
         "    def __iter__(self):\n        self.size += 1\n        return iter(self.layers)\n\n"
         "    def __len__(self):\n        self.size += 2\n        return 1\n\n"
         "    @property\n    def touched(self):\n        self.size -= 1\n        return self.size\n\n"
         "    @touched.setter\n    def touched(self, x):\n        self.size = x\n\n"
         "    def __getattr__(self, name):\n        if name.startswith('_'):\n            raise AttributeError(name)\n        self.layers.append(name)\n        return len(name)\n\n"
         "    def info(self, x):\n        self.size += x\n\n    log = info\n\n"
         "    def chained(self):\n        return self\n\n    def state(self):\n        return [self.size, *map(str, self.layers)]\n\n\n$o = $Net($m)",),
        ("$o.add($v)", "$o.apply($n)", "$o += $n", "$o['x'] = $n", "$o['x']", "$o($n)", "with $o:\n    pass", "$o << $n",
         "$n in $o", "for $i in $o:\n    pass", "len($o)", "$o.touched", "$o.touched = $n", "$o.anything", "$o.info($n)", "$o.log($n)",
         "$o.add($n).add($m)", "$o.chained().add($n)", "$kept = $o.apply($n)", "$kept = $o.touched", "bool($o)", "if $o:\n    pass",
         "[*$o]", "$kept, *$rest = $o, $o['x']", "$o.size = $n", "$o.layers.append($n)", "type($o).add($o, $n)", "assert $o.apply($n)",
         "if $o.apply($n) > 3:\n    log.info('big')", "log.info('size %s', $o.apply($n))", "f'{$o.apply($n)}'", "print(end=f'{$o.apply($n):.0}'[:0])",
         "$kept = ($o.add($n), $m)[1]", "$kept = not $o", "$kept = $o or $n", "while $o.apply($n) < 5:\n    pass", "$o.__dict__.update(size=$n)",
         "del $o.layers", "vars($o)['size'] = $n", "getattr($o, 'apply')($n)", "$kept = $n in $o", "$kept = $o << $n", "list(map($o, ($n, $m)))",
         "sorted(($n, $m), key=$o)", "max(($n, $m), key=$o.apply)", "$kept = -$o.apply($n)", "$o[$n]", "match $o:\n    case object(touched=$kept):\n        pass"),
        ("$o.state()", "[$o.size]", "len($o.layers)"),
        (("", "$o.add", "adder"), ("", "$o.apply", "adder"), ("", "$o.layers", "list"), ("", "$o.chained()", "instance"),
         ("", "$o.info", "adder"), ("$entered = $o.__enter__()", "$entered", "instance"), ("", "$o", "registrar-like"), ("", "$o.__iadd__", "adder")),
    ),
    "registrar-like": Kind((), ("@$o\ndef $f(x):\n    return $n", "@$o.add\nclass $C:\n    size = $n"), ("$o.size",)),
    "generator": Kind(
        ("$o = random.Random($n)", "$o = np.random.RandomState($n)"),
        ("$o.seed($n)", "$o.random() if hasattr($o, 'getrandbits') else $o.rand()", "$kept = [$n, $m, $k]\n$o.shuffle($kept)",
         "$kept = $o.choice([$n, $m])", "for $i in range($n):\n    $o.seed($i)", "$kept = $o.uniform(0, 1)"),
        ("$o.uniform(0, 1)", "[$o.uniform(0, 9) for $i in range(2)]", "$o.choice([1, 2, 3, 4, 5, 6, 7, 8, 9]) + 0"),
        (("", "$o.seed", "adder"), ("", "$o.uniform", "drawer")),
    ),
    "drawer": Kind((), ("$o(0, 1)", "$kept = $o(0, $n)"), ("$o(0, 1)",)),
    "default_rng": Kind(
        ("$o = np.random.default_rng($n)",),
        ("$o.random($n)", "$kept = $o.normal(size=$n)", "$o.shuffle(np.arange($n))", "$kept = $o.integers($n)", "$o.bit_generator.advance($n)",
         "$kept = np.zeros($n)\n$o.random(out=$kept)", "$kept = $o.spawn($n)[0].random()", "log.info('drawn %s', $o.random())"),
        ("$o.random()", "$o.integers(1000)", "$o.permutation(6).tolist()"),
        (("", "$o.bit_generator", "bits"), ("", "$o.random", "count-drawer")),
    ),
    "bits": Kind((), ("$o.advance($n)", "np.random.Generator($o).random()", "$o.random_raw()"), ("int($o.random_raw())",)),
    "count-drawer": Kind((), ("$o()", "$o($n)", "$kept = $o()"), ("$o()",)),
    "iterator": Kind(
        ("$o = iter(range($n, 99))", "$o = itertools.islice(itertools.count($n), 60)", "$o = ($i * $n for $i in range(50))", "$o = itertools.chain([$n, $m, $k] * 20)",
         "def $gen():\n    $t = $n\n    while True:\n        $t += $m\n        yield $t\n\n\n$o = $gen()", "$o = map(abs, range(-40, $n))",
         "$o = zip(range($n, 90), range(90))", "$o = itertools.accumulate(range($n, 90))"),
        ("next($o)", "$kept = next($o)", "for $i in $o:\n    break", "$kept = [*itertools.islice($o, $n)]", "$kept, $rest = next($o), next($o)", "$n in zip($o, range(2))",
         "$kept = next($o, None)", "$o.__next__()", "log.info('next %s', next($o))", "any($o)", "deque(itertools.islice($o, $n), maxlen=0)", "$kept = dict(zip('ab', $o))",
         "$kept = list(zip(range($n), $o))"),
        ("next($o)", "[next($o), next($o)]"),
        (("$it = iter($o)", "$it", "iterator"), ("", "$o.__next__", "count-drawer"), ("$next = partial(next, $o)", "$next", "count-drawer"),
         ("$it = enumerate($o)", "$it", "iterator"), ("$it = itertools.islice($o, 40)", "$it", "iterator"), ("$it = map(str, $o)", "$it", "iterator")),
    ),
    "stream": Kind(
        ("$o = io.StringIO()", "$o = io.StringIO('text $n')"),
        ("$o.write('$n')", "$o.seek(0)", "$o.truncate(1)", "print($n, file=$o)", "$o.writelines(['$n'])", "$o.read(1)",
         "with contextlib.redirect_stdout($o):\n    print($n)", "$kept = $o.write('$n')"),
        ("$o.getvalue()", "$o.tell()"),
        (("", "$o.write", "writer"),),
    ),
    "writer": Kind((), ("$o('$n')", "list(map($o, ['$n', '$m']))"), ()),
    "context": Kind(
        ("$o = contextvars.ContextVar('var', default=$n)", "$o = contextvars.ContextVar('var', default=0)\n$o.set($n)"),
        ("$o.set($n)", "$kept = $o.set($n)", "$o.set($o.get() + $n)"),
        ("$o.get()", "[$o.get(), $n]"),
        (("", "$o.set", "adder"),),
    ),
    "local": Kind(
        ("$o = threading.local()\n$o.size = $n",),
        ("$o.size = $n", "$o.__dict__['size'] = $n", "setattr($o, 'size', $n)"),
        ("$o.size",),
    ),
    "function": Kind(
        ("def $o(x=$n):\n    return x + $m", "$o = lambda x=$n: x * $m", "@functools.wraps(abs)\ndef $o(x=$n):\n    return x - $m"),
        ("$o.__defaults__ = ($n,)", "$o.size = $n", "$o.__name__ = 'f$n'", "$o.__code__ = (lambda x=0: x + $n).__code__", "setattr($o, 'size', $n)",
         "$o.__dict__['size'] = $n", "vars($o).update(size=$n)", "$o.__doc__ = 'doc $n'"),
        ("$o()", "getattr($o, 'size', 0)", "$o($n)", "$o.__name__", "list(map($o, ($n, $m)))", "$o.__doc__", "$o.__defaults__"),
        (("$bound = partial($o, $n)", "$bound", "callable"), ("def $wrapped():\n    return $o() + $n", "$wrapped", "callable"),
         ("class $C:\n    run = staticmethod($o)", "$C.run", "callable")),
    ),
    "callable": Kind((), (), ("$o()", "repr($o())", "max(map(lambda $i: $o(), (1, 2)))")),
    "class": Kind(
        ("class $o:\n    size = $n\n    parts = []\n\n    def run(self):\n        return self.size + $m\n\n    @classmethod\n    def grow(cls, x):\n        cls.size += x\n\n"
         "    @staticmethod\n    def fixed():\n        return $k",
         "class $Parent:\n    size = $n\n    parts = []\n\n    def run(self):\n        return self.size\n\n    @classmethod\n    def grow(cls, x):\n        cls.parts.append(x)\n\n    fixed = staticmethod(lambda: $n)\n\n\n"
         "class $o($Parent):\n    def run(self):\n        return super().run() + $m"),
        ("$o.size = $n", "$o.grow($n)", "$o.run = lambda self: $n", "setattr($o, 'size', $n)", "$o.parts.append($n)", "$o.__bases__[0].size = $n",
         "$o().grow($n)", "type.__setattr__($o, 'size', $n)", "$o.extra = property(lambda self: $n)", "$o().parts.append($n)", "del $o.size",
         "mock.patch.object($o, 'run', lambda self: $n).start()", "class $Sub($o):\n    def __init_subclass__(cls):\n        $o.size = $n\n\n\nclass $Leaf($Sub):\n    pass",
         "$kept = $o()\n$kept.parts.append($n)", "$kept = $o()\n$kept.grow($n)", "class $Sub($o):\n    pass\n\n\n$Sub.parts.append($n)",
         "$o.__init_subclass__ = classmethod(lambda cls: setattr($o, 'size', $n))\n\n\nclass $Sub($o):\n    pass"),
        ("$o.size", "$o().run()", "$o.fixed()", "list($o.parts)", "getattr($o(), 'extra', 0)", "[name for name in vars($o) if name[0] != '_']",
         "len($o.__subclasses__())"),
        (("", "$o.grow", "adder"), ("", "$o.parts", "list"), ("$made = $o()", "$made.parts", "list"), ("class $Sub($o):\n    size = $n", "$Sub", "class"),
         ("$made = $o()", "$made.grow", "adder"), ("$method = $o().run", "$method", "callable")),
    ),
    "enum": Kind(
        ("class $o(enum.Enum):\n    A = $n\n    B = $m\n\n    def twice(self):\n        return 2 * self.value",
         "class $o(enum.IntEnum):\n    A = $n\n    B = enum.auto()\n\n    def twice(self):\n        return 3 * self.value"),
        ("$o.A.extra = $n", "$o.A._value_ = $n"),
        ("$o.A.value", "[member.name for member in $o]", "$o.B.twice()", "len($o)", "getattr($o.A, 'extra', 0)"),
    ),
    "dispatch": Kind(
        ("@functools.singledispatch\ndef $o(x):\n    return 'any $n'",),
        ("@$o.register\ndef _(x: int):\n    return x + $n", "@$o.register(int)\ndef $f(x):\n    return x - $n", "$o.register(str, lambda x: x * $n)",
         "$kept = $o.register(int, lambda x: x * $n)"),
        ("$o(1)", "$o('a')", "$o(None)"),
        (("", "$o.register", "typed registrar"),),
    ),
    "typed registrar": Kind((), ("@$o\ndef $f(x: int):\n    return x * $n", "@$o(str)\ndef $f(x):\n    return x * $n", "$o(int, lambda x: x + $n)"), ()),
    "cached": Kind(
        ("@functools.lru_cache\ndef $o(x=1):\n    $o.calls = getattr($o, 'calls', 0) + $n\n    return x + $o.calls",
         "@functools.cache\ndef $o(x=1):\n    return [x, $n]"),
        ("$o()", "$o($n)", "$o.cache_clear()", "$kept = $o()"),
        ("repr($o())", "$o.cache_info().misses"),
        (("", "$o", "count-drawer"),),
    ),
    "registry": Kind(
        ("class $Registry:\n    def __init__(self):\n        self.entries = {}\n\n    def register(self, $f):\n        self.entries[len(self.entries)] = $f\n        return $f\n\n"
         "    def enroll(self, name, x):\n        self.entries[name] = lambda y: x * y\n        return self\n\n    def named(self, name):\n        return lambda $f: self.entries.setdefault(name, $f)\n\n"
         "    log = register\n\n    def apply(self, x):\n        return [entry(x) for entry in self.entries.values()]\n\n\n$o = $Registry()",),
        ("@$o.register\ndef $f(x):\n    return x + $n", "_ = $o.enroll('x', $n)", "$o.enroll('y', $n)", "@$o.named('z')\ndef $f(x):\n    return x * $n",
         "$o.register(lambda x: x - $n)", "@$o.log\ndef $f(x):\n    return x - $n", "$o.log(lambda x: x + $n)", "$o.entries['w'] = abs", "$o.entries.clear()",
         "for $i in ($n, $m):\n    $o.enroll($i, $n)", "def $f(x):\n    return x ** $n\n\n\n$g = $o.register($f)", "@$o.register\n@functools.cache\ndef $f(x):\n    return x + $n",
         "class $C:\n    @$o.register\n    def run(x):\n        return x * $n", "$o.named('q')(lambda x: x + $n)", "$o.register(partial(operator.add, $n))"),
        ("$o.apply($n)", "len($o.entries)", "[str(key) for key in $o.entries]"),
        (("", "$o.register", "registrar"), ("", "$o.named", "named registrar"), ("$register = $o.register", "$register", "registrar"), ("", "$o.log", "registrar"),
         ("def $decorator($f):\n    return $o.register($f)", "$decorator", "registrar"), ("$put = partial($o.enroll, 'x')", "$put", "adder"), ("$put = $o.enroll", "$put", "setter")),
    ),
    "class registry": Kind(
        ("class $o:\n    kinds = {}\n\n    @classmethod\n    def register(cls, $f):\n        cls.kinds[len(cls.kinds)] = $f\n        return $f\n\n"
         "    def __init_subclass__(cls, key='k', **more):\n        super().__init_subclass__(**more)\n        $o.kinds[key] = cls\n\n    def __init__(self, *given):\n        pass\n\n    def size(self):\n        return $n",
         "class $Meta(type):\n    kinds = {}\n\n    def __init__(cls, *given, key='k'):\n        super().__init__(*given)\n        $Meta.kinds[key] = cls\n\n    def __new__(meta, *given, key='k'):\n        return super().__new__(meta, *given)\n\n\n"
         "class $o(metaclass=$Meta):\n    def __init__(self, *given):\n        pass\n\n    def size(self):\n        return $n\n\n    @classmethod\n    def register(cls, $f):\n        $Meta.kinds[len($Meta.kinds)] = $f\n        return $f"),
        ("class $Sub($o, key='a'):\n    def size(self):\n        return $n", "class $Sub($o):\n    def size(self):\n        return super().size() + $n",
         "class $Child($o, key='b'):\n    pass\n\n\n@$Child.register\nclass $C:\n    def size(self):\n        return $n", "type('Made', ($o,), {'size': lambda self: $n}, key='c')",
         "$o.kinds.clear()", "@$o.register\nclass $C:\n    def size(self):\n        return $n", "types.new_class('New', ($o,), {'key': 'n'}, lambda space: space.update(size=lambda self: $n))",
         "$kept = type($o)('Own', ($o,), {'size': lambda self: $n}, key='o')"),
        ("[kind().size() for kind in $o.kinds.values()]", "len($o.kinds)", "[str(key) for key in $o.kinds]", "$o.kinds.get('a', $o)().size()",
         "[sub().size() for sub in $o.__subclasses__()]"),
        (("", "$o.register", "class registrar"), ("", "$o.kinds", "dict-like"), ("class $Mid($o, key='m'):\n    pass", "$Mid", "class registry"),
         ("$register = $o.register", "$register", "class registrar")),
    ),
    "class registrar": Kind((), ("@$o\nclass $C:\n    def size(self):\n        return $n", "$kept = $o(type('Plain', (), {'size': lambda self: $n}))"), ()),
    "dict-like": Kind((), ("$o.clear()", "$o.popitem()", "$o['p'] = $o[[*$o][0]]"), ("len($o)", "[str(key) for key in $o]")),
    "hooked base": Kind((), ("class $Sub($o):\n    size = $n", "$made = type('Made', ($o,), {'size': $n})", "class $Sub($o):\n    pass\n\n\nclass $Leaf($Sub):\n    size = $n"), ("$o.size",)),
    "logger-like": Kind((), ("$o.info($n)", "$o.log($n)", "$o.debug($n)", "$kept = $o.info($n)"), ()),
    "registrar": Kind((), ("@$o\ndef $f(x):\n    return x + $n", "def $f(x):\n    return x * $n\n\n\n$o($f)", "$o(lambda x: x - $n)", "_ = $o(lambda x: $n)",
                           "for $f in (abs, partial(operator.add, $n)):\n    $o($f)", "$kept = [$o($f) for $f in (partial(operator.mul, $n),)]",
                           "@$o\n@functools.cache\ndef $f(x):\n    return x + $n", "$f = $o(partial(operator.add, $n))"), ()),
    "named registrar": Kind((), ("@$o('x')\ndef $f(x):\n    return x + $n", "$o('y')(lambda x: x * $n)", "$kept = $o('z')(lambda x: $n)",
                                 "$at = $o('w')\n\n\n@$at\ndef $f(x):\n    return $n", "for $i in 'ab':\n    $o($i)(partial(operator.add, $n))"), ()),
    "adder": Kind((), BOUND, ()),
    "setter": Kind((), ("$o('x', $n)", "_ = $o('y', $n)", "for $i in 'xz':\n    $o($i, $n)", "list(map($o, 'xy', ($n, $m)))", "[$o($i, $n) for $i in 'uv']"), ()),
    "updater": Kind((), ("$o({'x': $n})", "$o(x=$n, z=$m)", "_ = $o({'y': $n})"), ()),
    "extender": Kind((), ("$o([$n, $m])", "$o($i * $n for $i in range(2))", "_ = $o(range($n))"), ()),
    "number": Kind(
        ("$o = $n", "$o = $v"),
        ("$o += $n", "$o = $n", "$o = $o * $n", "$o, $rest = $n, $m", "for $o in ($n, $m):\n    pass", "with nullcontext($n) as $o:\n    pass",
         "if $n > 3:\n    $o = $m", "globals()['$o'] = $n", "exec('$o = $n')", "($o := $n)", "import toy.helpers as $o", "def $o():\n    return $n",
         "class $o:\n    size = $n", "del $o", "try:\n    $o = $n\nfinally:\n    pass"),
        ("$o", "repr($o)[:9]", "[$o, $n]"),
        (("def $set(x):\n    global $o\n    $o = x", "$set", "adder"), ("def $set(x):\n    globals()['$o'] = x", "$set", "adder"),
         ("def $get():\n    return $o", "$get", "callable"), ("class $C:\n    def set(self, x):\n        global $o\n        $o = x", "$C().set", "adder"),
         ("$set = partial(setattr, sys.modules[__name__], '$o')", "$set", "adder"), ("$set = partial(operator.setitem, globals(), '$o')", "$set", "adder")),
    ),
    "outside": Kind(
        ("$o = elsewhere.total",),
        ("elsewhere.configure($n)", "elsewhere.RATE = $n", "elsewhere.HOOKS.append(lambda x: x + $n)", "@elsewhere.register\ndef $f(x):\n    return x * $n",
         "setattr(elsewhere, 'RATE', $n)", "elsewhere.__dict__['RATE'] = $n", "from elsewhere import configure as $c\n\n$c($n)", "vars(elsewhere)['RATE'] = $n",
         "mock.patch('elsewhere.RATE', $n).start()", "mock.patch.object(elsewhere, 'RATE', $n).start()", "sys.modules['elsewhere'].RATE = $n", "$conf = elsewhere.configure\n$conf($n)",
         "with elsewhere.rated($n):\n    elsewhere.RATE += $m", "elsewhere.HOOKS += [lambda x: $n]", "_ = elsewhere.configure($n)", "$hooks = elsewhere.HOOKS\n$hooks.append(lambda x: $n)",
         "from elsewhere import HOOKS as $h\n\n$h.append(lambda x: $n)", "elsewhere.register(lambda x: x - $n)", "$kept = elsewhere.register(lambda x: x + $n)", "exec('elsewhere.RATE = $n')",
         "for elsewhere.RATE in ($n, $m):\n    pass", "list(map(elsewhere.configure, [$n]))", "$configure = partial(elsewhere.configure, $n)\n$configure()", "[elsewhere.configure($i) for $i in ($n, $m)]",
         "class $C:\n    elsewhere.configure($n)", "def $f(x=elsewhere.configure($n)):\n    return x", "if elsewhere.configure($n) is None:\n    pass", "elsewhere.HOOKS.insert(0, partial(operator.mul, $n))"),
        ("elsewhere.total($n)", "elsewhere.RATE", "$o($n)", "len(elsewhere.HOOKS)"),
    ),
    "outside instance": Kind(
        ("$o = elsewhere.Layer($n)", "$o = elsewhere.Layer()\n$o.size = $n", "class $Own(elsewhere.Layer):\n    def count(self):\n        return super().count() * $n\n\n\n$o = $Own($m)"),
        ("$o.add($n)", "$o.add(elsewhere.Layer($n))", "$o.size = $n", "$kept = $o.add($n)", "$o.parts.append($n)", "elsewhere.Layer.add($o, $n)", "$o.add($n).add($m)", "$o.parts += [$n]",
         "elsewhere.grow($o.parts, $n)", "$inner = elsewhere.Layer($n)\n$o.add($inner)\n$inner.add($m)"),
        ("$o.count()", "$o.size", "len($o.parts)"),
        (("", "$o.add", "adder"), ("", "$o.parts", "list"), ("$same = $o.add(0)", "$same", "outside instance")),
    ),
}  # fmt: skip

# Another name or place for the same object: a statement, and an expression of the object.
ALIASES = {
    "assigned": ("$a = $o", "$a"),
    "annotated": ("$a: object = $o", "$a"),
    "unpacked": ("$a, $b = $o, $n", "$a"),
    "unpacked list": ("[$a, *$b] = [$o, $n, $m]", "$a"),
    "starred": ("$a, *$b = $n, $o", "$b[0]"),
    "nested unpacking": ("($a, ($b, $c)) = $n, ($m, $o)", "$c"),
    "chained assignment": ("$a = $b = $o", "$b"),
    "twice": ("$a, $b = $o, $o", "$b"),
    "walrus": ("if ($a := $o) is not None:\n    pass", "$a"),
    "loop": ("for $a in ($o,):\n    pass", "$a"),
    "loop over pairs": ("for $a, $b in [($n, $o)]:\n    pass", "$b"),
    "enumerated": ("for $i, $a in enumerate([$o]):\n    pass", "$a"),
    "with": ("with nullcontext($o) as $a:\n    pass", "$a"),
    "own context manager": ("@contextmanager\ndef $lend():\n    yield $o\n\n\nwith $lend() as $a:\n    pass", "$a"),
    "exit stack": ("with ExitStack() as $stack:\n    $a = $stack.enter_context(nullcontext($o))", "$a"),
    "returned": ("def $get():\n    return $o", "$get()"),
    "returned on a condition": ("def $get(x=$n):\n    if x > 99:\n        return None\n    return $o", "$get()"),
    "lambda": ("$get = lambda: $o", "$get()"),
    "identity": ("def $same(x):\n    return x\n\n\n$a = $same($o)", "$a"),
    "identity of another's": ("$a = copy.copy(($o,))[0]", "$a"),
    "closure": ("def $outer(x):\n    def inner():\n        return x\n    return inner\n\n\n$get = $outer($o)", "$get()"),
    "default": ("def $get(x=$o):\n    return x", "$get()"),
    "partial": ("def $same(x):\n    return x\n\n\n$get = partial($same, $o)", "$get()"),
    "global statement": ("def $bind():\n    global $a\n    $a = $o\n\n\n$bind()", "$a"),
    "globals": ("globals()['$a'] = $o\n$a = $a", "$a"),
    "attribute": ("$box = SimpleNamespace(item=$o)", "$box.item"),
    "attribute set later": ("$box = SimpleNamespace()\n$box.item = $o", "$box.item"),
    "attribute of an instance": ("class $Box:\n    def __init__(self, item):\n        self.item = item\n\n\n$box = $Box($o)", "$box.item"),
    "attribute of a class": ("class $Box:\n    item = $o", "$Box.item"),
    "inherited attribute": ("class $Box:\n    item = $o\n\n\nclass $Sub($Box):\n    pass", "$Sub().item"),
    "dataclass": ("@dataclasses.dataclass\nclass $Box:\n    item: object\n\n\n$box = $Box($o)", "$box.item"),
    "default factory": ("@dataclasses.dataclass\nclass $Box:\n    item: object = dataclasses.field(default_factory=lambda: $o)", "$Box().item"),
    "named tuple": ("$Box = namedtuple('$Box', 'item')\n$box = $Box($o)", "$box.item"),
    "typed named tuple": ("class $Box(typing.NamedTuple):\n    item: object\n\n\n$box = $Box($o)", "$box[0]"),
    "property": ("class $Box:\n    @property\n    def item(self):\n        return $o", "$Box().item"),
    "cached property": ("class $Box:\n    @functools.cached_property\n    def item(self):\n        return $o\n\n\n$box = $Box()", "$box.item"),
    "static method": ("class $Box:\n    @staticmethod\n    def item():\n        return $o", "$Box.item()"),
    "class getter": ("class $Box:\n    def __class_getitem__(cls, key):\n        return $o", "$Box[0]"),
    "getitem": ("class $Box:\n    def __getitem__(self, key):\n        return $o\n\n\n$box = $Box()", "$box[0]"),
    "getattr": ("class $Box:\n    def __getattr__(self, name):\n        return $o\n\n\n$box = $Box()", "$box.item"),
    "descriptor": ("class $Get:\n    def __get__(self, *given):\n        return $o\n\n\nclass $Box:\n    item = $Get()", "$Box().item"),
    "iter": ("class $Box:\n    def __iter__(self):\n        yield $o\n\n\n[$a] = $Box()", "$a"),
    "enter": ("class $Box:\n    def __enter__(self):\n        return $o\n\n    def __exit__(self, *error):\n        pass\n\n\nwith $Box() as $a:\n    pass", "$a"),
    "call": ("class $Box:\n    def __call__(self):\n        return $o\n\n\n$box = $Box()", "$box()"),
    "dict": ("$d = {'k': $o}", "$d['k']"),
    "dict get": ("$d = {'k': $o}", "$d.get('k')"),
    "dict set later": ("$d = {}\n$d['k'] = $o", "$d['k']"),
    "dict update": ("$d = {}\n$d.update(k=$o)", "$d['k']"),
    "dict values": ("$d = dict(k=$o)\n[$a] = $d.values()", "$a"),
    "dict pop": ("$d = dict(k=$o)\n$a = $d.pop('k')", "$a"),
    "dict setdefault": ("$d = {}\n$a = $d.setdefault('k', $o)", "$a"),
    "dict merged": ("$d = {**{'k': $o}}", "$d['k']"),
    "dict comprehension": ("$d = {key: item for key, item in [('k', $o)]}", "$d['k']"),
    "list": ("$l = [$o, $n]", "$l[0]"),
    "list append": ("$l = []\n$l.append($o)", "$l[-1]"),
    "list pop": ("$l = [$o]\n$a = $l.pop()", "$a"),
    "list comprehension": ("$l = [item for item in [$o]]", "$l[0]"),
    "list times": ("$l = [$o] * 2", "$l[1]"),
    "list sum": ("$l = [$n] + [$o]", "$l[1]"),
    "list spread": ("$l = [$n, *[$o]]", "$l[1]"),
    "list of a list": ("$l = list([$o])", "$l[0]"),
    "tuple": ("$t = ($o, $n)", "$t[0]"),
    "nested containers": ("$d = {'k': [($n, $o)]}", "$d['k'][0][1]"),
    "deque": ("$q = deque([$o])\n$a = $q[0]", "$a"),
    "next": ("$a = next(iter([$o]))", "$a"),
    "max": ("$a = max([$o], key=id)", "$a"),
    "sorted": ("[$a] = sorted([$o], key=id)", "$a"),
    "zip": ("for $a, $b in zip([$o], [$n]):\n    pass", "$a"),
    "chain": ("[$a] = itertools.chain([$o])", "$a"),
    "map": ("[$a] = map(lambda x: x, [$o])", "$a"),
    "reduce": ("$a = reduce(lambda x, y: y, [$n, $o])", "$a"),
    "itemgetter": ("$a = operator.itemgetter(0)([$o])", "$a"),
    "attrgetter": ("$a = operator.attrgetter('item')(SimpleNamespace(item=$o))", "$a"),
    "conditional": ("$a = $o if $n else None", "$a"),
    "or": ("$a = None or $o", "$a"),
    "and": ("$a = $n and $o", "$a"),
    "if": ("if $n > 99:\n    $a = None\nelse:\n    $a = $o", "$a"),
    "try": ("try:\n    $a = $o\nexcept NameError:\n    $a = None", "$a"),
    "match": ("match $o:\n    case $a:\n        pass", "$a"),
    "match in a sequence": ("match [$n, $o]:\n    case [_, $a]:\n        pass", "$a"),
    "generator": ("def $gen():\n    yield $o\n\n\n$a = next($gen())", "$a"),
    "yield from": ("def $gen():\n    yield from [$o]\n\n\nfor $a in $gen():\n    pass", "$a"),
    "recursion": ("def $get(x=$n):\n    return $get(x - 1) if x > 0 else $o", "$get()"),
    "cached function": ("@functools.lru_cache\ndef $get():\n    return $o", "$get()"),
    "context variable": ("$var = contextvars.ContextVar('$var', default=$o)", "$var.get()"),
    "context variable set": ("$var = contextvars.ContextVar('$var')\n$var.set($o)", "$var.get()"),
    "function attribute": ("def $f():\n    pass\n\n\n$f.item = $o", "$f.item"),
    "keyword": ("def $get(**given):\n    return given['item']\n\n\n$a = $get(item=$o)", "$a"),
    "star arguments": ("def $get(*given):\n    return given[0]\n\n\n$a = $get(*[$o])", "$a"),
    "setattr": ("$box = SimpleNamespace()\nsetattr($box, 'item', $o)", "$box.item"),
    "vars": ("$box = SimpleNamespace()\nvars($box)['item'] = $o", "$box.item"),
    "enumeration": ("class $E(enum.Enum):\n    A = ($o, $n)", "$E.A.value[0]"),
    "constructor of another's": ("$chain = collections.ChainMap({'k': $o})", "$chain['k']"),
    "mapping proxy": ("$proxy = types.MappingProxyType({'k': $o})", "$proxy['k']"),
    "user dict": ("$d = collections.UserDict(k=$o)", "$d['k']"),
    "singleton": ("class $One:\n    made = None\n\n    def __new__(cls):\n        if cls.made is None:\n            cls.made = super().__new__(cls)\n            cls.made.item = $o\n        return cls.made", "$One().item"),
    "init subclass": ("class $Base:\n    def __init_subclass__(cls, item, **more):\n        super().__init_subclass__(**more)\n        cls.item = item\n\n\nclass $Sub($Base, item=$o):\n    pass", "$Sub.item"),
    "decorator": ("def $with(f):\n    f.item = $o\n    return f\n\n\n@$with\ndef $f():\n    pass", "$f.item"),
    "patched": ("$box = SimpleNamespace(item=None)\nmock.patch.object($box, 'item', $o).start()", "$box.item"),
    "object array": ("$arr = np.empty(1, dtype=object)\n$arr[0] = $o", "$arr[0]"),
    "eval": ("$a = eval('$o')", "$a"),
    "exec": ("exec('$a = $o')\n$a = $a", "$a"),
    "type": ("$Box = type('$Box', (), {'item': $o})", "$Box.item"),
    "weak value": ("$d = {'k': (lambda: $o)}", "$d['k']()"),
    "thread": ("$l = []\n$worker = threading.Thread(target=$l.append, args=($o,))\n$worker.start()\n$worker.join()", "$l[0]"),
    "copied outer": ("$outer = [$o]\n$copied = copy.copy($outer)", "$copied[0]"),
    "slice": ("$outer = [$n, $o]\n$part = $outer[1:]", "$part[0]"),
    "reversed": ("[$a, $b] = reversed([$n, $o])", "$a"),
    "filter": ("[$a] = filter(lambda x: True, [$o])", "$a"),
    "in an except": ("try:\n    raise LookupError($o)\nexcept LookupError as error:\n    $a = error.args[0]", "$a"),
    "another's namespace": ("elsewhere.kept = $o", "elsewhere.kept"),
    "another's table": ("elsewhere.TABLE['k'] = $o", "elsewhere.TABLE['k']"),
    "nonlocal": ("def $outer():\n    $a = None\n    def inner():\n        nonlocal $a\n        $a = $o\n    inner()\n    return $a", "$outer()"),
    "async": ("async def $get():\n    return $o\n\n\ntry:\n    $get().send(None)\nexcept StopIteration as stop:\n    $a = stop.value", "$a"),
    "metaclass": ("class $Meta(type):\n    @property\n    def item(cls):\n        return $o\n\n\nclass $Box(metaclass=$Meta):\n    pass", "$Box.item"),
    "parameter of a method": ("class $Box:\n    def take(self, item):\n        self.item = item\n        return self\n\n\n$box = $Box()\n$box.take($o)", "$box.item"),
    "mutable default": ("def $keep(item=None, kept=[]):\n    if item is not None:\n        kept.append(item)\n    return kept[0]\n\n\n$keep($o)", "$keep()"),
    "del": ("$b = $a = $o\ndel $b", "$a"),
}  # fmt: skip

# Where a statement stands, and what the object is called there.
PLACES = {
    "loop": ("for $i in range(2):\n    $s", "$o"),
    "if": ("if $n:\n    $s", "$o"),
    "else": ("if $n > 99:\n    pass\nelse:\n    $s", "$o"),
    "try": ("try:\n    $s\nfinally:\n    pass", "$o"),
    "except": ("try:\n    [][0]\nexcept IndexError:\n    $s", "$o"),
    "with": ("with nullcontext():\n    $s", "$o"),
    "loop over it": ("for $t in ($o,):\n    $s", "$t"),
    "loop over pairs": ("for $u, $t in [($n, $o)]:\n    $s", "$t"),
    "with it": ("with nullcontext($o) as $t:\n    $s", "$t"),
    "walrus": ("if ($t := $o) is not None:\n    $s", "$t"),
    "match": ("match $o:\n    case $t:\n        $s", "$t"),
    "local alias": ("def $f():\n    $t = $o\n    $s\n\n\n$f()", "$t"),
    "function": ("def $f():\n    $s\n\n\n$f()", "$o"),
    "function called twice": ("def $f():\n    $s\n\n\nfor $i in range(2):\n    $f()", "$o"),
    "function whose result is used": ("def $f():\n    $s\n    return $n\n\n\n$kept = $f()", "$o"),
    "argument": ("def $f($p):\n    $s\n\n\n$f($o)", "$p"),
    "argument whose result is used": ("def $f($p):\n    $s\n    return $n\n\n\n$kept = $f($o)", "$p"),
    "keyword": ("def $f(*, $p):\n    $s\n\n\n$f($p=$o)", "$p"),
    "star arguments": ("def $f(*$p):\n    $s\n\n\n$f($o)", "$p[0]"),
    "keywords": ("def $f(**$p):\n    $s\n\n\n$f(item=$o)", "$p['item']"),
    "passed on": ("def $f($p):\n    $s\n\n\ndef $g($q):\n    $f($q)\n\n\n$g($o)", "$p"),
    "passed in a list": ("def $f($p):\n    for $t in $p:\n        $s\n\n\n$f([$o])", "$t"),
    "default": ("def $f($p=$o):\n    $s\n\n\n$f()", "$p"),
    "nested function": ("def $f():\n    def inner():\n        $s\n    inner()\n\n\n$f()", "$o"),
    "closure": ("def $f($p):\n    def inner():\n        $s\n    return inner\n\n\n$g = $f($o)\n$g()", "$p"),
    "callback": ("def $f():\n    $s\n\n\ndef $run(function):\n    return function()\n\n\n$run($f)", "$o"),
    "callback in a list": ("def $f():\n    $s\n\n\nfor $g in [$f]:\n    $g()", "$o"),
    "callback in a dict": ("def $f():\n    $s\n\n\n$d = {'f': $f}\n$d['f']()", "$o"),
    "mapped": ("def $f($p):\n    $s\n\n\nlist(map($f, [$o]))", "$p"),
    "partial": ("def $f($p):\n    $s\n\n\n$g = partial($f, $o)\n$g()", "$p"),
    "method": ("class $C:\n    def run(self, $p):\n        $s\n\n\n$C().run($o)", "$p"),
    "method without an argument": ("class $C:\n    def run(self):\n        $s\n\n\n$C().run()", "$o"),
    "method of a module-level object": ("class $C:\n    def run(self, $p):\n        $s\n\n\n$c = $C()\n$c.run($o)", "$p"),
    "method on its attribute": ("class $C:\n    def __init__(self, item):\n        self.item = item\n\n    def run(self):\n        $s\n\n\n$C($o).run()", "self.item"),
    "constructor": ("class $C:\n    def __init__(self, $p):\n        $s\n\n\n$kept = $C($o)", "$p"),
    "constructor thrown away": ("class $C:\n    def __init__(self, $p):\n        $s\n\n\n$C($o)", "$p"),
    "post init": ("@dataclasses.dataclass\nclass $C:\n    item: object\n\n    def __post_init__(self):\n        $s\n\n\n$kept = $C($o)", "self.item"),
    "class method": ("class $C:\n    @classmethod\n    def run(cls):\n        $s\n\n\n$C.run()", "$o"),
    "static method": ("class $C:\n    @staticmethod\n    def run($p):\n        $s\n\n\n$C.run($o)", "$p"),
    "inherited method": ("class $B:\n    def run(self, $p):\n        $s\n\n\nclass $C($B):\n    pass\n\n\n$C().run($o)", "$p"),
    "overridden hook": ("class $B:\n    def run(self):\n        self.hook()\n\n    def hook(self):\n        pass\n\n\nclass $C($B):\n    def hook(self):\n        $s\n\n\n$C().run()", "$o"),
    "class body": ("class $C:\n    $s", "$o"),
    "class attribute": ("class $C:\n    item = $o\n\n    def run(self):\n        $s\n\n\n$C().run()", "self.item"),
    "init subclass": ("class $B:\n    def __init_subclass__(cls, **more):\n        super().__init_subclass__(**more)\n        $s\n\n\nclass $C($B):\n    pass", "$o"),
    "set name": ("class $D:\n    def __set_name__(self, owner, name):\n        $s\n\n\nclass $C:\n    item = $D()", "$o"),
    "metaclass": ("class $M(type):\n    def __new__(meta, *given):\n        $s\n        return super().__new__(meta, *given)\n\n\nclass $C(metaclass=$M):\n    pass", "$o"),
    "decorator": ("def $d(function):\n    $s\n    return function\n\n\n@$d\ndef $f():\n    pass", "$o"),
    "decorator with arguments": ("def $d($p):\n    def decorate(function):\n        $s\n        return function\n    return decorate\n\n\n@$d($o)\ndef $f():\n    pass", "$p"),
    "class decorator": ("def $d(cls):\n    $s\n    return cls\n\n\n@$d\nclass $C:\n    pass", "$o"),
    "wrapper": ("def $d(function):\n    @functools.wraps(function)\n    def wrapper(*given):\n        $s\n        return function(*given)\n    return wrapper\n\n\n@$d\ndef $f():\n    return $n\n\n\n$kept = $f()", "$o"),
    "property": ("class $C:\n    @property\n    def item(self):\n        $s\n        return $n\n\n\n$kept = $C().item", "$o"),
    "property for its effect": ("class $C:\n    @property\n    def item(self):\n        $s\n        return $n\n\n\n$C().item", "$o"),
    "setter": ("class $C:\n    @property\n    def item(self):\n        return 0\n\n    @item.setter\n    def item(self, $p):\n        $s\n\n\n$c = $C()\n$c.item = $o", "$p"),
    "setitem": ("class $C:\n    def __setitem__(self, key, $p):\n        $s\n\n\n$c = $C()\n$c[0] = $o", "$p"),
    "getitem": ("class $C:\n    def __getitem__(self, key):\n        $s\n        return key\n\n\n$kept = $C()[0]", "$o"),
    "call": ("class $C:\n    def __call__(self, $p):\n        $s\n\n\n$c = $C()\n$c($o)", "$p"),
    "enter": ("class $C:\n    def __enter__(self):\n        $s\n\n    def __exit__(self, *error):\n        pass\n\n\nwith $C():\n    pass", "$o"),
    "exit": ("@contextmanager\ndef $c():\n    yield\n    $s\n\n\nwith $c():\n    pass", "$o"),
    "context manager given": ("@contextmanager\ndef $c($p):\n    $s\n    yield\n\n\nwith $c($o):\n    pass", "$p"),
    "operator": ("class $C:\n    def __add__(self, $p):\n        $s\n        return $n\n\n\n$kept = $C() + $o", "$p"),
    "operator in place": ("class $C:\n    def __iadd__(self, $p):\n        $s\n        return self\n\n\n$c = $C()\n$c += $o", "$p"),
    "operator for its effect": ("class $C:\n    def __lshift__(self, $p):\n        $s\n\n\n$C() << $o", "$p"),
    "comparison": ("class $C:\n    def __eq__(self, $p):\n        $s\n        return True\n\n\n$kept = $C() == $o", "$p"),
    "bool": ("class $C:\n    def __bool__(self):\n        $s\n        return True\n\n\nif $C():\n    pass", "$o"),
    "format": ("class $C:\n    def __str__(self):\n        $s\n        return ''\n\n\n$kept = f'{$C()}'", "$o"),
    "iteration": ("class $C:\n    def __iter__(self):\n        $s\n        return iter(())\n\n\nfor $i in $C():\n    pass", "$o"),
    "generator": ("def $g():\n    $s\n    yield $n\n\n\nfor $i in $g():\n    pass", "$o"),
    "generator consumed": ("def $g():\n    $s\n    yield $n\n\n\n$kept = list($g())", "$o"),
    "sort key": ("def $key(x):\n    $s\n    return x\n\n\n$kept = sorted([$n, $m], key=$key)", "$o"),
    "recursion": ("def $f(x):\n    if x > 0:\n        $f(x - 1)\n        $s\n\n\n$f(2)", "$o"),
    "thread": ("def $f($p):\n    $s\n\n\n$worker = threading.Thread(target=$f, args=($o,))\n$worker.start()\n$worker.join()", "$p"),
    "async": ("async def $f($p):\n    $s\n\n\ntry:\n    $f($o).send(None)\nexcept StopIteration:\n    pass", "$p"),
    "exit stack": ("def $f($p):\n    $s\n\n\nwith ExitStack() as $stack:\n    $stack.callback($f, $o)", "$p"),
    "global list of hooks": ("def $f():\n    $s\n\n\n$hooks = []\n$hooks.append($f)\nfor $hook in $hooks:\n    $hook()", "$o"),
    "registry of hooks": ("$hooks = {}\n\n\ndef $on(name):\n    def decorate(function):\n        $hooks[name] = function\n        return function\n    return decorate\n\n\n@$on('start')\ndef $f():\n    $s\n\n\n$hooks['start']()", "$o"),
    "exec": ("def $f():\n    $s\n\n\nexec('$f()')", "$o"),
    "getattr by name": ("class $C:\n    def run(self):\n        $s\n\n\ngetattr($C(), 'r' + 'un')()", "$o"),
    "single dispatch": ("@functools.singledispatch\ndef $f(x):\n    pass\n\n\n@$f.register\ndef _(x: int):\n    $s\n\n\n$f(1)", "$o"),
    "mutable default": ("def $f($p=[]):\n    $p.append($o)\n    for $t in $p:\n        $s\n\n\n$f()", "$t"),
}  # fmt: skip

# Where an expression is evaluated for its effect.
SPOTS = {
    "kept": "$kept = $e",
    "lambda": "$f = lambda: $e\n$f()",
    "lambda at once": "(lambda: $e)()",
    "comprehension": "$kept = [$e for $i in range(2)]",
    "comprehension for its effect": "[$e for $i in range(2)]",
    "consumed generator": "any(None is $n for $i in [$e])",
    "default": "def $f(x=$e):\n    return x",
    "class attribute": "class $C:\n    kept = $e",
    "assert": "assert ($e, $n)",
    "condition": "if $e:\n    pass",
    "f-string": "$kept = f'{$e}'[:0]",
    "argument": "$kept = len([$e])",
    "argument for its effect": "print(end=str($e)[:0])",
    "log": "log.info('did %s', $e)",
    "log debug with text": "log.debug(f'did {$e}')",
    "tuple": "$kept, $rest = $e, $n",
    "dict": "$kept = {'k': $e}",
    "or": "None or $e",
    "ternary": "$e if $n else None",
    "subscript": "$kept = [$n, $m][:len([$e])]",
    "decorator": "@(lambda f: ($e, f)[1])\ndef $f():\n    pass",
    "annotation": "$kept: ($e) = $n",
    "parameter annotation": "def $f(x: ($e) = 1):\n    return x",
    "base": "class $C(*([$e] and [])):\n    pass",
    "walrus": "($kept := $e)",
    "returned": "def $f():\n    return $e\n\n\n$f()",
    "returned and kept": "def $f():\n    return $e\n\n\n$kept = $f()",
    "raise": "try:\n    raise ValueError($e)\nexcept ValueError:\n    pass",
    "iterated": "for $i in ($e,):\n    pass",
    "with": "with nullcontext($e):\n    pass",
    "match": "match $e:\n    case _:\n        pass",
    "star": "$kept = [*([$e] and [])]",
    "del": "$d = {0: $n}\ndel $d[0 * len([$e])]",
    "augmented": "$kept = [$n]\n$kept += [$e]",
    "eval": "eval(\"$e\")",
    "slice of a store": "$kept = [$n]\n$kept[0 * len([$e])] = $m",
    "yield": "def $g():\n    yield $e\n\n\nlist($g())",
    "chained comparison": "$kept = 1 < 2 < len([$e])",
}  # fmt: skip

# How another module is told of a name: an import statement and an expression.
IMPORTS = {
    "from import": ("from toy.$module import $name", "$name"),
    "from import as": ("from toy.$module import $name as $alias", "$alias"),
    "module attribute": ("from toy import $module", "$module.$name"),
    "import as": ("import toy.$module as $alias", "$alias.$name"),
    "import dotted": ("import toy.$module", "toy.$module.$name"),
    "relative": ("from .$module import $name", "$name"),
    "relative module": ("from . import $module as $alias", "$alias.$name"),
    "star": ("from toy.$module import *", "$name"),
    "re-exported": ("from toy.hub import $name", "$name"),
    "re-exported by star": ("from toy.stars import $name", "$name"),
    "re-exported under an alias": ("from toy.hub import again_$name", "again_$name"),
    "module of a hub": ("from toy import hub", "hub.$name"),
    "module of a module": ("from toy import hub", "hub.$module.$name"),
    "import_module": ("import importlib", "importlib.import_module('toy.$module').$name"),
    "import_module kept": ("import importlib\n$alias = importlib.import_module('toy.$module')", "$alias.$name"),
    "__import__": ("", "__import__('toy.$module', fromlist=['x']).$name"),
    "sys.modules": ("from toy import $module", "sys.modules['toy.$module'].$name"),
    "getattr": ("from toy import $module", "getattr($module, '$name')"),
    "getattr computed": ("from toy import $module", "getattr($module, ''.join('$name'))"),
    "module dict": ("from toy import $module", "$module.__dict__['$name']"),
    "vars": ("from toy import $module", "vars($module)['$name']"),
    "module in a dict": ("from toy import $module\n$alias = {'m': $module}", "$alias['m'].$name"),
    "module aliased": ("from toy import $module\n$alias = $module", "$alias.$name"),
    "try": ("try:\n    from toy.$module import $name\nexcept ImportError:\n    $name = None", "$name"),
    "eval": ("from toy import $module", "eval('$module.$name')"),
    "globals": ("from toy.$module import $name", "globals()['$name']"),
    "module getattr": ("from toy import lazy", "lazy.$name"),
    "found by a loop": ("from toy import hub\nfor $alias in [hub.$module]:\n    pass", "$alias.$name"),
}  # fmt: skip

# What a function made inside another closes over.
VALUES = {
    "int": ("$n", "v + 1"),
    "list": ("[$n, $m]", "v"),
    "dict": ("{'b': $n, 'a': $m}", "list(v.items())"),
    "array": ("np.array([$n, $m])", "v.tolist()"),
    "array type": ("np.arange($n, dtype='f4')", "(v.dtype.str, v.tolist())"),
    "scalar": ("np.float32($n)", "repr(v)"),
    "date": ("datetime.date(2020, 1, $n)", "v.isoformat()"),
    "time delta": ("datetime.timedelta(hours=$n)", "v.total_seconds()"),
    "pattern": ("re.compile('a{$n}')", "bool(v.match('aaaa'))"),
    "OrderedDict": ("OrderedDict(b=$n, a=$m)", "list(v.items())"),
    "Counter": ("Counter(a=$n)", "dict(v)"),
    "defaultdict": ("defaultdict(lambda: $n)", "v['q']"),
    "deque": ("deque([$n, $m], maxlen=$k)", "(list(v), v.maxlen)"),
    "namespace": ("SimpleNamespace(size=$n)", "v.size"),
    "decimal": ("decimal.Decimal('$n.5')", "str(v)"),
    "fraction": ("fractions.Fraction($n, 7)", "str(v)"),
    "slice": ("slice($n, None)", "list(range(12))[v]"),
    "set of tuples": ("{($n, $m), (1, 2)}", "sorted(v)"),
    "frozenset": ("frozenset({$n})", "sorted(v)"),
    "bytearray": ("bytearray([$n])", "bytes(v)"),
    "path": ("Path('x$n')", "str(v)"),
    "lambda": ("lambda x: x + $n", "v(1)"),
    "lambda with a default": ("lambda x, y=$n: x + y", "v(1)"),
    "partial": ("partial(operator.add, $n)", "v(1)"),
    "itemgetter": ("operator.itemgetter($n % 3)", "v('abc')"),
    "methodcaller": ("operator.methodcaller('zfill', $n)", "v('1')"),
    "bound method of text": ("'$n'.join", "v('ab')"),
    "bound method of a list": ("[$n, $m].count", "v(1)"),
    "dtype": ("np.dtype('i4') if $n > 4 else np.dtype('f8')", "v.str"),
    "ufunc": ("np.add if $n > 4 else np.multiply", "float(v(2, 3))"),
    "class made": ("type('Made', (), {'size': $n})", "v.size"),
    "named tuple made": ("namedtuple('Made', 'size')($n)", "v.size"),
    "generator": ("(i * $n for i in range(9))", "next(v)"),
    "iterator": ("iter([$n, $m])", "next(v)"),
    "rng": ("random.Random($n)", "v.random()"),
    "default rng": ("np.random.default_rng($n)", "float(v.random())"),
    "float nan": ("float('nan') * $n", "repr(v)"),
    "complex": ("complex($n, -0.0)", "repr(v)"),
    "mapping proxy": ("types.MappingProxyType({'a': $n})", "v['a']"),
    "layer of another's": ("elsewhere.Layer($n)", "v.count()"),
    "memoryview": ("memoryview(bytes([$n]))", "bytes(v)"),
    "exception": ("ValueError($n)", "v.args"),
    "local function": ("(lambda k: (lambda x: x + k))($n)", "v(1)"),
    "nested": ("{'a': [SimpleNamespace(t=($n,))]}", "v['a'][0].t"),
    "self containing": ("(lambda l: (l.append(l), l)[1])([$n])", "v[0]"),
    "contextvar": ("contextvars.ContextVar('v', default=$n)", "v.get()"),
    "weak reference": ("weakref.ref(elsewhere.Thing) if $n else None", "v() is not None"),
}  # fmt: skip

# Statements that a class holds for its values: bound to a name, then a factory is handed them.
VALUE_CLASSES = {
    "plain object": ("class $C:\n    def __init__(self, x):\n        self.x = x\n\n    def run(self):\n        return self.x + $m\n\n\n$a = $C($n)", "v.run()"),
    "object with slots": ("class $C:\n    __slots__ = ('x',)\n\n    def __init__(self, x):\n        self.x = x\n\n\n$a = $C($n)", "v.x"),
    "dataclass": ("@dataclasses.dataclass\nclass $C:\n    x: int = $n\n    y: object = dataclasses.field(default=$m, repr=False, compare=False)\n\n\n$a = $C()", "(v.x, v.y)"),
    "dataclass with more": ("@dataclasses.dataclass\nclass $C:\n    x: int = $n\n\n    def __post_init__(self):\n        self.more = self.x * $m\n\n\n$a = $C()", "v.more"),
    "subclass of a dict": ("class $C(dict):\n    size = $n\n\n\n$a = $C(k=$m)", "(dict(v), v.size)"),
    "subclass of an int": ("class $C(int):\n    def twice(self):\n        return self * $n\n\n\n$a = $C($m)", "v.twice()"),
    "subclass of a list": ("class $C(list):\n    pass\n\n\n$a = $C([$n])\n$a.extra = $m", "(list(v), v.extra)"),
    "named tuple with a method": ("class $C(typing.NamedTuple):\n    x: int = $n\n\n    def run(self):\n        return self.x * $m\n\n\n$a = $C()", "v.run()"),
    "enum member": ("class $C(enum.Enum):\n    A = $n\n    B = $m\n\n    def run(self):\n        return self.value * $k\n\n\n$a = $C.A", "v.run()"),
    "enum member with state": ("class $C(enum.Enum):\n    A = 1\n\n\n$C.A.extra = $n\n$a = $C.A", "v.extra"),
    "class": ("class $a:\n    x = $n", "v.x"),
    "class changed": ("class $a:\n    x = 1\n\n\n$a.x = $n", "v.x"),
    "bound method": ("class $C:\n    def __init__(self):\n        self.x = $n\n\n    def run(self):\n        return self.x + $m\n\n\n$a = $C().run", "v()"),
    "callable object": ("class $C:\n    def __init__(self, x):\n        self.x = x\n\n    def __call__(self):\n        return self.x + $m\n\n\n$a = $C($n)", "v()"),
    "function": ("def $a():\n    return $n", "v()"),
    "function with a default": ("def $a(x=$n, *, y=$m):\n    return x + y", "v()"),
    "function with a bound default": ("$d = [$n]\n\n\ndef $a(x=$d):\n    return list(x)\n\n\n$d.append($m)", "v()"),
    "function with an attribute": ("def $a():\n    return $a.size\n\n\n$a.size = $n", "v()"),
    "closure": ("def $make(k):\n    def inner():\n        return k + $m\n    return inner\n\n\n$a = $make($n)", "v()"),
    "closure over a list": ("def $make(k):\n    def inner():\n        return list(k)\n    return inner\n\n\n$l = [$n]\n$a = $make($l)\n$l.append($m)", "v()"),
    "wrapped": ("def $twice(f):\n    @functools.wraps(f)\n    def inner():\n        return f() * $m\n    return inner\n\n\n@$twice\ndef $a():\n    return $n", "v()"),
    "cached": ("@functools.cache\ndef $a():\n    return $n", "v()"),
    "cached method": ("class $C:\n    @functools.cached_property\n    def x(self):\n        return $n\n\n\n$a = $C()", "v.x"),
    "class method": ("class $C:\n    x = $n\n\n    @classmethod\n    def run(cls):\n        return cls.x + $m\n\n\n$a = $C.run", "v()"),
    "partial of a function": ("def $f(x, y):\n    return x * y\n\n\n$a = partial($f, $n, y=$m)", "v()"),
    "single dispatch": ("@functools.singledispatch\ndef $a(x=0):\n    return $n\n\n\n@$a.register\ndef _(x: int):\n    return $m", "v(1)"),
    "object of objects": ("class $C:\n    def __init__(self, x, inner=None):\n        self.x, self.inner = x, inner\n\n\n$a = $C($n, $C([$m]))", "(v.x, v.inner.x)"),
    "property": ("class $C:\n    def __init__(self):\n        self._x = $n\n\n    @property\n    def x(self):\n        return self._x\n\n\n$a = $C()", "v.x"),
    "list of functions": ("def $f(x):\n    return x + $n\n\n\n$a = [$f, lambda x: x * $m]", "[f(1) for f in v]"),
    "pydantic model": ("import pydantic\n\n\nclass $C(pydantic.BaseModel):\n    x: int = $n\n    _hidden: int = pydantic.PrivateAttr($m)\n\n\n$a = $C()", "(v.x, v._hidden)"),
    "pydantic model with an excluded field": ("import pydantic\n\n\nclass $C(pydantic.BaseModel):\n    x: int = pydantic.Field($n, exclude=True)\n\n\n$a = $C()", "v.x"),
    "instance changed later": ("class $C:\n    x = 1\n\n\n$a = $C()\n$a.x = $n", "v.x"),
    "coroutine function": ("async def $a():\n    return $n", "(lambda c: (c.close(), v.__name__[0])[1])(v())"),
    "generator function": ("def $a():\n    yield $n\n    yield from range($m)", "list(v())"),
    "module": ("$b = $n\nimport toy.helpers as $a\n\n$a.size = $m", "v.size"),
}  # fmt: skip

# Functions that make a stage which closes over `v`.
FACTORIES = (
    "def $make(v):\n    def stage():\n        return [$read]\n    return stage",
    "def $make(v):\n    def inner():\n        return $read\n\n    def stage():\n        return [inner()]\n    return stage",
    "def $make(*given, **named):\n    v = given[0]\n\n    def stage():\n        return [$read]\n    return stage",
)

# Code without state, whose result depends on what is edited.
CODE = {
    "constant": ("$a = $n", "$a"),
    "constant of a constant": ("$b = $n\n$a = $b * $m", "$a"),
    "function": ("def $f(x):\n    local = x * $n\n    return local + $m", "$f($n)"),
    "function with docs": ("def $f(x):\n    '''Do it.'''\n    # as written\n    return x - $m", "$f($n)"),
    "function that logs": ("def $f(x):\n    log.info('value is %s', x)\n    log.debug(f'and {x}')\n    return x - $m", "$f($n)"),
    "function that prints": ("def $f(x):\n    print('value', x, end='', file=io.StringIO())\n    return x - $m", "$f($n)"),
    "annotated function": ("def $f(x: int, y: 'float' = $n) -> list[int]:\n    z: int = x\n    return [z, y]", "$f($m)"),
    "keyword arguments": ("def $f(*, a=$n, b=$m):\n    return a - b", "$f(b=$n, a=$m)"),
    "else after return": ("def $f(x):\n    if x > $n:\n        return 'big'\n    else:\n        return 'small'", "$f($m)"),
    "seconds": ("$a = 60 * 60\n$b = 24 * $a", "$b"),
    "class": ("class $C:\n    size = $n\n\n    def first(self):\n        return self.size\n\n    def second(self):\n        return self.first() * $m", "$C().second()"),
    "unused method": ("class $C:\n    def used(self):\n        return $n\n\n    def unused(self):\n        return $m", "$C().used()"),
    "dispatch table": ("def $f(x):\n    return x + $n\n\n\ndef $g(x):\n    return x * $m\n\n\n$table = {'f': $f, 'g': $g}", "$table['f'](1)"),
    "enum": ("class $E(enum.Enum):\n    A = $n\n    B = $m", "$E.A.value"),
    "exception": ("class $Wrong(ValueError):\n    pass\n\n\ndef $f(x):\n    if x < 0:\n        raise $Wrong(f'wrong {x}')\n    return x", "$f($n)"),
    "exception shown": ("def $f(x):\n    try:\n        raise ValueError('code $n')\n    except ValueError as error:\n        return str(error)", "$f($m)"),
    "comprehension": ("$a = [i * $n for i in range($m) if i % 2]", "$a"),
    "generator": ("def $gen(x):\n    for i in range(x):\n        yield i * $n", "list($gen($m))"),
    "closure": ("def $make(k):\n    def inner(x):\n        return x + k\n    return inner\n\n\n$f = $make($n)", "$f($m)"),
    "decorated": ("def $twice(f):\n    def inner(*given):\n        return f(*given) * $n\n    return inner\n\n\n@$twice\ndef $f(x):\n    return x + $m", "$f($k)"),
    "recursion": ("def $f(x):\n    return x and $f(x - 1) + $n", "$f($m)"),
    "mutual recursion": ("def $f(x):\n    return x if x <= 0 else $g(x - 1) + $n\n\n\ndef $g(x):\n    return x if x <= 0 else $f(x - 2) * $m", "$f(5)"),
    "text": ("$a = 'width: {}'.format($n)", "$a"),
    "doc used": ("def $f():\n    '''Doc $n.'''", "$f.__doc__"),
    "annotation used": ("class $C:\n    x: int = $n\n    y: 'str' = $m", "[*$C.__annotations__]"),
    "name used": ("def $f():\n    return $n", "$f.__name__[:1]"),
    "sorted by key": ("def $key(x):\n    return x * (-1) ** $n\n\n\n$a = sorted([$n, $m, $k], key=$key)", "$a"),
    "match": ("def $f(x):\n    match x:\n        case [$n, *rest]:\n            return rest\n        case int(y) if y > $m:\n            return y\n        case _:\n            return None", "[$f($n), $f([$n, 1])]"),
    "global changed by the stage": ("$count = $n\n\n\ndef $f():\n    global $count\n    $count += $m\n    return $count", "[$f(), $f()]"),
    "try order": ("try:\n    $a = [][$n]\nexcept LookupError:\n    $a = $m\nelse:\n    $a = 0\nfinally:\n    $b = $a + $k", "$b"),
    "while": ("def $f(x):\n    $i = 0\n    while $i < x:\n        $i += $n\n    return $i", "$f($m * 3)"),
    "star call": ("def $f(*given, **named):\n    return [*given, *named.items()]", "$f(*[$n, $m], b=$n, a=$k)"),
    "dict order": ("$d = {'b': $n, 'a': $m}", "list($d.items())"),
    "keyword order": ("$d = dict(b=$n, a=$m)", "list($d)"),
    "set": ("$s = {$n, $m}", "sorted($s)"),
    "pattern": ("$pattern = re.compile('a{$n}')", "bool($pattern.match('aaaaa'))"),
    "np": ("$a = np.linspace(0, $n, 3)", "$a.tolist()"),
    "super": ("class $A:\n    def run(self):\n        return $n\n\n\nclass $B($A):\n    def run(self):\n        return super().run() + $m", "$B().run()"),
    "multiple inheritance": ("class $A:\n    def run(self):\n        return $n\n\n\nclass $B:\n    def run(self):\n        return $m\n\n\nclass $C($A, $B):\n    pass", "$C().run()"),
    "order of decorators": ("def $p(f):\n    return lambda: f() + $n\n\n\ndef $q(f):\n    return lambda: f() * $m\n\n\n@$p\n@$q\ndef $f():\n    return $k", "$f()"),
    "conditional definition": ("if $n > 5:\n    def $f():\n        return $m\nelse:\n    def $f():\n        return $k", "$f()"),
    "redefinition": ("def $f():\n    return $n\n\n\n$g = $f\n\n\ndef $f():\n    return $m", "[$f(), $g()]"),
    "rebinding": ("$a = $n\n$b = $a\n$a = $m", "[$a, $b]"),
    "late binding": ("$fs = [lambda: i * $n for i in range($m)]", "$fs[0]()"),
    "eval": ("$a = $n\n\n\ndef $f():\n    return eval('$a + $m')", "$f()"),
    "exec of a definition": ("exec('def $f():\\n    return $n')\n$f = $f", "$f()"),
    "getattr by name": ("class $C:\n    def run_a(self):\n        return $n\n\n    def run_b(self):\n        return $m\n\n\ndef $f(which):\n    return getattr($C(), 'run_' + which)()", "$f('a')"),
    "globals": ("def $f():\n    return $n\n\n\ndef $g(which):\n    return globals()['$f'[:1] + which]()", "$g('$f'[1:])"),
    "global number in a function of another": ("$a = $n\n\n\ndef $f():\n    return $g() + $a\n\n\ndef $g():\n    return $a * $m", "$f()"),
    "function with state in itself": ("def $f():\n    $f.calls += $n\n    return $f.calls\n\n\n$f.calls = $m", "[$f(), $f()]"),
    "class counter": ("class $C:\n    made = 0\n\n    def __init__(self):\n        type(self).made += $n", "[$C(), $C.made][1]"),
    "source read": ("import inspect\n\n\ndef $f():\n    return $n  # note\n", "len(inspect.getsource($f))"),
    "default changed by a call": ("def $f(x, seen=[$n]):\n    seen.append(x)\n    return list(seen)\n\n\n$f($m)", "$f($k)"),
    "callbacks by name": ("def on_$x(y):\n    return y + $n\n\n\n$names = ['on_$x']\n$hooks = [globals()[name] for name in $names]", "[hook($m) for hook in $hooks]"),
}  # fmt: skip
