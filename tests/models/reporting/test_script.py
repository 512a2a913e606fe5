"""In a browser: charts zoom and say what a point is, tables sort, and pages fit."""

from __future__ import annotations

import numpy as np
import pytest

from models.reporting import Axis, Chart, Page, Section, Series, report

DAYS = np.arange(50.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    curve = Chart(
        "curve", "Light curve", "Deepest at day 20", Axis("time (days)", 0, 49),
        Axis("flux", -2, 2),
        [
            Series("star", DAYS, np.where(DAYS == 20, -1.5, 0), "dots",
                   points=[f"cadence {day:.0f}" for day in DAYS]),
            Series("trend", [0, 49], [1, 1]),
        ],
        wide=True,
    )  # fmt: skip
    metric = {"value": 0.9, "low": 0.8, "high": 0.95}
    rows = [
        {"model": "b", "result": "ours", "score": metric, "seconds": 10},
        {"model": "", "result": "published", "score": 0.1, "seconds": None},
        {"model": "a", "result": "ours", "score": 0.5, "seconds": 9},
        {"model": "c", "result": "ours", "score": {"value": None, "reason": "none"}, "seconds": 1},
    ]
    rows = [row | {f"a long heading {k}": "a value that is wide" for k in range(6)} for row in rows]
    pages = [Page("star", "KIC 1", "A star", [Section("Curve", pictures=[curve])])]
    written = report(
        "Stars and " + "averyverylongword" * 4,
        [
            Section("Models", table=rows),
            Section("Curves", pages=pages),
            Section("Epochs", pictures=[
                Chart("loss", "Loss", "It falls", Axis("epoch", whole=True), Axis("loss", log=True),
                      [Series("", [1, 2, 3], [100, 1, 0.01])])
            ]),
        ],
    )  # fmt: skip
    place = tmp_path_factory.mktemp("report")
    for name, content in written.as_files().items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(content)
    return place


@pytest.fixture
def opened(browser, folder):
    pages = []

    def open_page(name="index.html", width=1280, scheme="light"):
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto((folder / name).as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()


def ticks(page, axis="x"):
    return [float(text) for text in page.locator(f".{axis}ticks span").all_inner_texts()]


def middle(page, name):
    box = page.locator(name).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_drag_zooms_into_the_times_between_and_reset_shows_all(opened):
    page = opened("examples/star.html")
    everything = ticks(page)
    assert everything == [0, 10, 20, 30, 40]
    box = page.locator(".plot").bounding_box()
    across = [box["x"] + box["width"] * day / 49 for day in (18, 22)]
    page.mouse.move(across[0], box["y"] + 100)
    page.mouse.down()
    page.mouse.move(across[1], box["y"] + 103, steps=4)
    page.mouse.up()
    assert 17.5 <= min(ticks(page)) <= max(ticks(page)) <= 22.5
    assert ticks(page, "y") == [-2, -1, 0, 1, 2]  # a flat drag keeps all of y
    assert "time (days) from 1" in page.locator(".said").inner_text()
    page.get_by_role("button", name="Show all").click()
    assert ticks(page) == everything


def test_a_drag_downwards_zooms_into_both_axes_and_a_double_click_shows_all(opened):
    page = opened("examples/star.html")
    box = page.locator(".plot").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 120)
    page.mouse.up()
    assert max(ticks(page, "y")) < 2
    page.mouse.dblclick(*middle(page, ".plot"))
    assert ticks(page, "y") == [-2, -1, 0, 1, 2]


def test_the_pointer_says_which_point_it_is_on(opened):
    page = opened("examples/star.html")
    box = page.locator(".plot").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 20 / 49, box["y"] + box["height"] * 3.5 / 4, steps=3)
    assert page.locator(".tip").inner_text().split("\n") == [
        "star", "cadence 20", "time (days): 20", "flux: -1.5",
    ]  # fmt: skip
    page.mouse.move(0, 0)
    assert page.locator(".tip").is_hidden()


def test_keys_move_from_point_to_point_and_zoom_around_it(opened):
    page = opened("examples/star.html")
    page.locator(".plot").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "cadence 2" in page.locator(".said").inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator(".said").inner_text().startswith("trend")
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert max(ticks(page)) < 20
    page.keyboard.press("Escape")
    assert ticks(page) == [0, 10, 20, 30, 40]


def test_a_wheel_scrolls_the_page_and_zooms_only_with_control(opened):
    page = opened("examples/star.html")
    page.mouse.move(*middle(page, ".plot"))
    page.mouse.wheel(0, 100)
    assert ticks(page) == [0, 10, 20, 30, 40]
    page.keyboard.down("Control")
    for _ in range(5):
        page.mouse.wheel(0, -100)
    page.wait_for_function("document.querySelector('figure.chart').dataset.zoomed === ''")
    page.keyboard.up("Control")


def models(page):
    return page.locator("table.sortable tbody tr:first-child td:first-child").all_inner_texts()


def test_a_click_sorts_a_table_and_what_belongs_together_stays_so(opened):
    page = opened()
    assert models(page) == ["b", "a", "c"]
    page.get_by_role("button", name="score").click()
    assert models(page) == ["a", "b", "c"]  # what is undefined comes last
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("score")
    page.get_by_role("button", name="score").click()
    assert models(page) == ["b", "a", "c"]
    assert page.locator("tbody").first.locator("tr").count() == 2
    page.get_by_role("button", name="seconds").press("Enter")
    assert models(page) == ["c", "a", "b"]  # as numbers
    page.get_by_role("button", name="model").click()
    assert models(page) == ["a", "b", "c"]


def test_the_script_ticks_an_axis_as_it_was_drawn(opened):
    page = opened()
    assert page.locator(".xticks span").all_inner_texts() == ["1", "2", "3"]
    assert page.locator(".yticks span").all_inner_texts() == ["0.01", "0.1", "1", "10", "100"]


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["index.html", "examples/star.html"])
def test_a_page_is_no_wider_than_the_window(opened, width, name):
    page = opened(name, width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_a_page_is_light_or_dark_with_contrast(opened, scheme, dark):
    page = opened(scheme=scheme)

    def luminance(what):
        style = page.evaluate(f"getComputedStyle(document.querySelector('{what[0]}')).{what[1]}")
        rgb = np.array([float(part) for part in style[style.index("(") + 1 : -1].split(",")[:3]])
        linear = np.where(rgb <= 10, rgb / 3294, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    paper = luminance(("body", "backgroundColor"))
    assert bool(paper < 0.05) == dark
    for what in (("body", "color"), ("p", "color"), ("nav a", "color"), ("figcaption", "color")):
        low, high = sorted([luminance(what), paper])
        assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG AA
    for path, least in ((".plot path.line", 3), ("td small", 4.5)):
        low, high = sorted([luminance((path, "stroke" if "path" in path else "color")), paper])
        assert (high + 0.05) / (low + 0.05) >= least


def test_without_scripts_a_page_shows_its_charts_and_tables(browser, folder):
    page = browser.new_page(java_script_enabled=False)
    page.goto((folder / "examples" / "star.html").as_uri())
    assert ticks(page) == [0, 10, 20, 30, 40]
    assert page.get_by_role("img", name="Light curve: Deepest at day 20").is_visible()
    page.close()
