"""The study's comparisons: groups of models from `models.speech.designs`, and their questions.

A model may be in several; together they hold all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.speech.designs import ALL, DESIGNS, OWN


@dataclass(frozen=True)
class Study:
    """One comparison: the question, and the ids of its models."""

    question: str
    models: tuple[str, ...]


def _ids(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"s{number:03d}" for number in range(first, last + 1))


STUDIES = {
    "parts": Study(
        "What does each part add: a bare recurrent layer, a dense layer at each step, a "
        "convolution before, deeper recurrence?",
        _ids(0, 6),
    ),
    "merges": Study(
        "Does a bidirectional layer help, and merged how: concat, sum, ave, mul?",
        ("s005", *_ids(7, 10)),
    ),
    "cnn_order": Study(
        "Which of relu, dropout and batch normalisation does one convolution need, in which order?",
        _ids(11, 18),
    ),
    "cnn_order_deep": Study(
        "Is the best order the same for two, three and eight convolutions?",
        (*_ids(19, 22), *_ids(31, 37)),
    ),
    "cnn_depth": Study(
        "How many convolutions, of which kernel?",
        ("s015", *_ids(24, 31), "s035", "s038"),
    ),
    "cnn_dense": Study("Does a DenseNet of convolutions help?", ("s038", *_ids(39, 48))),
    "dilations": Study(
        "Do growing dilations help, and with which order and dropout?",
        (*_ids(49, 53), *_ids(60, 62)),
    ),
    "inverse_dilations": Study("Do shrinking dilations help?", _ids(54, 59)),
    "cnn_dropout": Study("Which dropout rate in twelve convolutions?", _ids(63, 68)),
    "rnn_order": Study(
        "Which of relu, dropout and batch normalisation do recurrent layers need between them, and "
        "which dropout rate?",
        _ids(69, 75),
    ),
    "rnn_depth": Study("How many recurrent layers, from 1 to 12?", _ids(76, 81)),
    "head_order": Study(
        "Which of relu, dropout and batch normalisation does the head need, in which order?",
        ("s015", "s023", *_ids(82, 88)),
    ),
    "head_dropout": Study("Which dropout rate in the head?", _ids(87, 94)),
    "cnn_against_rnn": Study("Deep convolutions, deep recurrence, or both?", _ids(95, 98)),
    "rnn_dense": Study(
        "Do densely connected recurrent layers help, of which width, depth and dropout?",
        _ids(97, 106),
    ),
    "cells": Study("GRU against LSTM", ("s103", "s107", "s108")),
    "features": Study(
        "Spectrograms against MFCC",
        ("s000", "s001", "s103", *_ids(109, 112)),
    ),
    "final": Study(
        "The final models, and two that two processor cores train in minutes",
        ("s111", "s112", *OWN),
    ),
}
"""The study's comparisons by name."""

GROUPS = {"all": tuple(DESIGNS)} | {name: study.models for name, study in STUDIES.items()}


def chosen(names: Sequence[str]) -> list[str]:
    """Return the ids of a list of ids and studies (``all``: the 113), each once.

    Raises
    ------
    ValueError
        A name is neither.
    """
    wanted: set[str] = set()
    for name in names:
        if name not in ALL and name not in GROUPS:
            raise ValueError(
                f"{name!r} is neither a model (s000 ... s112, {', '.join(OWN)}) nor a study "
                f"({', '.join(GROUPS)})"
            )
        wanted.update(GROUPS.get(name, (name,)))
    return [name for name in ALL if name in wanted]
