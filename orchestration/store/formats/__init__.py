"""How each kind of result is written to a file, read back, and known by its content.

A format turns one value into one file and hashes its *content*: values, dtypes, shapes, names and
whatever else `read` gives back, such as the order of a dict or of a column's categories, never
bytes that vary from write to write such as a timestamp in a zip archive. Values that the reader can
tell apart have different hashes; equal content has an equal hash whatever the process, the chunking
or the file's bytes. Nothing is pickled.
"""

from orchestration.store.formats.arrays import StoredArray, StoredArrays, write_arrays
from orchestration.store.formats.base import Format, Written
from orchestration.store.formats.estimators import read_estimator, write_estimator
from orchestration.store.formats.folders import read_folder, write_folder
from orchestration.store.formats.json import read_json, write_json
from orchestration.store.formats.networks import read_network, write_network
from orchestration.store.formats.tables import read_table, write_table

FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("arrays", ".h5", write_arrays, StoredArrays, lazy=True),
        Format("tables", ".parquet", write_table, read_table),
        Format("json", ".json", write_json, read_json),
        Format("folders", ".zip", write_folder, read_folder),
        Format("networks", ".keras", write_network, read_network, own_types=True),
        Format("estimators", ".skops", write_estimator, read_estimator, own_types=True),
    )
}
"""Every format, by the ``io_manager_key`` that assets name."""

__all__ = ["FORMATS", "Format", "StoredArray", "StoredArrays", "Written"]
