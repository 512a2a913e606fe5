"""Data frames in Parquet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestration.store.formats.base import Written, content_hash

if TYPE_CHECKING:
    import pandas as pd


def write_table(value: pd.DataFrame, path: Path) -> Written:
    """Write a data frame to Parquet; its index is not kept."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(value, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")
    columns = {field.name: table.column(field.name) for field in table.schema}
    return Written(
        content_hash("table", *(_column_hash(name, column) for name, column in columns.items())),
        table.num_rows,
        {name: (str(column.type), (table.num_rows,)) for name, column in columns.items()},
    )


def _column_hash(name: str, column: Any) -> str:
    import pyarrow as pa

    array = column.combine_chunks()
    if pa.types.is_floating(array.type) or pa.types.is_integer(array.type):
        missing = np.asarray(array.is_null())
        values = np.where(missing, 0, array.fill_null(0).to_numpy(zero_copy_only=False))
        return content_hash(name, str(array.type), missing.tobytes(), values.tobytes())
    kept = [array]
    if pa.types.is_dictionary(array.type):  # read back as categories, in their order
        kept.append(array.dictionary)
    texts = [json.dumps(each.to_pylist(), default=str) for each in kept]
    return content_hash(name, str(array.type), *texts)


def read_table(path: Path) -> pd.DataFrame:
    """Read a data frame."""
    import pandas as pd

    return pd.read_parquet(path)
