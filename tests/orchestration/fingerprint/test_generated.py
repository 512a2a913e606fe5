"""No edit of a generated project that changes a stage's result leaves its fingerprint as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.orchestration.fingerprint import generated
from tests.orchestration.fingerprint.generated import (
    Bench,
    Figures,
    is_miss,
    judge_assets,
    judge_project,
)
from tests.orchestration.fingerprint.generated_projects import outcome


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("generated"))


@pytest.mark.parametrize("seed", range(25))
def test_no_edit_that_changes_a_result_is_missed(seed: int, bench: Bench) -> None:
    figures = Figures()
    judge_project(seed, bench, figures, every=False)
    assert not figures.misses, "\n".join(map(str, figures.misses))


@pytest.mark.parametrize("number", range(len(generated.once_missed())))
def test_what_was_missed_once_is_noticed(number: int, bench: Bench) -> None:
    miss = generated.once_missed()[number]
    before, after = (
        outcome(files, bench.root, [miss.stage]) for files in (miss.before, miss.after)
    )
    assert before != after
    assert not is_miss(miss, bench)


@pytest.mark.parametrize("seed", range(2))
def test_assets_of_one_identity_have_one_value(seed: int, tmp_path: Path) -> None:
    figures = Figures()
    judge_assets(seed, tmp_path / "project", figures, most=5)
    assert not figures.misses, "\n".join(map(str, figures.misses))
    assert figures.pairs > 5


def test_a_fingerprint_that_is_always_the_same_misses_every_changed_result(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bench, "digests", lambda *given: dict.fromkeys(generated.STAGES, "same"))
    figures = Figures()
    for seed in range(3):
        judge_project(seed, bench, figures, minimal=False)
    assert figures.edits > 20
    assert figures.missed == figures.changed > 0
    assert figures.over == 0


def test_a_miss_is_made_small_and_says_what_it_takes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bench, "digests", lambda *given: dict.fromkeys(generated.STAGES, "same"))
    figures = Figures()
    judge_project(3, bench, figures, most=6)
    [miss, *_] = figures.misses
    assert any(name.startswith("kind: ") for name in miss.idioms)
    assert "--- toy/stages.py" in str(miss)
    assert miss.results[0] != miss.results[1]


def test_equal_seeds_give_equal_figures(bench: Bench) -> None:
    first, second = Figures(), Figures()
    for figures in (first, second):
        judge_project(11, bench, figures, minimal=False)
    assert str(first) == str(second)
    assert first.edits > 5
