"""Download LibriSpeech from OpenSLR; `models.speech.readers` reads its files.

LibriSpeech is 1000 hours of read English (Panayotov et al. 2015, ICASSP, 5206; CC BY 4.0).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.download import fetch, unpack

OPENSLR = "https://www.openslr.org/resources/12"

PARTS = {
    "dev-clean": "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3",
    "dev-other": "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365",
    "test-clean": "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23",
    "test-other": "d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29",
    "train-clean-100": "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2",
    "train-clean-360": "146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf",
    "train-other-500": "ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2",
}
"""The parts and the SHA-256 of each one's archive; OpenSLR itself gives MD5 sums, dev-clean's being
42e2234ba48799c1f50f24a7926300a1. Of dev-clean, 338 MB and 5.4 h, the study took 2,023 utterances.
"""

MAX_BYTES, MAX_FILES = 64 << 30, 200_000  # train-other-500, the largest, has half of either


def download_librispeech(
    folder: Path,
    parts: list[str],
    *,
    base_url: str = OPENSLR,
    hashes: dict[str, str] = PARTS,
    **options: Any,
) -> list[Path]:
    """Download parts of LibriSpeech into ``folder`` and unpack them there, each into its own.

    Unpacked parts are kept, and an interrupted download resumes.

    Parameters
    ----------
    folder
        Where to; ``dev-clean.tar.gz`` is unpacked into ``dev-clean``.
    parts
        Some of `PARTS`.
    base_url, hashes
        Another mirror, and the SHA-256 of its archives.
    **options
        Those of `models.download.fetch`.

    Returns
    -------
    list of Path
        Folder of each part.

    Raises
    ------
    ValueError
        There is no such part.
    DownloadError, ArchiveError
        See `models.download`.
    """
    if not parts or not set(parts) <= set(hashes):
        raise ValueError(f"parts of LibriSpeech are {', '.join(hashes)}, not {parts}")
    for part in parts:
        if not (folder / part).is_dir():
            archive = folder / f"{part}.tar.gz"
            fetch(f"{base_url}/{part}.tar.gz", archive, sha256=hashes[part], **options)
            unpack(archive, folder / part, max_bytes=MAX_BYTES, max_files=MAX_FILES)
    return [folder / part for part in dict.fromkeys(parts)]
