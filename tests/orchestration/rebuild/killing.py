"""Kills a process at each step of its writing in turn: run by `test_storage` and `test_killed`.

A step is whatever changes the store's files (opened to be written, renamed, removed, folders made),
each flush to disk, the middle of each text that is written, and each event that Dagster stores.
`at_every_step` forks a child that kills itself at its n-th step, for n = 1, 2
... until one survives; after each, ``check`` looks at what is left.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


def at_every_step(
    prepare: Callable[[], Path], work: Callable[[], None], check: Callable[[int], None]
) -> int:
    """Kill ``work`` at each of its steps; the number of steps.

    ``prepare`` makes a fresh project and gives the folder of its store.
    """
    step = 0
    survived = False
    while not survived:
        step += 1
        folder = prepare()
        survived = _forked(lambda step=step, folder=folder: _die_at(step, folder, work))
        check(step)
    return step - 1


def _forked(work: Callable[[], None]) -> bool:
    """Run in a fork; whether it survived. One that fails otherwise ends this process."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return False
    if os.WEXITSTATUS(status):
        sys.exit("the child failed")
    return True


def healthy(work: Callable[[], None]) -> None:
    """Run in a fork that nothing kills."""
    if not _forked(work):
        sys.exit("killed by someone else")


def _die_at(number: int, store: Path, work: Callable[[], None]) -> None:
    left = number
    root = str(store)

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        written = event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        if not written and event not in ("os.rename", "os.remove", "os.mkdir"):
            return
        path = arguments[0]
        if isinstance(path, str | os.PathLike) and str(path).startswith(root):
            step()

    fsync, write_text = os.fsync, Path.write_text

    def counted_fsync(descriptor: int) -> None:
        step()
        fsync(descriptor)

    def halved(self: Path, text: str, *arguments: Any, **options: Any) -> int:
        if str(self).startswith(root):
            write_text(self, text[: len(text) // 2], *arguments, **options)
            step()
        return write_text(self, text, *arguments, **options)

    os.fsync, Path.write_text = counted_fsync, halved  # type: ignore[assignment]
    if "orchestration.eventlog" in sys.modules:
        log = sys.modules["orchestration.eventlog"].EventLog
        store_event = log.store_event

        def counted_event(self: Any, event: Any) -> None:
            step()
            store_event(self, event)

        log.store_event = counted_event
    sys.addaudithook(hook)
    work()


# what is killed -----------------------------------------------------------------------------------


def store(folder: Path) -> None:
    """Kill the second build of a slot."""
    from orchestration.store import Slot, Store
    from orchestration.store.gc import collect

    slot = Slot("a/b", "part")
    first, second = {"value": [1.0] * 40}, {"value": [2.0] * 60}
    number = 0

    def opened() -> Store:
        return Store(folder / str(number) / "store", folder / str(number) / "locks")

    def build(value: object, name: str) -> None:
        opened().write(slot, value, "json", version={"v": name}, inputs={}, build=name)

    def prepare() -> Path:
        nonlocal number
        number += 1
        build(first, "one")
        return folder / str(number) / "store"

    def check(step: int) -> None:
        now = opened()
        record = now.current(slot)
        assert record is not None, step
        assert now.defect(record, verify=True) is None, step
        expected = {"one": first, "two": second}[record.build]
        assert now.load(slot) == expected, step
        earlier = now.built(slot, "two")
        if earlier is not None:
            assert now.defect(earlier, verify=True) is None, step
        build(second, "two")
        assert now.load(slot) == second
        collect(now, keep=0)
        left = sorted(path.name for path in (folder / str(number) / "store").rglob("*.*"))
        assert left == sorted([opened().current(slot).artifact.file, "current.json", "two.json"])

    print(at_every_step(prepare, lambda: build(second, "two"), check))


def rebuild(folder: Path) -> None:
    """Kill a rebuild of a toy that was built and then edited; its copy is made for each kill."""
    import shutil

    from orchestration.project import find
    from orchestration.rebuild.session import Session

    template = Path(sys.argv[3])
    number = 0

    def place() -> Path:
        return folder / str(number)

    def prepare() -> Path:
        nonlocal number
        shutil.rmtree(place(), ignore_errors=True)
        number += 1
        shutil.copytree(template, place())
        return place() / ".faint" / "store"

    def work() -> None:
        os.environ["TOY_LOG"] = str(place() / "ran.txt")
        os.chdir(place())
        session = Session(find(place()))
        outcome = session.rebuild(session.select())
        session.close()
        assert not outcome.failed, outcome.errors

    def finish() -> None:
        work()
        session = Session(find(place()))
        plan = session.plan(session.select(), verify=True)
        assert not plan.stale, plan.stale
        for slot in session.select():
            session.store.load(slot)
        unfinished = [run for run in session.instance.get_runs() if not run.is_finished]
        assert not unfinished
        session.close()

    def check(step: int) -> None:
        healthy(finish)
        ran = (place() / "ran.txt").read_text().split()
        # What was stored before the kill is not computed again, nor what is upstream of it.
        assert set(ran) == {"alpha/sample"}, (step, ran)
        assert len(ran) <= 2, (step, ran)

    prepare()  # once in this process, so that forks have everything imported
    os.environ.pop("DAGSTER_HOME", None)
    work()
    for name in [name for name in sys.modules if name.split(".")[0] == "toy"]:
        del sys.modules[name]
    sys.path.remove(str(place()))
    del os.environ["DAGSTER_HOME"]
    print(at_every_step(prepare, work, check))


if __name__ == "__main__":
    {"store": store, "rebuild": rebuild}[sys.argv[1]](Path(sys.argv[2]))
