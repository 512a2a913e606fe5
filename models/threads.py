"""Run tasks in threads and yield their results in order.

For work that releases the interpreter's lock: decoding, parsing, transforms, waiting for a process.
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
    """Call tasks in threads, and yield their results in the order of the tasks.

    Parameters
    ----------
    tasks : iterable of callable
        Taken one by one by the calling thread, a little ahead of the results: they may come from
        a file with one reader at a time, or depend on earlier results.
    workers : int
        Number of threads.
    ahead : int
        Tasks per thread that may be submitted before the oldest result is taken.
    name : str
        Prefix of the threads' names.

    Raises
    ------
    Exception
        What a task raised, in its place. Tasks that have not begun are then cancelled, as they
        are when the iterator is closed.

    Examples
    --------
    >>> list(in_order([lambda: 1, lambda: 2], workers=2))
    [1, 2]
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
