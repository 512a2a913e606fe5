"""Work done by threads comes in order, and no further ahead than is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from models.threads import in_order


def test_results_come_in_the_order_of_the_tasks() -> None:
    first_may_end = threading.Event()

    def first() -> int:
        assert first_may_end.wait(10)
        return 0

    def second() -> int:
        first_may_end.set()
        return 1

    assert list(in_order([first, second], workers=2)) == [0, 1]


def test_tasks_are_taken_only_as_far_ahead_as_asked_for() -> None:
    taken = []

    def tasks() -> Iterator[Callable[[], int]]:
        for number in range(20):
            taken.append(number)
            yield partial(int, number)

    results = in_order(tasks(), workers=2, ahead=3)
    assert next(results) == 0
    assert taken == list(range(2 * 3 + 1))
    assert next(results) == 1
    assert taken == list(range(2 * 3 + 2))


def test_a_task_may_depend_on_results_that_were_given() -> None:
    given: list[int] = []
    tasks = (partial(int, len(given)) for _ in range(6))
    for number in in_order(tasks, workers=1, ahead=1):
        given.append(number)
    assert given == [0, 0, 1, 2, 3, 4]


def test_an_error_comes_in_its_place_and_what_has_not_begun_is_given_up() -> None:
    done = []

    def failing() -> int:
        raise OSError("torn")

    def working(number: int) -> int:
        done.append(number)
        return number

    # One thread: the second task fails, and the third may have begun by then; no more.
    tasks = [partial(working, 0), failing, *(partial(working, k) for k in range(2, 50))]
    results = in_order(tasks, workers=1, ahead=2)
    assert next(results) == 0
    with pytest.raises(OSError, match="torn"):
        next(results)
    assert len(done) < 6
    with pytest.raises(StopIteration):
        next(results)


def test_threads_end_when_the_results_are_no_longer_asked_for() -> None:
    results = in_order((partial(int, k) for k in range(100)), workers=3, name="given_up")
    next(results)
    results.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("given_up")]


def test_nothing_to_do_gives_nothing() -> None:
    assert list(in_order([], workers=2)) == []
