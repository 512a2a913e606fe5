"""Download public data over bad networks, and unpack it without harm.

`fetching` resumes and verifies, `unpacking` opens archives safely, `kaggle` adds credentials.
The readers of each system interpret the files.
"""

from models.download.fetching import DownloadError, fetch, safe_url
from models.download.kaggle import KAGGLE_API, kaggle_credentials, kaggle_dataset_file
from models.download.unpacking import ArchiveError, unpack

__all__ = [
    "KAGGLE_API",
    "ArchiveError",
    "DownloadError",
    "fetch",
    "kaggle_credentials",
    "kaggle_dataset_file",
    "safe_url",
    "unpack",
]
