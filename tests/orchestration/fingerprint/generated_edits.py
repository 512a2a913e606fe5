"""Edits of generated projects, each a small function; to add one, decorate it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.orchestration.fingerprint.generated_projects import PRELUDE, Draft, RefusedError

Edit = Callable[[Draft, dict[str, str]], dict[str, str]]
TreeEdit = Callable[[Random, ast.Module], None]

EDITS: dict[str, Edit] = {}
"""Edits by name: each gives the files of the project with something changed, or is refused."""
WEIGHTS: dict[str, int] = {}


def edit(weight: int) -> Callable[[Edit], Edit]:
    """Register an edit of a whole project."""

    def register(function: Edit) -> Edit:
        name = function.__name__.replace("_", " ")
        EDITS[name], WEIGHTS[name] = function, weight
        return function

    return register


def tree_edit(weight: int) -> Callable[[TreeEdit], TreeEdit]:
    """Register an edit of the syntax of one module."""

    def register(function: TreeEdit) -> TreeEdit:
        def whole(draft: Draft, files: dict[str, str]) -> dict[str, str]:
            name = _some_file(draft.random, files)
            tree = ast.parse(files[name])
            function(draft.random, tree)
            return files | {name: ast.unparse(ast.fix_missing_locations(tree)) + "\n"}

        whole.__name__ = function.__name__
        edit(weight)(whole)
        return function

    return register


def _some_file(random: Random, files: dict[str, str]) -> str:
    found = [name for name, text in files.items() if len(text) > 12 and "helpers" not in name]
    weights = [len(files[name]) for name in found]
    return random.choices(found, weights)[0]


def _some(random: Random, options: list[Any]) -> Any:
    if not options:
        raise RefusedError("nothing to edit")
    return options[random.randrange(len(options))]


def _nodes(tree: ast.AST, *kinds: type) -> list[Any]:
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body:
                yield body


def _places(tree: ast.AST, imports: bool = False) -> list[tuple[list, int]]:
    """Every statement, as a list and the position in it."""
    return [
        (body, index)
        for body in _bodies(tree)
        for index, node in enumerate(body)
        if imports or not isinstance(node, ast.Import | ast.ImportFrom)
    ]


# -- edits that may change a result


@tree_edit(25)
def changed_number(random: Random, tree: ast.Module) -> None:
    """Another number."""
    numbers = [
        node
        for node in _nodes(tree, ast.Constant)
        if isinstance(node.value, int | float) and not isinstance(node.value, bool)
    ]
    node = _some(random, numbers)
    node.value = random.choice(
        [node.value + random.randint(1, 4), 0, node.value + 0.5, -node.value]
    )


@tree_edit(4)
def changed_text(random: Random, tree: ast.Module) -> None:
    """Another text."""
    node = _some(
        random,
        [node for node in _nodes(tree, ast.Constant) if isinstance(node.value, str)],
    )
    node.value = random.choice([node.value + "q", "x", "y", node.value[::-1]])


@tree_edit(14)
def removed_statement(random: Random, tree: ast.Module) -> None:
    """A statement less."""
    body, index = _some(random, _places(tree))
    del body[index]
    if not body:
        body.append(ast.Pass())


@tree_edit(3)
def removed_import(random: Random, tree: ast.Module) -> None:
    """An import less."""
    body, index = _some(
        random,
        [(b, i) for b, i in _places(tree, True) if isinstance(b[i], ast.Import | ast.ImportFrom)],
    )
    del body[index]
    if not body:
        body.append(ast.Pass())


@tree_edit(10)
def swapped_statements(random: Random, tree: ast.Module) -> None:
    """Two neighbouring statements exchanged."""
    body, index = _some(random, [(b, i) for b, i in _places(tree, True) if i + 1 < len(b)])
    body[index : index + 2] = body[index : index + 2][::-1]


@tree_edit(6)
def moved_statement(random: Random, tree: ast.Module) -> None:
    """A statement elsewhere in its block."""
    body, index = _some(random, _places(tree, True))
    body.insert(random.randrange(len(body)), body.pop(index))


@tree_edit(5)
def repeated_statement(random: Random, tree: ast.Module) -> None:
    """A statement twice, here or at the end of its block."""
    body, index = _some(random, _places(tree))
    body.insert(random.choice([index, len(body)]), body[index])


@edit(16)
def added_change(draft: Draft, files: dict[str, str]) -> dict[str, str]:
    """A statement that changes an object, anywhere in a module or a stage."""
    kept = draft.snapshot()
    try:
        item = draft.old(changeable=True)
        module = draft.module(item)
        text, names = draft.placed(draft.refer(item, module), item.kind, module)
        edited = dict(files)
        for where, head, _ in draft.pending:
            name = f"toy/{where}.py"
            if name not in edited:
                raise RefusedError("a new module")
            edited[name] = with_heads(head + "\n" + edited[name])
        name = f"toy/{module}.py"
        tree = ast.parse(edited[name])
        bodies = [tree.body] if draft.random.random() < 0.7 else [*_bodies(tree)]
        body = bodies[draft.random.randrange(len(bodies))]
        place = draft.random.choice([len(body), draft.random.randint(0, len(body))])
        if body is not tree.body:
            place = 0
        body[place:place] = ast.parse(text).body
        edited[name] = with_heads(ast.unparse(ast.fix_missing_locations(tree)) + "\n")
    finally:
        draft.__dict__.update(kept)
    draft.added = frozenset(names)
    return edited


def with_heads(text: str) -> str:
    """A module with the imports from other packages that an addition may need."""
    used = set(re.findall(r"(?<![.\w])[A-Za-z]\w*", text))
    heads = [line for known, line in PRELUDE if known in used and line.split("\n")[0] not in text]
    return "\n".join([*dict.fromkeys(heads), text])


@tree_edit(5)
def changed_operator(random: Random, tree: ast.Module) -> None:
    """Another operator."""
    node = _some(random, _nodes(tree, ast.BinOp, ast.AugAssign, ast.Compare, ast.BoolOp))
    if isinstance(node, ast.Compare):
        node.ops[0] = random.choice([ast.Lt(), ast.GtE(), ast.NotEq(), ast.Eq()])
    elif isinstance(node, ast.BoolOp):
        node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
    else:
        node.op = random.choice([ast.Sub(), ast.Mult(), ast.Add(), ast.BitOr()])


@tree_edit(6)
def replaced_name(random: Random, tree: ast.Module) -> None:
    """Another name of the module."""
    bound = sorted(
        {node.id for node in _nodes(tree, ast.Name) if isinstance(node.ctx, ast.Store)}
        | {node.name for node in _nodes(tree, ast.FunctionDef, ast.ClassDef)}
        | {
            alias.asname or alias.name
            for node in _nodes(tree, ast.ImportFrom)
            for alias in node.names
        }
    )
    node = _some(
        random, [n for n in _nodes(tree, ast.Name) if isinstance(n.ctx, ast.Load) and n.id in bound]
    )
    node.id = random.choice(bound)


@tree_edit(2)
def replaced_method(random: Random, tree: ast.Module) -> None:
    """Another attribute that the module uses."""
    found = _nodes(tree, ast.Attribute)
    node = _some(random, found)
    node.attr = _some(random, found).attr


@tree_edit(3)
def swapped_arguments(random: Random, tree: ast.Module) -> None:
    """Two arguments, items or targets exchanged."""
    lists = [
        getattr(node, field)
        for node in _nodes(tree, ast.Call, ast.Tuple, ast.List, ast.Set)
        for field in ("args", "elts")
        if len(getattr(node, field, ())) > 1
    ]
    items = _some(random, lists)
    index = random.randrange(len(items) - 1)
    items[index : index + 2] = items[index : index + 2][::-1]


@tree_edit(3)
def removed_argument(random: Random, tree: ast.Module) -> None:
    """An argument or item less."""
    lists = [
        getattr(node, field)
        for node in _nodes(tree, ast.Call, ast.Tuple, ast.List, ast.Set)
        for field in ("args", "elts", "keywords")
        if getattr(node, field, ())
    ]
    items = _some(random, lists)
    del items[random.randrange(len(items))]


@tree_edit(3)
def reordered_dict(random: Random, tree: ast.Module) -> None:
    """The entries of a dict in another order."""
    found = [n for n in _nodes(tree, ast.Dict) if len(n.keys) > 1]
    node = _some(random, found)
    index = random.randrange(len(node.keys) - 1)
    for items in (node.keys, node.values):
        items[index : index + 2] = items[index : index + 2][::-1]


@tree_edit(3)
def reordered_keywords(random: Random, tree: ast.Module) -> None:
    """The keyword arguments of a call in another order."""
    node = _some(random, [n for n in _nodes(tree, ast.Call) if len(n.keywords) > 1])
    node.keywords.reverse()


@tree_edit(2)
def removed_decorator(random: Random, tree: ast.Module) -> None:
    """A decorator less."""
    found = [n for n in _nodes(tree, ast.FunctionDef, ast.ClassDef) if n.decorator_list]
    node = _some(random, found)
    del node.decorator_list[random.randrange(len(node.decorator_list))]


@tree_edit(2)
def changed_target(random: Random, tree: ast.Module) -> None:
    """The targets of an unpacking exchanged, or a loop over fewer."""
    found = [
        n for n in _nodes(tree, ast.Tuple, ast.List) if isinstance(n.ctx, ast.Store) and n.elts
    ]
    node = _some(random, found)
    node.elts.reverse()


@tree_edit(2)
def changed_import(random: Random, tree: ast.Module) -> None:
    """Another name imported under the same name."""
    found = [
        (node, alias)
        for node in _nodes(tree, ast.ImportFrom)
        for alias in node.names
        if (node.module or "").startswith("toy.") and alias.name != "*"
    ]
    node, alias = _some(random, found)
    others = [other.name for n, other in found if n.module == node.module]
    kept = alias.asname or alias.name
    alias.name = random.choice(others)
    alias.asname = kept


@tree_edit(2)
def dropped_condition(random: Random, tree: ast.Module) -> None:
    """A condition turned round."""
    node = _some(random, _nodes(tree, ast.If, ast.IfExp, ast.While))
    node.test = ast.UnaryOp(ast.Not(), node.test)


@tree_edit(2)
def changed_base(random: Random, tree: ast.Module) -> None:
    """A base class less, or in another order."""
    node = _some(random, [n for n in _nodes(tree, ast.ClassDef) if n.bases])
    if len(node.bases) > 1 and random.random() < 0.5:
        node.bases.reverse()
    else:
        node.bases.pop()


@tree_edit(2)
def copied(random: Random, tree: ast.Module) -> None:
    """A value copied where it was shared."""
    found = [n for n in _nodes(tree, ast.Assign) if isinstance(n.value, ast.Name | ast.Attribute)]
    node = _some(random, found)
    node.value = ast.Call(ast.Name("list", ast.Load()), [node.value], [])


@tree_edit(2)
def early_return(random: Random, tree: ast.Module) -> None:
    """A function that returns before its last statement."""
    node = _some(random, [n for n in _nodes(tree, ast.FunctionDef) if len(n.body) > 1])
    node.body.insert(len(node.body) - 1, ast.Return(ast.Constant(random.randint(1, 9))))


@tree_edit(2)
def removed_global(random: Random, tree: ast.Module) -> None:
    """A function that rebinds a name of its own."""
    body, index = _some(
        random,
        [(b, i) for b, i in _places(tree) if isinstance(b[i], ast.Global | ast.Nonlocal)],
    )
    body[index] = ast.Pass()


@tree_edit(2)
def changed_default(random: Random, tree: ast.Module) -> None:
    """A default that becomes None or goes to another parameter."""
    node = _some(random, [n for n in _nodes(tree, ast.arguments) if n.defaults])
    node.defaults[-1] = ast.Constant(random.choice([None, 5, 0]))


# -- edits that change no result


@edit(6)
def renamed_anything(draft: Draft, files: dict[str, str]) -> dict[str, str]:
    """A name of the project, with all its uses."""
    names = sorted(name for name in draft.names if any(name in text for text in files.values()))
    if not names:
        raise RefusedError("no names")
    name = draft.pick(names)
    return {
        path: re.sub(rf"(?<![a-z]){name}\b", f"other_{name}", text) for path, text in files.items()
    }


@edit(3)
def renamed_local(draft: Draft, files: dict[str, str]) -> dict[str, str]:
    """A local variable or parameter of a function, with its uses there."""
    name = _some_file(draft.random, files)
    tree = ast.parse(files[name])
    function = _some(draft.random, _nodes(tree, ast.FunctionDef))
    stored = {n.id for n in _nodes(function, ast.Name) if isinstance(n.ctx, ast.Store)}
    stored -= {n for g in _nodes(function, ast.Global, ast.Nonlocal) for n in g.names}
    stored |= {a.arg for a in function.args.args}
    if _nodes(function, ast.FunctionDef, ast.ClassDef, ast.Lambda)[1:] or not stored:
        raise RefusedError("nothing local")
    old = draft.pick(sorted(stored))
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == old:
            node.id = f"other_{old}"
        elif isinstance(node, ast.arg) and node.arg == old:
            node.arg = f"other_{old}"
    return files | {name: ast.unparse(tree) + "\n"}


@tree_edit(2)
def log_text(random: Random, tree: ast.Module) -> None:
    """Another message in the log."""
    found = [
        node
        for node in _nodes(tree, ast.Call)
        if isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
        and node.args
    ]
    node = _some(random, found)
    text = [n for n in _nodes(node.args[0], ast.Constant) if isinstance(n.value, str)]
    _some(random, text).value = "another message %s" if len(node.args) > 1 else "another message"


@tree_edit(1)
def added_log(random: Random, tree: ast.Module) -> None:
    """A message more in the log."""
    function = _some(random, _nodes(tree, ast.FunctionDef))
    line = "import logging; logging.getLogger('x').info('begun')"
    function.body[0:0] = ast.parse(line).body


@tree_edit(1)
def docstring(random: Random, tree: ast.Module) -> None:
    """A docstring more."""
    function = _some(random, _nodes(tree, ast.FunctionDef, ast.ClassDef, ast.Module))
    function.body.insert(0, ast.Expr(ast.Constant("Explain it.")))


@edit(1)
def formatting(draft: Draft, files: dict[str, str]) -> dict[str, str]:
    """Comments and blank lines."""
    name = _some_file(draft.random, files)
    return files | {name: "# A comment.\n" + ast.unparse(ast.parse(files[name])) + "\n\n"}


@tree_edit(1)
def annotation(random: Random, tree: ast.Module) -> None:
    """A type hint more."""
    node = _some(random, [n for n in _nodes(tree, ast.arg) if n.annotation is None])
    node.annotation = ast.Name("object", ast.Load())


@tree_edit(2)
def unused_definition(random: Random, tree: ast.Module) -> None:
    """A function, a constant or a method that nobody uses."""
    text = random.choice(["def unused_one(x):\n    return x", "UNUSED_ONE = 5", "import json"])
    classes = _nodes(tree, ast.ClassDef)
    bodies = [tree.body, *(node.body for node in classes)]
    body = bodies[random.randrange(len(bodies))]
    if body is not tree.body:
        text = "def unused_method(self):\n    return 5"
    body.extend(ast.parse(text).body)


@tree_edit(2)
def reordered_methods(random: Random, tree: ast.Module) -> None:
    """Two methods of a class exchanged."""
    places = [
        (node.body, index)
        for node in _nodes(tree, ast.ClassDef)
        for index, inner in enumerate(node.body[:-1])
        if isinstance(inner, ast.FunctionDef) and isinstance(node.body[index + 1], ast.FunctionDef)
    ]
    body, index = _some(random, places)
    body[index : index + 2] = body[index : index + 2][::-1]


@tree_edit(1)
def else_after_return(random: Random, tree: ast.Module) -> None:
    """No else after a return."""
    places = [
        (body, index)
        for body, index in _places(tree)
        if isinstance(body[index], ast.If)
        and isinstance(body[index].body[-1], ast.Return)
        and body[index].orelse
    ]
    body, index = _some(random, places)
    body[index + 1 : index + 1] = body[index].orelse
    body[index].orelse = []


@tree_edit(1)
def folded_numbers(random: Random, tree: ast.Module) -> None:
    """A product written out."""
    found = [
        node
        for node in _nodes(tree, ast.BinOp)
        if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant)
    ]
    node = _some(random, found)
    value = eval(ast.unparse(node))
    node.left, node.op, node.right = ast.Constant(value), ast.Add(), ast.Constant(0 * value)


@tree_edit(1)
def local_of_an_expression(random: Random, tree: ast.Module) -> None:
    """What is returned, named first."""
    places = [(b, i) for b, i in _places(tree) if isinstance(b[i], ast.Return) and b[i].value]
    body, index = _some(random, places)
    value = body[index].value
    body[index : index + 1] = [
        ast.Assign([ast.Name("returned", ast.Store())], value),
        ast.Return(ast.Name("returned", ast.Load())),
    ]
