"""The published figures are of networks and settings that exist, and none exceeds its bar."""

from __future__ import annotations

import pytest

from models.solar_flares.networks import DESIGNS, SETTINGS
from models.solar_flares.published import RESULTS, TEST_BAR


@pytest.mark.parametrize("name", DESIGNS)
def test_figures_are_shares_of_a_known_network_and_setting(name):
    settings = RESULTS[name]
    assert set(settings) <= set(SETTINGS)
    for accuracy, recall in settings.values():
        assert 0 < recall < 1
        assert 0 < accuracy < TEST_BAR


def test_every_network_has_figures_and_every_figure_a_network():
    assert set(RESULTS) == set(DESIGNS)
    assert sum(map(len, RESULTS.values())) == 18


def test_the_bar_is_a_quarter_above_a_chance_criterion():
    # p^2 + (1 - p)^2 = 0.738: 15.5 % flares.
    share = 0.155
    assert pytest.approx(1.25 * (share**2 + (1 - share) ** 2), abs=1e-3) == TEST_BAR
