"""A name belongs to the scope that Python would look it up in."""

from __future__ import annotations

import ast

import pytest

from orchestration.fingerprint.scopes import Scope, dotted_name, root_name


def scopes(source: str) -> list[Scope]:
    """Scopes of a module, of the class or function in it, of what is in that, and so on."""
    body = ast.parse(source).body
    nested = [Scope("module", None).bind(body)]
    while inner := [n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)]:
        kind = "class" if isinstance(inner[0], ast.ClassDef) else "function"
        body = inner[0].body
        nested.append(Scope(kind, nested[-1]).bind(body))
    return nested


def expression(text: str) -> ast.expr:
    """Parse an expression."""
    return ast.parse(text, mode="eval").body


def test_a_name_of_a_class_is_not_seen_in_its_methods() -> None:
    module, owner, method = scopes("class A:\n    size = 1\n    def f(self):\n        own = 1\n")
    assert owner.lookup("size") is owner
    assert method.lookup("size") is None
    assert method.lookup("own") is method
    assert method.module is owner.module is module.module is module


def test_a_global_declaration_leads_past_the_functions_around() -> None:
    source = "def f():\n    a = b = 1\n    def g():\n        global a\n        a = 2\n"
    _, outer, inner = scopes(source)
    assert inner.lookup("a") is None
    assert inner.lookup("b") is outer


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("np.linalg.norm", "numpy.linalg.norm"),
        ("read", "json.load"),
        ("len", "builtins.len"),
        ("near.thing", None),  # a module of the project
        ("own.thing", None),
        ("f(1).thing", None),
    ],
)
def test_a_dotted_name_is_spelled_in_full_where_the_file_tells(name: str, path: str | None) -> None:
    source = "import numpy as np\nfrom . import near\ndef f():\n    from json import load as read\n"
    inner = scopes(source + "    own = 1\n")[1]
    assert inner.dotted(expression(name)) == path


def test_what_is_imported_and_also_assigned_is_no_plain_import() -> None:
    inner = scopes("def f():\n    import json, csv\n    csv = None\n")[1]
    assert inner.is_import("json")
    assert not inner.is_import("csv")
    assert not inner.is_import("len")


def test_a_chain_comes_apart_from_its_root() -> None:
    assert dotted_name(expression("a.b.c")) == ("a", ["b", "c"])
    assert dotted_name(expression("a[0].c")) is None
    assert root_name(expression("a.b[0].c")) == "a"
    assert root_name(expression("f().c")) is None
