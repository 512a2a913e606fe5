"""Render results as tables, and as reports: pages in HTML with Markdown beside them.

`tables` makes rows and writes values, `charts` draws what a page can zoom, `figures` has the charts
that systems share, `examples` chooses what gets a page of its own, `pages` puts a report together
from `templates`, `style` and `script`.
"""

from models.reporting.charts import Axis, Chart, Image, Rule, Series
from models.reporting.pages import Confusion, Page, Picture, Report, Section, Sound, report
from models.reporting.tables import (
    ModelResults,
    cell_text,
    comparison_rows,
    comparison_table,
    three_decimals,
)

__all__ = [
    "Axis",
    "Chart",
    "Confusion",
    "Image",
    "ModelResults",
    "Page",
    "Picture",
    "Report",
    "Rule",
    "Section",
    "Series",
    "Sound",
    "cell_text",
    "comparison_rows",
    "comparison_table",
    "report",
    "three_decimals",
]
