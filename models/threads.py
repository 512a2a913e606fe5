"""Work done by threads, its results in order.

For what frees the interpreter's lock: decoding, parsing, transforms, waiting for a process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def in_order(
    tasks: Iterable[Callable[[], Result]], *, workers: int, ahead: int = 2, name: str = ""
) -> Iterator[Result]:
    """Call each task in one of some threads, and give the results in the tasks' order.

    Parameters
    ----------
    tasks
        Taken by the calling thread, one by one, and never far ahead of what was given: they may
        come from a file that has one reader at a time, or depend on earlier results.
    workers
        Threads.
    ahead
        Tasks for each thread that may wait or be finished before the oldest one's result is given.
    name
        Of the threads, for whoever looks at them.

    Raises
    ------
    Exception
        What a task raised, in its place; tasks that have not begun are then given up, as they are
        when the results are no longer asked for.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix=name) as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(task))
                if len(waiting) > ahead * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
