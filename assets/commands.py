"""`faint detect`, `faint compare` and `faint report`.

`[tool.faint]` names this module, and `faint` adds its commands. A command gets its options and the
stored assets (`orchestration.stored.StoredAssets`), and returns what to print, with an exit status
where that isn't 0.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Read = Callable[[str], Any]


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this project to `faint`."""
    detect = commands.add_parser(
        "detect", help="print the verdicts of a system's trained models on new recordings"
    )
    compare = commands.add_parser(
        "compare", help="print a system's models beside the published ones"
    )
    report = commands.add_parser("report", help="write a system's report as HTML and Markdown")
    for command, answer in ((detect, _detect), (compare, _compare), (report, _report)):
        command.add_argument("system", help="the system, such as exoplanets")
        command.set_defaults(answer=answer, error=command.error)
    detect.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
    detect.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="use this model, and others named so (default: all; the table shows the leading one)",
    )
    detect.add_argument("--json", action="store_true", help="print JSON, with every model")
    detect.add_argument(
        "--to", type=Path, metavar="FOLDER", help="write a sheet a recording, and the catalogue"
    )
    detect.add_argument("--yes", action="store_true", help="build what is missing without asking")
    report.add_argument(
        "--to", type=Path, default=Path("reports"), metavar="FOLDER", help="default: reports"
    )


def _detect(options: argparse.Namespace, stored: Any) -> tuple[str, int]:
    from assets.detection import answer

    return answer(options, stored)


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
