"""Render results as tables, and as reports in HTML and Markdown.

All text is escaped. The HTML is one self-contained page without scripts, light or dark as the
reader prefers; the Markdown links to pictures and sounds in files beside it.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from models.evaluation import Evaluation
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
class Picture:
    """A PNG with its caption; ``name`` becomes the name of its file."""

    name: str
    png: bytes
    caption: str


@dataclass(frozen=True)
class Sound:
    """A WAV with its caption; ``name`` becomes the name of its file."""

    name: str
    wav: bytes
    caption: str


@dataclass(frozen=True)
class Section:
    """One part of a report, rendered in the order of the fields.

    Attributes
    ----------
    heading
        One line.
    prose
        Paragraphs of plain text.
    table
        Rows by column; the columns are those of the rows, in the order met.
    pictures, sounds
        Each with a name that is unique in the report.
    """

    heading: str
    prose: Sequence[str] = ()
    table: Sequence[Row] = ()
    pictures: Sequence[Picture] = ()
    sounds: Sequence[Sound] = ()


@dataclass(frozen=True)
class Report:
    """A report in two forms: ``html`` stands alone, ``markdown`` links to ``files``.

    ``files`` maps paths relative to the Markdown to their content.
    """

    html: str
    markdown: str
    files: dict[str, bytes] = field(repr=False)

    def as_files(self) -> dict[str, bytes]:
        """Return all files by path: ``index.html``, ``report.md`` and those it links to."""
        return {
            "index.html": self.html.encode(),
            "report.md": self.markdown.encode(),
            **self.files,
        }


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
    columns = _columns(rows)
    lines = [[_markdown(_heading(name)) for name in columns]]
    lines += [[_markdown(cell_text(row.get(name))) for name in columns] for row in rows]
    widths = [max(3, *(len(line[k]) for line in lines)) for k in range(len(columns))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def report(title: str, sections: Sequence[Section], *, introduction: str = "") -> Report:
    """Render a report.

    Parameters
    ----------
    title
        One line.
    sections
        The parts, in order.
    introduction
        A paragraph above them.

    Raises
    ------
    ValueError
        Two pictures or sounds have the same name, or a name has no letter or digit.
    """
    files: dict[str, bytes] = {}
    page = [f"<h1>{html.escape(title)}</h1>"]
    text = [f"# {_markdown(title)}"]
    if introduction:
        page.append(f"<p>{html.escape(introduction)}</p>")
        text.append(_paragraph(introduction))
    if len(sections) > 2:
        links = (f'<a href="#s{k}">{html.escape(s.heading)}</a>' for k, s in enumerate(sections))
        page.append(f"<nav>{' '.join(links)}</nav>")
    for place, section in enumerate(sections):
        page.append(f'<section><h2 id="s{place}">{html.escape(section.heading)}</h2>')
        text.append(f"## {_markdown(section.heading)}")
        for paragraph in section.prose:
            page.append(f"<p>{html.escape(paragraph)}</p>")
            text.append(_paragraph(paragraph))
        if section.table:
            page.append(_html_table(section.table))
            text.append(comparison_table(section.table))
        if section.pictures:
            page.append('<div class="pictures">')
            for picture in section.pictures:
                path = _filed(files, picture.name, "png", picture.png)
                caption = html.escape(picture.caption)
                page.append(
                    f'<figure><img alt="{caption}" src="{_data("image/png", picture.png)}">'
                    f"<figcaption>{caption}</figcaption></figure>"
                )
                text.append(f"![{_link_text(picture.caption)}]({path})")
                text.append(_paragraph(picture.caption))
            page.append("</div>")
        for sound in section.sounds:
            path = _filed(files, sound.name, "wav", sound.wav)
            page.append(
                f'<figure><audio controls src="{_data("audio/wav", sound.wav)}"></audio>'
                f"<figcaption>{html.escape(sound.caption)}</figcaption></figure>"
            )
            text.append(f"[{_link_text(sound.caption)}]({path})")
        page.append("</section>")
    document = _PAGE.format(title=html.escape(title), style=_STYLE, body="\n".join(page))
    return Report(html=document, markdown="\n\n".join(text) + "\n", files=files)


def _columns(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _heading(name: str) -> str:
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


def _html_table(rows: Sequence[Row]) -> str:
    columns = _columns(rows)
    head = "".join(f"<th>{html.escape(_heading(name))}</th>" for name in columns)
    body = []
    for row in rows:
        cells = []
        for name in columns:
            value = row.get(name)
            reason = value.get("reason") if isinstance(value, Mapping) else None
            text = cell_text(value)
            attributes = f' title="{html.escape(reason)}"' if reason else ""
            attributes += ' class="long"' if len(text) > LONG_CELL else ""
            cells.append(f"<td{attributes}>{html.escape(text)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _filed(files: dict[str, bytes], name: str, suffix: str, content: bytes) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    path = f"pictures/{slug}.{suffix}" if suffix == "png" else f"sounds/{slug}.{suffix}"
    if not slug or path in files:
        raise ValueError(
            f"{name!r} makes the file name {path!r}, which is "
            + ("taken: name each picture and sound differently" if slug else "empty: use letters")
        )
    files[path] = content
    return path


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _markdown(text: str) -> str:
    """Escape Markdown's markup, and join lines."""
    line = " ".join(text.split())
    return re.sub(r"[\\`*<|]|(?<!\w)_|_(?!\w)|\](?=[(\[:])", r"\\\g<0>", line)


def _paragraph(text: str) -> str:
    """Escape a paragraph, including a heading, list or quotation mark at its start."""
    return re.sub(r"^([#>+=~-]|\d+(?=[.)]))", _escape_start, _markdown(text))


def _escape_start(match: re.Match[str]) -> str:
    start = match.group(0)
    return f"&#{ord(start[0])};{start[1:]}" if start[0].isdigit() else f"\\{start}"


def _link_text(text: str) -> str:
    return re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", _markdown(text))


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1f23; --paper: #ffffff; --soft: #f3f5f7;
  --line: #d5dae0; --quiet: #5b6570; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #16191d; --soft: #20252b;
  --line: #3a424b; --quiet: #a2abb5; --link: #7cb7f2; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: .5rem 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.2rem 0 .6rem; padding-top: .6rem;
  border-top: 1px solid var(--line); }
p { max-width: 46rem; margin: .6rem 0; }
a { color: var(--link); }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: 1rem 0; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; text-align: left; border-bottom: 1px solid var(--line); }
td { white-space: nowrap; }
td.long { white-space: normal; min-width: 22rem; }
th { background: var(--soft); vertical-align: bottom; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
figure { margin: .5rem 0; max-width: 100%; }
img { display: block; max-width: 100%; height: auto; background: #ffffff;
  border: 1px solid var(--line); border-radius: 4px; }
figcaption { color: var(--quiet); font-size: .88rem; max-width: 34rem; margin-top: .3rem; }
@media print { nav { display: none; } figure, tr { break-inside: avoid; } }
"""
