"""From records to fitted models: features block by block, examples of a form, training, scores.

Here belongs which examples a model learns from and is asked about. The forms are in `forms`, the
networks in `networks`, the loop that trains them in `models.training`, the trees in `upgrade`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architectures import architecture, from_architecture
from models.arrays import ArrayLike, Arrays, Block, Blocks, iter_blocks, map_blocks
from models.sampling import TRAIN, VALIDATION, Batches, read_rows, rows_of
from models.solar_flares import upgrade
from models.solar_flares.forms import (
    DELAY,
    LOOKBACK,
    PublishedWindows,
    Scaling,
    compress,
    fit_scaling,
    sequences,
    single_steps,
    standardise,
)
from models.solar_flares.networks import (
    FORM_SHAPES,
    LEARNING_RATE,
    LOSS,
    METRICS,
    OPTIMISER,
    Setting,
    network,
    published_counts,
    register,
)
from models.training import History, Phase, fresh, predict, train

BATCH = 128


# features ---------------------------------------------------------------------------------------


def scaling_of(records: Arrays, splits: Arrays) -> dict[str, list[float]]:
    """Take mean and deviation from the training records: ``mean``, ``deviation``, ``samples``."""
    code = np.asarray(splits["split"])

    def training() -> Iterator[Block]:
        start = 0
        for block in iter_blocks(records, names=["values"]):
            stop = start + len(block["values"])
            yield {"values": block["values"][code[start:stop] == TRAIN]}
            start = stop

    found = fit_scaling(training())
    return {
        "mean": found.mean.tolist(),
        "deviation": found.deviation.tolist(),
        "samples": found.samples.tolist(),
    }


def _known(scaling: Mapping[str, Any]) -> Scaling:
    return Scaling(*(np.asarray(scaling[name]) for name in ("mean", "deviation", "samples")))


def _scaled(block: Block, scaling: Mapping[str, Any]) -> NDArray[np.float32]:
    return standardise(block["values"], _known(scaling))


def sequences_of(records: Arrays, scaling: Mapping[str, Any]) -> Blocks:
    """Standardise records and fill their gaps: ``values``, float32, (n, 60, 25)."""
    return map_blocks(
        records, lambda block: sequences({"values": _scaled(block, scaling)}), names=["values"]
    )


def steps_of(records: Arrays, scaling: Mapping[str, Any]) -> Blocks:
    """Take standardised records apart: ``values``, float32, (m, 1, 25); ``record``, its row."""

    def blocks() -> Iterator[Block]:
        start = 0
        for block in iter_blocks(records, names=["values"]):
            rows = np.arange(start, start + len(block["values"]))
            yield single_steps({"values": _scaled(block, scaling), "record": rows})
            start += len(rows)

    return Blocks(blocks())


def statistics_of(records: Arrays, scaling: Mapping[str, Any]) -> Blocks:
    """Sum compressed records up: ``values``, float32, (n, 200), NaN where all samples lack."""
    known = _known(scaling)

    def summed(block: Block) -> Block:
        compressed = compress(block["values"], known)
        return {"values": upgrade.window_statistics({"values": compressed})}

    return map_blocks(records, summed, names=["values"])


# networks ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Examples:
    """What a network reads in one form.

    Attributes
    ----------
    x
        Inputs, shape (m, steps, inputs).
    record
        The record that each one's label is from, shape (m,).
    rows
        Those of the split that was asked for.
    """

    x: ArrayLike
    record: NDArray[np.int64]
    rows: NDArray[np.int64]


def examples(shape: tuple[int, ...], features: Mapping[str, Arrays], code: int) -> Examples:
    """Give the examples of a split in the form that a network takes.

    Parameters
    ----------
    shape
        Of one input: one of `FORM_SHAPES`.
    features
        ``records``, ``splits``, and ``sequences`` or ``steps``, whichever the form is made of.
    code
        The split.

    Raises
    ------
    ValueError
        The features are of another form than the network takes.
    """
    form = next(name for name, held in FORM_SHAPES.items() if held == shape)
    if (needed := "sequences" if form == "sequences" else "steps") not in features:
        raise ValueError(
            f"the network takes {form}, made of {needed!r}, and is given {sorted(features)}: "
            'choose the form in faint.toml, section ["solar_flares/architecture"], so that '
            "networks and features agree"
        )
    if form == "sequences":
        x = features["sequences"]["values"]
        return Examples(x, np.arange(len(x)), rows_of(features["splits"], code))
    record = np.asarray(features["steps"]["record"])
    rows = np.flatnonzero(np.asarray(features["splits"]["split"])[record] == code)
    steps = features["steps"]["values"]
    if form == "steps":
        return Examples(steps, record, rows)
    record = record[rows]
    windows = PublishedWindows(
        read_rows(steps, rows), np.asarray(features["records"]["label"])[record]
    )
    return Examples(windows, record[LOOKBACK + DELAY :], np.arange(len(windows)))


def described(name: str, form: str) -> dict[str, Any]:
    """Describe one of the study's networks in a form: see `models.architectures.architecture`."""
    steps, inputs = FORM_SHAPES[form]
    return architecture(network(name, steps, inputs), published_counts(name, inputs))


def fit_network(
    architecture: Mapping[str, Any],
    setting: Setting,
    features: Mapping[str, Arrays],
    *,
    seed: int,
) -> tuple[Any, History]:
    """Train a network as the study does: RMSprop, binary cross-entropy, a flare's weight.

    Parameters
    ----------
    architecture
        As `described` gives it; its input tells the form.
    setting
        How long, and what a flare weighs.
    features
        As `examples` takes them.
    seed
        Seed of the weights, the dropout, the order of the batches and the validation examples.

    Returns
    -------
    network, history
        The trained network and what its training left behind. Validation looks at the same random
        examples after each epoch, as many as the setting's validation steps hold.
    """
    register()
    built = fresh(lambda: from_architecture(architecture), seed)
    shape = built.input_shape[1:]
    label = np.asarray(features["records"]["label"])
    learnt, held = examples(shape, features, TRAIN), examples(shape, features, VALIDATION)
    size = min(len(held.rows), setting.validation_steps * BATCH)
    looked_at = np.random.default_rng(seed).choice(held.rows, size, replace=False)
    history = train(
        built,
        Batches(
            learnt.x,
            label[learnt.record],
            learnt.rows,
            batch=BATCH,
            steps=setting.steps_per_epoch,
            seed=seed,
        ),
        Batches(held.x, label[held.record], np.sort(looked_at), batch=BATCH, shuffle=False),
        phases=[Phase(setting.epochs, LEARNING_RATE)],
        optimiser=OPTIMISER,
        loss=LOSS,
        metrics=list(METRICS),
        seed=seed,
        class_weight={1: setting.flare_weight},
    )
    return built, history


def score_network(
    fitted: Any, features: Mapping[str, Arrays], code: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Ask a network about a split: the record that each example's label is from, and the score."""
    asked = examples(fitted.input_shape[1:], features, code)
    return asked.record[asked.rows], predict(fitted, asked.x, asked.rows, batch=1024)


# the upgrade ------------------------------------------------------------------------------------


def fit_upgrade(features: Mapping[str, Arrays], *, seed: int) -> Any:
    """Fit the calibrated vote to the statistics of the training records."""
    rows = rows_of(features["splits"], TRAIN)
    label, region = (np.asarray(features["records"][name])[rows] for name in ("label", "region"))
    settings = upgrade.Settings()
    # A small sample may have fewer active regions with a flare than there are folds.
    flaring = np.unique(region[label == 1]).size
    settings = replace(settings, folds=max(2, min(settings.folds, flaring)))
    values = read_rows(features["statistics"]["values"], rows)
    return upgrade.fit(values, label, region, settings=settings, seed=seed)


def score_upgrade(
    fitted: Any, features: Mapping[str, Arrays], code: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Ask the calibrated vote about a split: the records, and their scores."""
    rows = rows_of(features["splits"], code)
    values = read_rows(features["statistics"]["values"], rows)
    return rows, np.asarray(fitted.predict_proba(values)[:, 1])
