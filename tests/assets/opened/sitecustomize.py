"""Loaded by Python as it starts: writes down which stage opens a file below `models`."""

import os
import sys
from pathlib import Path
from types import FrameType

LOG = os.environ.get("FAINT_OPENED")
ROOT = Path(__file__).resolve().parents[3]


def opened(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100 - an import would open files
    if not path.startswith(f"{ROOT}/models/") or path.endswith((".py", ".pyc")):
        return
    frame: FrameType | None = sys._getframe()
    stage: FrameType | None = None
    while frame is not None:
        if Path(frame.f_code.co_filename).parent.parent == ROOT / "assets":  # a system's module
            stage = frame
        frame = frame.f_back
    if stage is not None:
        name = f"{stage.f_globals['__name__']}:{stage.f_code.co_qualname}"
        with os.fdopen(os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "a") as log:
            log.write(f"{name}\t{path}\n")


if LOG:
    sys.addaudithook(opened)
