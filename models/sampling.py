"""Train, validation and test splits; cross-validation folds; batch order.

Splits and folds keep a group (a star, a region, a speaker, a scan) whole and share the rare
positives out evenly; batches are the streams that a network is trained on.

Every choice comes from an explicit seed. The batches of an epoch depend on the seed and the
epoch's number alone, so that a stream may be read twice, or from the middle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike as AnyArray
from numpy.typing import NDArray

from models.arrays import ArrayLike, Arrays

Rows = NDArray[np.int64]
Inputs = NDArray[np.float32] | dict[str, NDArray[np.float32]]
Batch = tuple[Inputs, NDArray[np.float32]]

#: Rows chosen out of stored arrays are kept in memory up to this size, and read again if larger.
MEMORY_BYTES = 1 << 30
#: Rows of stored arrays are read this many bytes at a time, several batches at once.
READ_BYTES = 64 << 20


SPLITS = ("train", "validation", "test")
"""Names of the splits by their codes 0, 1 and 2."""

TRAIN, VALIDATION, TEST = range(3)


@dataclass(frozen=True)
class Split:
    """The split of each row of a data set.

    Attributes
    ----------
    codes
        int8, shape (n,): 0 train, 1 validation, 2 test.
    method
        How the rows were split, in words.
    columns
        More that is known of each row, by name, shape (n,).
    left_out
        Rows that are in no split: why, and how many.
    """

    codes: NDArray[np.int8]
    method: str
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the codes as ``split`` beside the other columns."""
        return {"split": self.codes, **self.columns}

    def counts(self, positive: AnyArray, positives: str, negatives: str) -> dict[str, int]:
        """Count the positives and the negatives of each split.

        Parameters
        ----------
        positive : array-like of shape (n,)
            0 or 1.
        positives, negatives
            What the two classes are called.
        """
        label = np.asarray(positive)
        return {
            f"{name} ({what})": int(np.sum(label[self.codes == code] == value))
            for code, name in enumerate(SPLITS)
            for what, value in ((positives, 1), (negatives, 0))
        }


class Fold(NamedTuple):
    """One round of repeated cross-validation: ``int64`` row indices, ascending."""

    repeat: int
    fold: int
    train: Rows
    test: Rows


def binary_labels(labels: AnyArray, *, what: str = "labels") -> NDArray[np.bool_]:
    """Check that ``labels`` are one per row and 0 or 1, and return them as booleans.

    Parameters
    ----------
    labels
        Shape (n,), bool, integer or floating point; 1 is a positive.
    what
        What to call them in an error.

    Raises
    ------
    ValueError
        If they are not one-dimensional, or any is not 0 or 1; names the first such row.
    """
    values = np.asarray(labels)
    if values.ndim != 1:
        raise ValueError(f"{what} must have one value per row, shape (n,), not {values.shape}")
    if values.dtype == np.bool_:
        return values
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{what} must be 0 or 1, not of type {values.dtype}")
    wrong = np.flatnonzero((values != 0) & (values != 1))
    if wrong.size:
        raise ValueError(
            f"{what} must be 0 or 1, but row {wrong[0] + 1} holds {values[wrong[0]]} "
            f"({wrong.size} of {values.size} rows are neither): map the classes first"
        )
    return np.asarray(values == 1, dtype=np.bool_)


def split(
    labels: AnyArray, groups: AnyArray | None, fractions: Mapping[str, float], seed: int
) -> dict[str, Rows]:
    """Share the rows out so that each split has a like share of positives and of groups' rows.

    Groups stay whole. They are placed one by one, those with most positives first and at random
    among equals, each where the squared deviation of both classes from their due, relative to the
    due, then is least.

    Parameters
    ----------
    labels
        Shape (n,), 0 or 1.
    groups
        Shape (n,), any type that sorts: rows of equal group never part. None where every row is
        a group of its own; the class counts then follow the fractions to the nearest row.
    fractions
        Share of the rows due to each split; they add up to 1.
    seed
        Seed of the random choices.

    Returns
    -------
    dict of str to int64 array
        Row indices of each split, ascending; together every row exactly once.

    Raises
    ------
    ValueError
        If the input is malformed, or a split would get no positive or no negative.
    """
    positive = binary_labels(labels)
    shares = np.array(list(fractions.values()), dtype=np.float64)
    if shares.size == 0 or not np.all(shares > 0) or abs(shares.sum() - 1) > 1e-9:
        raise ValueError(
            f"fractions must be positive and add up to 1, not to {shares.sum():g}: "
            f"{dict(fractions)}"
        )
    assigned = _assign(positive, groups, shares, np.random.default_rng(seed))
    result = {name: np.flatnonzero(assigned == k) for k, name in enumerate(fractions)}
    for name, rows in result.items():
        _require_both_classes(f"split {name!r}", rows, positive, groups, len(fractions))
    return result


def rows_of(splits: Arrays, code: int) -> Rows:
    """Row indices of one split, ascending; ``splits["split"]`` holds the codes, shape (n,)."""
    return np.flatnonzero(np.asarray(splits["split"]) == code)


def stratified_folds(
    labels: AnyArray, groups: AnyArray | None, folds: int, repeats: int, seed: int
) -> list[Fold]:
    """Cut the rows into ``folds`` parts, ``repeats`` times over, each part the test set once.

    Parameters
    ----------
    labels, groups
        As for :func:`split`.
    folds
        Parts, at least 2. With few positives take as many folds as leave one or more in each.
    repeats
        How often to cut anew, at least 1.
    seed
        Seed of the random choices; each repeat draws from its own stream.

    Returns
    -------
    list of Fold
        ``repeats * folds`` of them; the test rows of one repeat hold every row exactly once.

    Raises
    ------
    ValueError
        If the input is malformed, or a fold would get no positive or no negative.
    """
    if folds < 2 or repeats < 1:
        raise ValueError(f"need folds >= 2 and repeats >= 1, not {folds} and {repeats}")
    positive = binary_labels(labels)
    result = []
    for repeat in range(repeats):
        generator = np.random.default_rng([seed, repeat])
        assigned = _assign(positive, groups, np.full(folds, 1 / folds), generator)
        for fold in range(folds):
            test = np.flatnonzero(assigned == fold)
            _require_both_classes(f"fold {fold + 1}", test, positive, groups, folds)
            result.append(Fold(repeat, fold, np.flatnonzero(assigned != fold), test))
    return result


def group_codes(groups: AnyArray | None, rows: int) -> NDArray[np.int64]:
    """Number the groups from 0: shape (rows,); every row its own where ``groups`` is None.

    Raises
    ------
    ValueError
        If there is not one group per row.
    """
    if groups is None:
        return np.arange(rows)
    values = np.asarray(groups)
    if values.shape != (rows,):
        raise ValueError(f"need one group per row, shape ({rows},), not {values.shape}")
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _assign(
    positive: NDArray[np.bool_],
    groups: AnyArray | None,
    shares: NDArray[np.float64],
    generator: np.random.Generator,
) -> Rows:
    """Return the split of each row, shape (n,)."""
    codes = group_codes(groups, positive.size)
    count = int(codes.max()) + 1 if codes.size else 0
    if count == positive.size:
        return _assign_rows(positive, shares, generator)
    counts = np.stack(
        [np.bincount(codes, ~positive, count), np.bincount(codes, positive, count)], axis=1
    )
    total = np.maximum(counts.sum(axis=0), 1)
    missing = shares[:, None] * total
    order = generator.permutation(count)
    order = order[np.lexsort((-counts[order, 0], -counts[order, 1]))]
    places = np.empty(count, dtype=np.int64)
    for group in order:
        # Placing counts g in split s adds (g - 2 missing) g / (share total^2) to the deviation
        # sum((placed - due)^2 / (share total^2)), which weighs splits and classes alike.
        added = (counts[group] - 2 * missing) * counts[group] / (shares[:, None] * total**2)
        place = int(np.argmin(added.sum(axis=1)))
        places[group] = place
        missing[place] -= counts[group]
    return places[codes]


def _assign_rows(
    positive: NDArray[np.bool_], shares: NDArray[np.float64], generator: np.random.Generator
) -> Rows:
    """Share out each class by itself, to the nearest row by largest remainder."""
    assigned = np.empty(positive.size, dtype=np.int64)
    for of_class in (np.flatnonzero(positive), np.flatnonzero(~positive)):
        due = shares * of_class.size
        counts = np.floor(due + 1e-9).astype(np.int64)
        short = of_class.size - int(counts.sum())
        counts[np.argsort(counts - due, kind="stable")[:short]] += 1
        assigned[generator.permutation(of_class)] = np.repeat(np.arange(shares.size), counts)
    return assigned


def _require_both_classes(
    name: str, rows: Rows, positive: NDArray[np.bool_], groups: AnyArray | None, parts: int
) -> None:
    count = int(np.count_nonzero(positive[rows]))
    if 0 < count < rows.size:
        return
    lacking, of_class = ("positives", positive) if count == 0 else ("negatives", ~positive)
    total = int(np.count_nonzero(of_class))
    within = ""
    if groups is not None:
        within = f" in {np.unique(np.asarray(groups)[of_class]).size} groups"
    raise ValueError(
        f"{name} would get no {lacking}: there are {total} {lacking}{within} for {parts} parts "
        f"({rows.size} of {positive.size} rows would fall to {name}). Add {lacking}, ask for "
        "fewer parts or give this one a larger share"
    )


def read_rows(array: ArrayLike, rows: Rows) -> NDArray[Any]:
    """Read the given rows, in the given order, of an array that may lie on disk."""
    return np.asarray(array[rows])


def require_finite(values: Any, rows: Rows, name: str = "") -> None:
    """Refuse inputs that hold NaN or inf: many layers turn them into plausible numbers.

    Parameters
    ----------
    values
        Shape (rows, ...), floating point.
    rows
        The number, from 0, of each row in the array that ``values`` are from.
    name
        Name of the input for the error.

    Raises
    ------
    ValueError
        Names the first such row.
    """
    with np.errstate(invalid="ignore"):  # inf - inf
        if np.isfinite(values.sum(dtype=np.float64)):  # needs no array as large as the values
            return
    broken = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    raise ValueError(
        f"input {name or 'x'} holds NaN or inf in row {int(rows[broken[0]]) + 1} ({broken.size} of "
        f"{len(values)} rows read): fill or drop such values before training and scoring"
    )


class Batches:
    """Rows in batches, shuffled anew in every epoch.

    Parameters
    ----------
    x
        The network's input, shape (n, ...), or several by the name of the input layer. Stored
        arrays are read lazily; the chosen rows are kept in memory where they take up to
        ``MEMORY_BYTES``.
    y
        Targets, shape (n, ...).
    rows
        Rows to draw from; all by default.
    batch
        Rows in a batch. The last one of an epoch may be smaller.
    seed
        Seed of the order.
    steps
        Batches in an epoch. By default what it takes to use every row once; with more, rows come
        again only after all have been used.
    shuffle
        Whether to shuffle; False for rows that are to be scored in their order.

    Raises
    ------
    ValueError
        If arrays differ in length, a row is out of range, there are no rows, or one of those
        chosen holds NaN or inf (for stored arrays too large to keep: when it is read).

    Attributes
    ----------
    arrays
        The inputs by name, ``""`` where there is one without a name. Where ``in_memory`` they
        hold the chosen rows alone, as float32 arrays; else they are those that were given.
    """

    def __init__(
        self,
        x: ArrayLike | Arrays,
        y: AnyArray,
        rows: Rows | None = None,
        *,
        batch: int = 32,
        seed: int = 0,
        steps: int | None = None,
        shuffle: bool = True,
    ) -> None:
        arrays = x if isinstance(x, Mapping) else {"": x}
        self.single = not isinstance(x, Mapping)
        targets = np.asarray(y, dtype=np.float32)
        lengths = {name or "x": len(array) for name, array in arrays.items()}
        if set(lengths.values()) != {len(targets)}:
            raise ValueError(f"inputs {lengths} and {len(targets)} targets differ in length")
        self._rows = np.arange(len(targets)) if rows is None else np.asarray(rows, dtype=np.int64)
        if self._rows.size == 0:
            raise ValueError("there are no rows to make batches of")
        if self._rows.min() < 0 or self._rows.max() >= len(targets):
            raise ValueError(
                f"rows must lie in 0 ... {len(targets) - 1}, but they span "
                f"{self._rows.min()} ... {self._rows.max()}"
            )
        if batch < 1 or (steps is not None and steps < 1):
            raise ValueError(f"batch and steps must be 1 or more, not {batch} and {steps}")
        self.batch = batch
        self.seed = seed
        self._shuffle = shuffle
        #: Targets of the chosen rows.
        self.y = targets[self._rows]
        require_finite(self.y, self._rows, "of targets")
        self._positions = np.arange(self._rows.size)  # within self._rows
        self.steps = steps or self._default_steps()
        #: Rows an epoch holds.
        self.samples = self._samples(steps)
        self._keep(arrays)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of epoch ``number``, from 0: ``(x, y)``, float32.

        ``x`` is a dict where several inputs were given by name.
        """
        order = self.order(number)
        chunk = self.batch if self.in_memory else self._chunk
        for start in range(0, order.size, chunk):
            positions = order[start : start + chunk]
            block = {
                name: self._read(name, array, positions) for name, array in self.arrays.items()
            }
            targets = self.y[positions]
            for first in range(0, positions.size, self.batch):
                part = slice(first, first + self.batch)
                x = {name: values[part] for name, values in block.items()}
                yield (x[""] if self.single else x), targets[part]

    def _default_steps(self) -> int:
        return -(-self._positions.size // self.batch)

    def _samples(self, steps: int | None) -> int:
        return self._positions.size if steps is None else steps * self.batch

    def order(self, number: int) -> Rows:
        """Return the rows of an epoch in the order of use, as positions among the chosen rows."""
        if not self._shuffle:
            return np.resize(self._positions, self.samples)
        generator = np.random.default_rng([self.seed, number])
        return _shuffled(self._positions, self.samples, generator)

    def _keep(self, arrays: Arrays) -> None:
        """Take the chosen rows into memory if they fit; note how many to read at a time if not."""
        row = sum(4 * int(np.prod(array.shape[1:])) for array in arrays.values())
        self.in_memory = row * self._rows.size <= MEMORY_BYTES
        self._chunk = max(READ_BYTES // (row * self.batch), 1) * self.batch
        self.arrays = dict(arrays)
        if self.in_memory:
            everything = np.array_equal(self._rows, np.arange(len(next(iter(arrays.values())))))
            self.arrays = {
                name: (np.asarray(array[:]) if everything else read_rows(array, self._rows)).astype(
                    np.float32, copy=False
                )
                for name, array in arrays.items()
            }
            for name, values in self.arrays.items():
                require_finite(values, self._rows, name)

    def _read(self, name: str, array: ArrayLike, positions: Rows) -> NDArray[np.float32]:
        if self.in_memory:
            return np.asarray(array[positions])
        rows = self._rows[positions]
        values = read_rows(array, rows).astype(np.float32, copy=False)
        require_finite(values, rows, name)
        return values


class BalancedBatches(Batches):
    """Batches of which half are positives, for classes of very unequal size.

    The positives rotate: they are dealt from a shuffled pack that is shuffled again when it is
    empty, on from epoch to epoch, so that each is used equally often. The negatives are shuffled
    in every epoch and used once, bar those that no longer fill a batch. In each batch the
    positives come first, which no loss or normalisation over a batch can tell.

    Parameters
    ----------
    x, y, rows, seed
        As for :class:`Batches`; ``y`` is 0 or 1, shape (n,).
    batch
        Rows in every batch, an even number.
    steps
        Batches in an epoch; by default one pass over the negatives.

    Raises
    ------
    ValueError
        As for :class:`Batches`, and if ``batch`` is odd, or the rows hold no positive or no
        negative.
    """

    def __init__(
        self,
        x: ArrayLike | Arrays,
        y: AnyArray,
        rows: Rows | None = None,
        *,
        batch: int = 32,
        seed: int = 0,
        steps: int | None = None,
    ) -> None:
        if batch < 2 or batch % 2:
            raise ValueError(f"a balanced batch holds as many of each class: {batch} is not even")
        positive = binary_labels(y)
        chosen = positive if rows is None else positive[np.asarray(rows, dtype=np.int64)]
        self._positives = np.flatnonzero(chosen)
        self._negatives = np.flatnonzero(~chosen)
        if self._positives.size == 0 or self._negatives.size == 0:
            raise ValueError(
                f"balanced batches need both classes, but the {chosen.size} rows hold "
                f"{self._positives.size} positives: check the labels and the split"
            )
        super().__init__(x, y, rows, batch=batch, seed=seed, steps=steps)

    def _default_steps(self) -> int:
        return max(self._negatives.size // (self.batch // 2), 1)

    def _samples(self, steps: int | None) -> int:
        return self.steps * self.batch

    def order(self, number: int) -> Rows:
        """Return the rows of an epoch, positives first in each batch: shape (samples,)."""
        half = self.batch // 2
        count = self.steps * half
        generator = np.random.default_rng([self.seed, 0, number])
        negatives = _shuffled(self._negatives, count, generator)
        # The pack runs on over the epochs: this one starts where the last one stopped.
        pack = self._positives.size
        first, offset = divmod(number * count, pack)
        packs = -(-(offset + count) // pack)
        dealt = np.concatenate(
            [
                np.random.default_rng([self.seed, 1, first + k]).permutation(self._positives)
                for k in range(packs)
            ]
        )[offset : offset + count]
        return np.concatenate(
            [dealt.reshape(self.steps, half), negatives.reshape(self.steps, half)], axis=1
        ).ravel()


def _shuffled(values: Rows, count: int, generator: np.random.Generator) -> Rows:
    """Draw ``count`` of ``values`` at random; none comes twice before all have come once."""
    rounds: Sequence[Rows] = [
        generator.permutation(values) for _ in range(-(-count // values.size))
    ]
    return np.concatenate(rounds)[:count]
