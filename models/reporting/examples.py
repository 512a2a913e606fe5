"""Examples that a report gives a page of their own, from the predictions of its models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.examples import of_all_models
from models.reporting.tables import ModelResults
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

COUNT = 3
"""Examples of each kind."""


@dataclass(frozen=True)
class Example:
    """A row of the predictions that is worth a look.

    Attributes
    ----------
    name
        Unique among examples, such as ``missed 1``.
    row
        Of the predictions.
    said
        Such as ``missed by 4 of 5 models``.
    decisions
        What each model says of it, as a table.
    """

    name: str
    row: pd.Series
    said: str
    decisions: list[JsonDict]


def worth_a_look(
    models: Mapping[str, ModelResults],
    classes: tuple[str, str],
    *,
    label: str = "label",
    part: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame,
) -> list[Example]:
    """Choose the rows that most models get wrong, and positives that most of them find.

    Parameters
    ----------
    models
        Whose predictions have the same rows.
    classes
        Names of negatives and positives.
    label
        The column that says whether a row is positive; others are ``score`` and ``flagged``.
    part
        Which rows to choose from; by default all.
    """
    tables = {model: part(results.predictions) for model, results in models.items()}
    first = next(iter(tables.values()))
    chosen = of_all_models(
        first[label].to_numpy(),
        {model: table["score"].to_numpy() for model, table in tables.items()},
        {model: table["flagged"].to_numpy() for model, table in tables.items()},
        COUNT,
    )
    found = []
    for kind, places in chosen.items():
        for number, place in enumerate(places.tolist(), 1):
            rows = {model: table.iloc[place] for model, table in tables.items()}
            agreeing = sum(bool(row["flagged"]) == (kind != "missed") for row in rows.values())
            said = f"{kind} by {agreeing} of {len(models)} models"
            decisions: list[JsonDict] = [
                {
                    "model": model,
                    "score": float(row["score"]),
                    "threshold": models[model].evaluation.threshold,
                    "decision": classes[int(row["flagged"])],
                }
                for model, row in rows.items()
            ]
            found.append(Example(f"{kind} {number}", first.iloc[place], said, decisions))
    return found
