"""Charts are drawn as paths, by hand-computed places."""

from __future__ import annotations

import io

import numpy as np
import pytest

from models.reporting.charts import (
    FEW_BARS,
    LISTED,
    ORANGE,
    Axis,
    Chart,
    Image,
    Rule,
    Series,
    draw,
    heat,
    number,
)

UNIT = Axis("x (m)", 0, 10), Axis("y (s)", 0, 1)


def chart(*series, x=UNIT[0], y=UNIT[1], **more):
    return Chart("c", "Title", "What it says", x, y, series, **more)


def test_a_line_has_a_gap_where_a_value_is_missing():
    drawn = draw(chart(Series("", [0, 5, 6, 10], [0, 0.5, np.nan, 1])))
    # a square of 10,000 units, y downwards
    assert [mark.path for mark in drawn.marks] == ["M0,10000l5000,-5000M10000,0"]


def test_dots_are_lines_without_length_and_keep_the_names_of_those_shown():
    series = Series("s", [0, 1, 10], [0, np.nan, 1], "dots", ORANGE, points=["a", "b", "c"])
    [mark] = draw(chart(series)).marks
    assert mark.path == "M0,10000h0m10000,-10000h0"
    assert (list(mark.points), mark.cls, mark.tone) == (["a", "c"], "dots", ORANGE)


def test_bars_stand_on_zero_and_intervals_on_their_ends():
    axis = Axis("bin", names=("a", "b"))
    drawn = draw(chart(Series("", [0, 1], [0.5, 1], "bars", low=[0.4, 0.9], high=[0.6, 1]), x=axis))
    assert drawn.marks[0].path == "M2500,6000V4000M7500,1000V0"
    assert drawn.marks[1].path == "M2500,10000V5000M7500,10000V0"
    many = Series("", range(FEW_BARS + 1), np.ones(FEW_BARS + 1), "bars")
    assert draw(chart(many)).marks[0].cls == "bars narrow"


def test_an_interval_may_lie_across():
    series = Series("", [5], [0], "dots", low=[4], high=[6], across=True)
    assert draw(chart(series, y=Axis("", names=("m",)))).marks[0].path == "M4000,5000H6000"


def test_rules_lie_below_the_series_and_after_them_in_the_legend():
    drawn = draw(
        chart(
            Series("data", [0], [0], "dots"),
            rules=[Rule("half", x=5), Rule("top", y=1), Rule("chance", diagonal=True)],
        )
    )
    assert [mark.path for mark in drawn.marks[:3]] == [
        "M5000,0V10000", "M0,0H10000", "M0,10000L1000,0",
    ]  # fmt: skip
    assert [mark.name for mark in drawn.legend] == ["data", "half", "top", "chance"]
    assert draw(chart(Series("alone", [0], [0]))).legend == []


def test_limits_are_those_of_the_data_with_a_margin():
    drawn = draw(chart(Series("", [0, 100], [1, 1000]), x=Axis("x"), y=Axis("y", log=True)))
    assert (drawn.x.low, drawn.x.high) == (-3, 103)
    assert (drawn.y.low, drawn.y.high) == pytest.approx((10**-0.09, 10**3.09))
    assert draw(chart(Series("", [], []), x=Axis("x"))).x.data == "-0.03 1.03 linear"
    assert draw(chart(Series("", [2], [0]), x=Axis("x"))).x.data == "1.47 2.53 linear"


@pytest.mark.parametrize(
    ("axis", "labels"),
    [
        (Axis("x", 0, 10), ["0", "2", "4", "6", "8", "10"]),
        (Axis("x", 0, 1), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (Axis("x", 1, 2, whole=True), ["1", "2"]),
        (Axis("x", 1, 1000, log=True), ["1", "10", "100", "1000"]),
        (Axis("x", 10, 20, log=True), ["10", "20"]),
        (Axis("x", 12, 18, log=True), ["12", "13", "14", "15", "16", "17", "18"]),
        (Axis("x", names=("a", "b")), ["a", "b"]),
        (Axis("x", 60, 0), ["0", "10", "20", "30", "40", "50", "60"]),
    ],
)
def test_ticks_are_round(axis, labels):
    ticks = draw(chart(Series("", [1], [1]), x=axis)).x.ticks()
    assert [text for _, text in ticks] == labels


def test_a_tick_stands_at_its_share_of_the_axis():
    assert draw(chart(Series("", [1], [1]))).x.ticks()[1] == (20.0, "2")


def test_an_axis_may_run_downwards():
    drawn = draw(chart(Series("", [0], [10]), y=Axis("depth (m)", 10, 0)))
    assert drawn.marks[0].path == "M0,10000"
    assert drawn.y.ticks()[0] == (100.0, "0")


def test_an_image_fills_its_extent():
    drawn = draw(chart(image=Image(b"png", (0, 5, 0, 1)), x=Axis("x", 0, 10)))
    assert drawn.image == ((0, 0, 5000, 10000), "data:image/png;base64,cG5n")


def test_an_array_is_coloured_from_low_to_high():
    from PIL import Image as Pillow

    png = heat([[0, 1], [2, 9]], colours="gray", low=0, high=2)
    assert png == heat([[0, 1], [2, 9]], colours="gray", low=0, high=2)
    pixels = np.asarray(Pillow.open(io.BytesIO(png)).convert("L"))
    assert pixels.tolist() == [[0, 128], [255, 255]]


def test_the_table_has_every_series_evenly_picked():
    size = 2 * LISTED
    drawn = draw(chart(Series("a", range(size), np.zeros(size)), Series("b", [1], [np.nan])))
    assert drawn.rows[1] == {"series": "a", "x (m)": "3", "y (s)": "0"}
    assert drawn.rows[-1] == {"series": "a", "x (m)": "198", "y (s)": "0"}  # nothing of b is drawn
    assert (len(drawn.rows), drawn.left_out) == (67, 133)
    named = draw(chart(Series("", [0], [1], "bars"), x=Axis("kind", names=("few",))))
    assert named.rows == [{"kind": "few", "y (s)": "1"}]


def test_a_series_of_unequal_lengths_is_refused():
    with pytest.raises(ValueError, match=r"chart 'c', series 's': 2 x need as many y, not 1"):
        draw(chart(Series("s", [0, 1], [0])))
    with pytest.raises(ValueError, match="2 x need as many points, not 1"):
        draw(chart(Series("s", [0, 1], [0, 1], points=["a"])))


def test_a_number_is_short():
    assert [number(v) for v in (0.1 + 0.2, 12345, 1e-7, -0.0)] == ["0.3", "12345", "1e-07", "0"]
