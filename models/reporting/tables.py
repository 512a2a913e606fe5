"""Tables of results: their rows, and how a value reads in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.evaluation import Evaluation
from models.reporting.markdown import escaped
from models.types import JsonDict

if TYPE_CHECKING:
    import pandas as pd

#: Column headings; other columns are headed by their name, with spaces.
HEADINGS = {
    "f1": "F1",
    "tss": "TSS",
    "hss2": "HSS2",
    "brier": "Brier score",
    "brier_skill": "Brier skill",
    "roc_auc": "ROC area",
    "recall_at_fpr_0.01": "recall at 1 % false positives",
    "recall_at_fpr_0.001": "recall at 0.1 % false positives",
    "macro_f1": "macro F1",
    "event_f1": "event F1",
    "jaccard": "Jaccard index",
    "f1_as_printed": "F1 as printed",
    "f1_at_0.5": "F1 at 0.5",
    "f1_as_printed_at_0.5": "F1 as printed, at 0.5",
    "jaccard_at_0.5": "Jaccard index at 0.5",
    "wer_lm": "WER, language model",
    "wer_beam": "WER, beam",
    "wer_greedy": "WER, greedy",
    "cer_lm": "CER, language model",
    "cer_greedy": "CER, greedy",
}

#: Default columns of a comparison.
COMPARED = ("found", "missed", "precision", "recall", "f1", "average_precision")

LONG_CELL = 50
"""Characters of a cell from which on it may have several lines."""

Row = Mapping[str, Any]
"""A table's row by column. A value is text, a number, None where there is none, or a mapping with
``value``, ``low`` and ``high`` as `models.intervals.Metric.to_dict` returns them."""


@dataclass(frozen=True)
class ModelResults:
    """Results of one model that its report shows; ``history`` is None for an estimator."""

    evaluation: Evaluation
    predictions: pd.DataFrame
    history: JsonDict | None = None

    @classmethod
    def by_model(cls, loaded: Mapping[str, Any], models: Iterable[str]) -> dict[str, ModelResults]:
        """Sort assets loaded as ``<model>__evaluation``, ``__predictions`` and ``__history``."""
        return {
            model: cls(
                Evaluation.from_dict(loaded[f"{model}__evaluation"]),
                loaded[f"{model}__predictions"],
                loaded.get(f"{model}__history"),
            )
            for model in models
        }


def comparison_rows(
    evaluations: Mapping[str, Evaluation], columns: Sequence[str] = COMPARED
) -> list[JsonDict]:
    """Make rows that compare models with their published figures: two rows a model.

    Parameters
    ----------
    evaluations
        By model.
    columns
        Names of counts and metrics to show.

    Returns
    -------
    list of dict
        ``model``, ``result`` (``ours`` or ``published``) and the columns. A model without
        published figures has one row.
    """
    rows: list[JsonDict] = []
    for model, evaluation in evaluations.items():
        metrics = {name: metric.to_dict() for name, metric in evaluation.metrics.items()}
        ours = {**metrics, **evaluation.counts}
        rows.append({"model": model, "result": "ours"} | {name: ours[name] for name in columns})
        if evaluation.published:
            figures = {name: evaluation.published.get(name) for name in columns}
            rows.append({"model": "", "result": "published"} | figures)
    return rows


def three_decimals(value: float | None) -> str:
    """Format a value for prose.

    >>> three_decimals(0.12345), three_decimals(None)
    ('0.123', 'undefined')
    """
    return "undefined" if value is None else f"{value:.3f}"


def comparison_table(rows: Iterable[Row]) -> str:
    """Render rows as a Markdown table, aligned for terminals.

    Numbers have three decimals, and their interval in brackets. An undefined value reads
    ``undefined``, a missing one ``-``.

    >>> print(comparison_table([{"model": "CNN", "f1": 0.5, "seeds": None}]))
    | model | F1    | seeds |
    | ----- | ----- | ----- |
    | CNN   | 0.500 | -     |
    """
    rows = list(rows)
    if not rows:
        return ""
    columns = columns_of(rows)
    lines = [[escaped(heading(name)) for name in columns]]
    lines += [[escaped(cell_text(row.get(name))) for name in columns] for row in rows]
    widths = [max(3, *(len(line[k]) for line in lines)) for k in range(len(columns))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def columns_of(rows: Iterable[Row]) -> list[str]:
    """List the columns of rows in the order met."""
    return list(dict.fromkeys(name for row in rows for name in row))


def heading(name: str) -> str:
    """Return the heading of a column."""
    return HEADINGS.get(name, name.replace("_", " "))


def cell_text(value: Any) -> str:
    """Format a table's value: see `comparison_table`."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        if value.get("value") is None:
            return "undefined"
        shown = _number(value["value"])
        if value.get("low") is not None and value.get("high") is not None:
            shown += f" [{_number(value['low'])}, {_number(value['high'])}]"
        return shown
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    return str(value)


def _number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if value != 0 and abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:,.3f}" if abs(value) < 1000 else f"{value:,.0f}"


@dataclass(frozen=True)
class Cell:
    """A table's value as a page shows it.

    Attributes
    ----------
    text, interval
        The value, and its interval below it.
    value
        What rows are sorted by; None: by the text.
    reason
        Why a value is undefined.
    long
        Whether it may have several lines.
    """

    text: str
    interval: str = ""
    value: float | None = None
    reason: str = ""
    long: bool = False


def cell(value: Any) -> Cell:
    """Prepare a table's value for a page."""
    text = cell_text(value)
    if isinstance(value, Mapping):
        sorted_by = value.get("value")
        text, _, interval = text.partition(" [")
        return Cell(text, f"[{interval}" if interval else "", sorted_by, value.get("reason") or "")
    if _is_number(value):
        return Cell(text, value=float(value))
    return Cell(text, long=len(text) > LONG_CELL)


def numeric_columns(rows: Sequence[Row]) -> list[str]:
    """List the columns that hold numbers, and nothing else but missing values."""
    numeric = []
    for name in columns_of(rows):
        values = [row[name] for row in rows if row.get(name) is not None]
        if values and all(_is_number(v) or isinstance(v, Mapping) for v in values):
            numeric.append(name)
    return numeric


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def groups(rows: Sequence[Row]) -> list[list[Row]]:
    """Put rows together that belong together: those whose first cell is empty to the one above."""
    first = columns_of(rows)[0]
    together: list[list[Row]] = []
    for row in rows:
        if together and row.get(first) == "":
            together[-1].append(row)
        else:
            together.append([row])
    return together
