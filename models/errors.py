"""Errors that a person can act on, shared by all systems."""

from __future__ import annotations

from pathlib import Path


class BadInput(ValueError):  # noqa: N818 - reads as what it says: raise BadInput
    """A file from outside does not hold what it should.

    Parameters
    ----------
    problem : str
        What is wrong, as a clause without a full stop.
    file : str or Path
        The file at fault; for a member of an archive, ``archive.zip/member.csv``.
    row : int, optional
        Row of data, from 1 without the header.
    column : str, optional
        Name of the column.
    expected : str
        What the file should hold.
    remedy : str
        What to do about it, as a sentence.

    Examples
    --------
    >>> print(BadInput("'abc' is not a number", file="exoTest.csv", row=3, column="FLUX.7",
    ...                expected="a flux in e-/s", remedy="Download the file again."))
    exoTest.csv, row 3, column FLUX.7: 'abc' is not a number; expected a flux in e-/s. \
Download the file again.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path,
        row: int | None = None,
        column: str | None = None,
        expected: str,
        remedy: str,
    ) -> None:
        self.file = str(file)
        self.row = row
        self.column = column
        where = self.file
        if row is not None:
            where += f", row {row}"
        if column is not None:
            where += f", column {column}"
        super().__init__(f"{where}: {problem}; expected {expected}. {remedy}")
