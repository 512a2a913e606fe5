"""`faint compare` and `faint report`. `[tool.faint]` names this module; `faint` plugs it in.

A command gets its options and ``read``, which gives a stored asset by its key, and returns what to
print.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Read = Callable[[str], Any]


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this project to `faint`."""
    compare = commands.add_parser(
        "compare", help="print a system's models beside the published ones"
    )
    compare.set_defaults(answer=_compare)
    report = commands.add_parser("report", help="write a system's report as HTML and Markdown")
    report.set_defaults(answer=_report)
    for command in (compare, report):
        command.add_argument("system", help="the system, such as exoplanets")
    report.add_argument(
        "--to", type=Path, default=Path("reports"), metavar="FOLDER", help="default: reports"
    )


def _compare(options: argparse.Namespace, read: Read) -> str:
    table = read(f"{options.system}/comparison")
    from models.reporting import comparison_table

    return "\n\n".join([table["title"], comparison_table(table["rows"]), *table["notes"]])


def _report(options: argparse.Namespace, read: Read) -> str:
    files = read(f"{options.system}/report")
    folder = options.to / options.system
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return f"The report: {folder / 'index.html'}, and as Markdown {folder / 'report.md'}"
