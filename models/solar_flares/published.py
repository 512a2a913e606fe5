"""What the study published: accuracy and recall on its test sample, by network and setting."""

from __future__ import annotations

RESULTS: dict[str, dict[str, tuple[float, float]]] = {
    "basic": {
        "short": (0.7530, 0.9581),
        "medium": (0.8781, 0.6644),
        "long": (0.8254, 0.7819),
    },
    "stacked": {
        "short": (0.7601, 0.9386),
        "medium": (0.7593, 0.9463),
        "long": (0.7611, 0.9318),
    },
    "embedding26": {"short": (0.4271, 0.6017)},
    "embedding25": {
        "short": (0.8762, 0.7106),
        "medium": (0.8721, 0.5547),
        "long": (0.8710, 0.6282),
    },
    "tied_stacked": {
        "short": (0.8747, 0.7698),
        "medium": (0.8782, 0.6881),
        "long": (0.8795, 0.6563),
    },
    "stacked_embedding": {
        "short": (0.8761, 0.7461),
        "medium": (0.8653, 0.6483),
        "long": (0.8614, 0.5873),
    },
    "tied_stacked_embedding26": {"short": (0.8731, 0.6924), "medium": (0.8860, 0.6677)},
}
"""(accuracy, recall) of decisions at a probability of 0.5; settings without figures are missing."""

TEST_BAR = 0.9225
"""1.25 times the proportional chance criterion of the published test sample; none exceeds it."""
