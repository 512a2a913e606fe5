"""What must hold of a rebuild, on the toy: which stages run, counted where they run."""

from __future__ import annotations

MODELS = ("cnn", "forest", "lstm")


def below(*names: str, systems: tuple[str, ...] = ("alpha", "beta")) -> list[str]:
    """Stages of all systems: of each model, or its own."""
    found = []
    for system in systems:
        for name in names:
            if name in ("network", "threshold", "evaluation"):
                found += [f"{system}/{model}/{name}" for model in MODELS]
            else:
                found.append(f"{system}/{name}")
    return sorted(found)


FROM_FEATURES = below("features", "network", "threshold", "evaluation")


def test_nothing_changed_nothing_runs(toy) -> None:
    assert toy.plan().stale == []
    outcome = toy.rebuild()
    assert toy.ran() == []
    assert outcome.materialized == outcome.restored == outcome.failed == []
    assert toy.unsynced() == {}
