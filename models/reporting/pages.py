"""Reports as pages in HTML and in Markdown, from sections, tables, charts, pictures and sounds.

All text is escaped. A page holds its style, script and charts, and needs no network; pictures and
sounds are files beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.reporting.charts import SIDE, TONES, Chart, Drawn, draw
from models.reporting.markdown import escaped, link_text, paragraph
from models.reporting.script import SCRIPT
from models.reporting.style import STYLE
from models.reporting.tables import (
    Row,
    cell,
    columns_of,
    comparison_table,
    groups,
    heading,
    numeric_columns,
)
from models.reporting.templates import CHART, PAGE


@dataclass(frozen=True)
class Picture:
    """A PNG with its caption; ``name`` becomes the name of its file."""

    name: str
    png: bytes = field(repr=False)
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Sound:
    """A WAV with its caption; ``name`` becomes the name of its file."""

    name: str
    wav: bytes = field(repr=False)
    caption: str


@dataclass(frozen=True)
class Confusion:
    """The four counts of a decision, as a table shaded by the share of the actual class.

    Attributes
    ----------
    title, caption
        Above and below it.
    counts
        ``tp``, ``fp``, ``fn`` and ``tn``.
    classes
        Names of negatives and positives.
    """

    title: str
    caption: str
    counts: Mapping[str, int]
    classes: tuple[str, str]

    def cells(self) -> list[tuple[str, list[tuple[int, float]]]]:
        """Return a row for each actual class: count and share of each predicted class."""
        table = [(self.counts["tn"], self.counts["fp"]), (self.counts["fn"], self.counts["tp"])]
        return [
            (name, [(count, count / max(sum(row), 1)) for count in row])
            for name, row in zip(self.classes, table, strict=True)
        ]


@dataclass(frozen=True)
class Page:
    """A page of its own, such as one example's; ``name`` becomes the name of its file.

    Attributes
    ----------
    name
        Unique in the report.
    title, summary
        One line each, also on the card that links it.
    sections
        The parts. The card shows the first chart.
    """

    name: str
    title: str
    summary: str
    sections: Sequence[Section]


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
        Each picture, chart and sound with a name that is unique in the report.
    pages
        Pages that the section links.
    notes
        What to know beside it: paragraphs of plain text.
    """

    heading: str
    prose: Sequence[str] = ()
    table: Sequence[Row] = ()
    pictures: Sequence[Picture | Chart | Confusion] = ()
    sounds: Sequence[Sound] = ()
    pages: Sequence[Page] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """A report in two forms, ``html`` and ``markdown``, with the ``files`` that they link.

    ``files`` maps paths relative to both to their content.
    """

    html: str
    markdown: str
    files: dict[str, bytes] = field(repr=False)

    def as_files(self) -> dict[str, bytes]:
        """Return all files by path: ``index.html``, ``report.md`` and those they link to."""
        return {
            "index.html": self.html.encode(),
            "report.md": self.markdown.encode(),
            **self.files,
        }


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
        Two pictures, charts, sounds or pages have the same name, or a name has no letter or digit.
    """
    writer = _Writer()
    html, markdown = writer.page(title, sections, introduction)
    return Report(html=html, markdown=markdown, files=writer.files)


class _Writer:
    """Renders pages, and gathers the files that they link."""

    def __init__(self) -> None:
        from jinja2 import DictLoader, Environment, StrictUndefined

        self.files: dict[str, bytes] = {}
        templates = Environment(
            loader=DictLoader({"page": PAGE, "chart": CHART}),
            autoescape=True,
            undefined=StrictUndefined,
            keep_trailing_newline=True,
        )
        templates.filters |= {
            "json": _json,
            "columns": columns_of,
            "numeric": numeric_columns,
            "groups": groups,
            "heading": heading,
            "cell": cell,
        }
        self._page = templates.get_template("page")
        self._chart = templates.get_template("chart")

    def page(
        self, title: str, sections: Sequence[Section], introduction: str, up: str = ""
    ) -> tuple[str, str]:
        """Render a page in both forms; ``up`` leads from its folder to the report's."""
        from markupsafe import Markup

        shown: list[dict[str, Any]] = []
        text = [f"# {escaped(title)}"]
        if up:
            text.append(f"[All results]({up}report.md)")
        if introduction:
            text.append(paragraph(introduction))
        for section in sections:
            text.append(f"## {escaped(section.heading)}")
            text += [paragraph(part) for part in section.prose]
            if section.table:
                text.append(comparison_table(section.table))
            pictures = [self._picture(picture, up, text) for picture in section.pictures]
            sounds = []
            for sound in section.sounds:
                path = up + self._filed("sounds", sound.name, "wav", sound.wav)
                text.append(f"[{link_text(sound.caption)}]({path})")
                sounds.append((sound, path))
            pages = [self._example(page, up, text) for page in section.pages]
            text += [paragraph(part) for part in section.notes]
            shown.append(
                {
                    "heading": section.heading,
                    "prose": section.prose,
                    "table": section.table,
                    "pictures": pictures,
                    "sounds": sounds,
                    "pages": pages,
                    "notes": section.notes,
                }
            )
        html = self._page.render(
            title=title,
            introduction=introduction,
            sections=shown,
            back=f"{up}index.html" if up else "",
            side=SIDE,
            style=Markup(STYLE),
            script=Markup(SCRIPT),
        )
        return html.lstrip(), "\n\n".join(text) + "\n"

    def _picture(
        self, picture: Picture | Chart | Confusion, up: str, text: list[str]
    ) -> tuple[str, Any, str]:
        if isinstance(picture, Confusion):
            text += [f"**{escaped(picture.title)}**", comparison_table(_confusion_rows(picture))]
            text.append(paragraph(picture.caption))
            return "confusion", picture, ""
        if isinstance(picture, Picture):
            path = up + self._filed("pictures", picture.name, "png", picture.png)
            text += [f"![{link_text(picture.caption)}]({path})", paragraph(picture.caption)]
            return "picture", picture, path
        drawn = draw(picture)
        path = up + self._filed("charts", picture.name, "svg", self._svg(drawn))
        text += [f"![{link_text(picture.title)}]({path})", paragraph(picture.caption)]
        return "chart", drawn, path

    def _svg(self, drawn: Drawn) -> bytes:
        width = 420 if drawn.chart.square else 900 if drawn.chart.wide else 640
        svg = self._chart.render(
            it=drawn.chart,
            drawn=drawn,
            left=24 + 8 * drawn.label_width,
            top=40 + 18 * (-(-len(drawn.legend) // 3)),
            width=width,
            height=420 if drawn.chart.square else max(280, 24 * len(drawn.chart.y.names)),
            side=SIDE,
            tones=TONES,
        )
        return svg.encode()

    def _example(self, page: Page, up: str, text: list[str]) -> tuple[Page, str, Drawn | None]:
        html, markdown = self.page(page.title, page.sections, page.summary, "../")
        path = up + self._filed("examples", page.name, "html", html.encode())
        beside = up + self._filed("examples", page.name, "md", markdown.encode())
        text.append(f"- [{link_text(page.title)}]({beside}): {escaped(page.summary)}")
        pictures = [picture for section in page.sections for picture in section.pictures]
        first = next((picture for picture in pictures if isinstance(picture, Chart)), None)
        return page, path, draw(first) if first is not None else None

    def _filed(self, folder: str, name: str, suffix: str, content: bytes) -> str:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        path = f"{folder}/{slug}.{suffix}"
        if not slug or path in self.files:
            raise ValueError(
                f"{name!r} makes the file name {path!r}, which is "
                + ("taken: name each differently" if slug else "empty: use letters")
            )
        self.files[path] = content
        return path


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _confusion_rows(confusion: Confusion) -> list[dict[str, Any]]:
    negative, positive = confusion.classes
    return [
        {"actual": name, f"taken for {negative}": cells[0][0], f"taken for {positive}": cells[1][0]}
        for name, cells in confusion.cells()
    ]
