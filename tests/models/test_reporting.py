"""Reports say what they were given, escaped, and need nothing from elsewhere."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from models.evaluation import evaluate
from models.reporting import (
    Picture,
    Section,
    Sound,
    comparison_rows,
    comparison_table,
    report,
)

PNG = b"\x89PNG\r\n\x1a\nnot really"
NASTY = '<script>alert("1")</script> & | *x* `y` [a](http://b) _z_'


@pytest.fixture(scope="module")
def evaluation():
    labels = np.r_[np.ones(5, int), np.zeros(565, int)]
    scores = np.r_[np.full(4, 0.95), 0.1, np.full(6, 0.94), np.linspace(0, 0.9, 559)]
    published = {"found": 3, "missed": 4, "precision": 0.33, "recall": 0.2, "f1": 0.25}
    return evaluate(labels, scores, 0.93, seed=0, published=published)


class Reader(HTMLParser):
    """Checks that tags are balanced, and gathers what is shown and what is fetched."""

    VOID = ("meta", "img", "link", "br")

    def __init__(self):
        super().__init__()
        self.open, self.text, self.fetched, self.tags = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_the_comparison_puts_published_figures_below_ours(evaluation):
    lone = evaluation.with_details(published={})
    rows = comparison_rows({"CNN": evaluation, "search": lone}, ["found", "precision", "roc_auc"])
    assert [(row["model"], row["result"]) for row in rows] == [
        ("CNN", "ours"), ("", "published"), ("search", "ours"),
    ]  # fmt: skip
    assert rows[0]["found"] == 10
    assert rows[0]["precision"]["value"] == 0.4
    assert rows[1] == {
        "model": "", "result": "published", "found": 3, "precision": 0.33, "roc_auc": None,
    }  # fmt: skip


def test_the_table_is_aligned_and_gives_intervals(evaluation):
    table = comparison_table(comparison_rows({"CNN": evaluation}, ["found", "precision", "f1"]))
    lines = table.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert re.split(r" *\| *", lines[0]) == ["", "model", "result", "found", "precision", "F1", ""]
    assert set(lines[1]) == set("| -")
    assert "0.400 [0.122, 0.738]" in lines[2]  # Clopper-Pearson of 4 of 10
    assert re.split(r" *\| *", lines[3]) == ["", "", "published", "3", "0.330", "0.250", ""]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ({"value": None, "low": None, "high": None, "reason": "no row is flagged"}, "undefined"),
        ({"value": 1.0, "low": None, "high": None}, "1.000"),
        ({"value": 0.8, "low": 0.28, "high": 0.99}, "0.800 [0.280, 0.990]"),
        (85993, "85,993"),
        (0.53, "0.530"),
        (0.00042, "4.2e-04"),
        (12345.6, "12,346"),
        (0.0, "0.000"),
        (True, "True"),
        ("a|b", "a\\|b"),
    ],
)
def test_a_cell_reads_as_it_should(value, shown):
    assert comparison_table([{"x": value}]).splitlines()[2].strip("| ") == shown


def test_no_rows_make_no_table():
    assert comparison_table([]) == ""


def test_columns_are_those_of_all_rows():
    lines = comparison_table([{"a": 1}, {"b": 2}]).splitlines()
    assert lines[0].split() == ["|", "a", "|", "b", "|"]
    assert lines[3].split() == ["|", "-", "|", "2", "|"]


def full():
    return report(
        "Exoplanets",
        [
            Section("Results", ["Five stars have a planet."], [{"model": "CNN", "f1": 0.25}]),
            Section("Scores", pictures=[Picture("CNN: scores", PNG, "Scores of the test set")]),
            Section("Voices", sounds=[Sound("first", b"RIFF", "What was said")]),
        ],
        introduction="What was found.",
    )


def test_the_page_stands_alone_and_has_no_script():
    page = full().html
    reader = read(page)
    assert page.startswith("<!doctype html>")
    assert "script" not in reader.tags
    assert all(target.startswith(("data:", "#s")) for target in reader.fetched)
    assert "@import" not in page
    assert "url(" not in page
    assert "prefers-color-scheme: dark" in page
    pictures = [target for target in reader.fetched if target.startswith("data:image/png")]
    assert base64.b64decode(pictures[0].split(",")[1]) == PNG
    shown = " ".join(reader.text)
    for words in ("What was found.", "Five stars have a planet.", "CNN", "0.250", "What was said"):
        assert words in shown


def test_the_markdown_links_to_the_files_beside_it():
    result = full()
    assert result.files == {"pictures/cnn-scores.png": PNG, "sounds/first.wav": b"RIFF"}
    assert result.markdown == (
        "# Exoplanets\n\nWhat was found.\n\n"
        "## Results\n\nFive stars have a planet.\n\n"
        "| model | F1    |\n| ----- | ----- |\n| CNN   | 0.250 |\n\n"
        "## Scores\n\n![Scores of the test set](pictures/cnn-scores.png)\n\n"
        "Scores of the test set\n\n"
        "## Voices\n\n[What was said](sounds/first.wav)\n"
    )


def test_all_text_is_escaped():
    result = report(
        NASTY,
        [Section(NASTY, [NASTY], [{NASTY: NASTY}], [Picture("p", PNG, NASTY)])],
        introduction=NASTY,
    )
    reader = read(result.html)
    assert "script" not in reader.tags
    assert reader.text.count(NASTY) == 7  # title twice, introduction, heading, prose, table twice
    assert not re.search(r"(?<!\\)[<`*]", result.markdown)
    assert not re.search(r"(?<!\\)\]\(http", result.markdown)
    assert all(
        len(re.findall(r"(?<!\\)\|", line)) in (0, 2) for line in result.markdown.split("\n")
    )


@pytest.mark.parametrize(
    ("prose", "written"),
    [("# 1", "\\# 1"), ("- x", "\\- x"), ("3. x", "&#51;. x"), ("> x", "\\> x"), ("a_b", "a_b")],
)
def test_prose_starts_no_heading_or_list(prose, written):
    assert report("t", [Section("s", [prose])]).markdown.split("\n\n")[2].strip() == written


def test_the_reason_for_an_undefined_value_is_at_hand():
    value = {"value": None, "low": None, "high": None, "reason": 'no "row" is flagged'}
    page = report("t", [Section("s", table=[{"precision": value}])]).html
    assert 'title="no &quot;row&quot; is flagged">undefined<' in page


def test_two_pictures_of_one_name_are_refused():
    pictures = [Picture("CNN scores", PNG, ""), Picture("cnn: scores", PNG, "")]
    with pytest.raises(
        ValueError, match=r"'cnn: scores' makes .* 'pictures/cnn-scores.png'.* taken"
    ):
        report("t", [Section("s", pictures=pictures)])
    with pytest.raises(ValueError, match="empty: use letters"):
        report("t", [Section("s", pictures=[Picture("!", PNG, "")])])


def test_the_same_input_makes_the_same_report():
    assert full() == full()
