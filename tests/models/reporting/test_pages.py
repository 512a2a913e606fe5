"""Reports say what they were given, escaped, and need nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from models.reporting import (
    Axis,
    Chart,
    Confusion,
    Page,
    Picture,
    Section,
    Series,
    Sound,
    report,
)

PNG = b"\x89PNG\r\n\x1a\nnot really"
NASTY = '<script>alert("1")</script> & | *x* `y` [a](http://b) _z_'


class Reader(HTMLParser):
    """Checks that tags are balanced, and gathers what is shown and what is fetched."""

    VOID = ("meta", "img", "link", "br")

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

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


def chart(name="curve", text="Light curve"):
    return Chart(
        name, text, f"{text}, deepest at day 2", Axis("time (days)"), Axis("flux"),
        [Series(text, [1, 2, 3], [0.5, 0.25, 1], "dots", points=[text] * 3), Series("b", [1], [1])],
    )  # fmt: skip


def full(text="Five stars have a planet."):
    counts = {"tp": 8, "fp": 1, "fn": 2, "tn": 29}
    return report(
        "Exoplanets",
        [
            Section(
                "Results", [text], [{"model": "CNN", "f1": 0.25}, {"model": "", "f1": None}],
                notes=["A note."],
            ),
            Section(
                "Scores",
                pictures=[
                    Picture("CNN: scores", PNG, "Scores of the test set"),
                    chart(),
                    Confusion("Decisions", "8 of 10 found", counts, ("star", "planet")),
                ],
            ),
            Section("Voices", sounds=[Sound("first", b"RIFF", "What was said")]),
            Section(
                "Stars",
                pages=[Page("KIC 1", "KIC 1: missed", "A planet", [Section("Curve", pictures=[
                    chart("kic 1")])])],
            ),
        ],
        introduction="What was found.",
    )  # fmt: skip


def test_a_page_fetches_nothing_but_what_is_beside_it():
    files = full().as_files()
    for name in ("index.html", "examples/kic-1.html"):
        page = files[name].decode()
        reader = read(page)
        assert page.startswith("<!doctype html>")
        assert "@import" not in page
        assert "url(" not in page
        assert "prefers-color-scheme: dark" in page
        assert not re.search("https?:", page)
        folder = name.rpartition("/")[0]
        for target in reader.fetched:
            if not target.startswith(("data:", "#s")):
                up = target.removeprefix("../") if folder else target
                assert up in files, target


def test_a_page_says_what_it_was_given():
    shown = " ".join(read(full().html).text)
    said = ("What was found.", "Five stars have a planet.", "CNN", "0.250", "What was said")
    for words in (*said, "A note.", "KIC 1: missed", "Light curve, deepest at day 2", "80.0%"):
        assert words in shown


def test_all_that_is_seen_or_heard_has_a_text():
    for name in ("index.html", "examples/kic-1.html"):
        page = full().as_files()[name].decode()
        for tag in re.findall(r"<(?:img|audio|svg)\b[^>]*>", page):
            assert re.search(r'alt="[^"]+"|aria-label="[^"]+"|aria-hidden="true"', tag), tag
        assert page.count("<figure") == page.count("<figcaption")
        assert page.count('<figure class="chart') == page.count("<details>")


def test_the_markdown_links_to_the_files_beside_it():
    result = full()
    assert set(result.files) == {
        "pictures/cnn-scores.png", "charts/curve.svg", "charts/kic-1.svg", "sounds/first.wav",
        "examples/kic-1.html", "examples/kic-1.md",
    }  # fmt: skip
    assert result.markdown == (
        "# Exoplanets\n\nWhat was found.\n\n"
        "## Results\n\nFive stars have a planet.\n\n"
        "| model | F1    |\n| ----- | ----- |\n| CNN   | 0.250 |\n|       | -     |\n\n"
        "A note.\n\n"
        "## Scores\n\n![Scores of the test set](pictures/cnn-scores.png)\n\n"
        "Scores of the test set\n\n"
        "![Light curve](charts/curve.svg)\n\nLight curve, deepest at day 2\n\n"
        "**Decisions**\n\n"
        "| actual | taken for star | taken for planet |\n"
        "| ------ | -------------- | ---------------- |\n"
        "| star   | 29             | 1                |\n"
        "| planet | 2              | 8                |\n\n"
        "8 of 10 found\n\n"
        "## Voices\n\n[What was said](sounds/first.wav)\n\n"
        "## Stars\n\n- [KIC 1: missed](examples/kic-1.md): A planet\n"
    )
    assert result.files["examples/kic-1.md"].decode() == (
        "# KIC 1: missed\n\n[All results](../report.md)\n\nA planet\n\n"
        "## Curve\n\n![Light curve](../charts/kic-1.svg)\n\nLight curve, deepest at day 2\n"
    )


def test_a_chart_of_the_markdown_is_a_file_of_its_own():
    svg = ElementTree.fromstring(full().files["charts/curve.svg"])
    text = " ".join(svg.itertext())
    for words in ("Light curve: Light curve, deepest at day 2", "time (days)", "flux", "0.4"):
        assert words in text


def test_all_text_is_escaped():
    confusion = Confusion(NASTY, NASTY, {"tp": 1, "fp": 1, "fn": 1, "tn": 1}, (NASTY, NASTY))
    section = Section(
        NASTY, [NASTY], [{NASTY: NASTY}],
        [Picture("p", PNG, NASTY), chart("c", NASTY), confusion], [Sound("s", b"", NASTY)],
        [Page("p", NASTY, NASTY, [Section(NASTY, [NASTY])])], [NASTY],
    )  # fmt: skip
    result = report(NASTY, [section] * 1, introduction=NASTY)
    plain = report("t", [])
    for page in (result.html, result.files["examples/p.html"].decode()):
        reader = read(page)
        assert reader.tags.count("script") == read(plain.html).tags.count("script") == 1
        assert reader.text.count(NASTY) >= 4
        assert "<script>alert" not in page
    assert b"<script" not in result.files["charts/c.svg"]
    ElementTree.fromstring(result.files["charts/c.svg"])
    assert not re.search(r"(?<!\\)[<`]", result.markdown)
    assert not re.search(r"(?<!\\)\]\(http", result.markdown)


@pytest.mark.parametrize(
    ("prose", "written"),
    [("# 1", "\\# 1"), ("- x", "\\- x"), ("3. x", "&#51;. x"), ("> x", "\\> x"), ("a_b", "a_b")],
)
def test_prose_starts_no_heading_or_list(prose, written):
    assert report("t", [Section("s", [prose])]).markdown.split("\n\n")[2].strip() == written


def test_the_reason_for_an_undefined_value_is_at_hand():
    value = {"value": None, "low": None, "high": None, "reason": 'no "row" is flagged'}
    page = report("t", [Section("s", table=[{"precision": value}])]).html
    assert 'title="no &#34;row&#34; is flagged">undefined<' in page


def test_two_pictures_of_one_name_are_refused():
    pictures = [Picture("CNN scores", PNG, ""), Picture("cnn: scores", PNG, "")]
    with pytest.raises(
        ValueError, match=r"'cnn: scores' makes .* 'pictures/cnn-scores.png'.* taken"
    ):
        report("t", [Section("s", pictures=pictures)])
    with pytest.raises(ValueError, match="empty: use letters"):
        report("t", [Section("s", pictures=[Picture("!", PNG, "")])])


def test_the_same_input_makes_the_same_bytes_and_another_one_others():
    assert full().as_files() == full().as_files()
    assert full("Six.").html != full().html
