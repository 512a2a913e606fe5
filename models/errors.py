"""The errors that a person can act on.

Here belong the exceptions that all systems share. An error about data says where it is, what is
wrong, what was expected and what to do about it.
"""

from __future__ import annotations

from pathlib import Path


class BadInput(ValueError):  # noqa: N818 - reads as what it says: raise BadInput
    """A file from outside does not hold what it should.

    Parameters
    ----------
    problem
        What is wrong, as a clause without a full stop.
    file
        The file at fault; for a member of an archive, ``archive.zip/member.csv``.
    row
        Row of data, counted from 1 without the header, where one row is at fault.
    column
        Name of the column at fault.
    expected
        What should have been there.
    remedy
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
