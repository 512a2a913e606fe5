"""How fast speech becomes features, beside python_speech_features.

Simulated speech is written to a temporary folder. python_speech_features then takes the cepstra of
every utterance, in the Python given (it needs numpy, and may have an environment of its own), and
this project takes the same cepstra, the spectrograms, and both, with one thread and with two, each
in a process of its own. The cepstra of both are compared. Nothing else should run meanwhile.

    python benchmarks/speech_features.py --peer /path/to/venv/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("cepstra", "spectrogram")
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

PEER = """
import sys, time, json
import numpy as np
from python_speech_features import mfcc
audio, lengths = np.load(sys.argv[1] + "/audio.npy"), np.load(sys.argv[1] + "/lengths.npy")
parts = np.split(audio, np.cumsum(lengths)[:-1])
mfcc(parts[0], 16000, numcep=26)
wall, busy = time.perf_counter(), time.process_time()
found = [mfcc(part, 16000, numcep=26) for part in parts]
print(json.dumps({"seconds": time.perf_counter() - wall, "busy": time.process_time() - busy}))
np.save(sys.argv[1] + "/peer.npy", np.concatenate(found))
np.save(sys.argv[1] + "/peer_frames.npy", [len(one) for one in found])
"""


def write_speech(folder: Path, minutes: float) -> None:
    sys.path.insert(0, str(ROOT))
    from models.speech.simulation import simulate

    parts: list[Any] = []
    for utterance in simulate({"train": 3000}, {"train": 30}):
        parts.append(utterance.audio)
        if sum(map(len, parts)) > minutes * 60 * 16_000:
            break
    np.save(folder / "audio.npy", np.concatenate(parts))
    np.save(folder / "lengths.npy", [len(part) for part in parts])


def ours(folder: Path, kinds: list[str], workers: int) -> dict[str, float]:
    sys.path.insert(0, str(ROOT))
    import pandas as pd

    from models.speech.features import cepstra_of, spectrograms_of

    audio, lengths = np.load(folder / "audio.npy"), np.load(folder / "lengths.npy")
    corpus = pd.DataFrame({"samples": lengths, "start": np.cumsum(lengths) - lengths})
    streams: dict[str, Any] = {"cepstra": cepstra_of, "spectrogram": spectrograms_of}
    first = corpus.head(4)  # imports and tables are not what is timed
    for kind in kinds:
        list(streams[kind]({"sample": audio}, first, workers=workers))
    wall, busy = time.perf_counter(), time.process_time()
    blocks = {}
    for kind in kinds:
        blocks[kind] = list(streams[kind]({"sample": audio}, corpus, workers=workers))
    spent = {"seconds": time.perf_counter() - wall, "busy": time.process_time() - busy}
    if kinds == ["cepstra"]:
        np.save(folder / "ours.npy", np.concatenate([block["mfcc"] for block in blocks["cepstra"]]))
    return spent


def differing(folder: Path) -> float:
    """Largest difference of a cepstrum; the peer's extra last frames are left out."""
    lengths = np.load(folder / "lengths.npy")
    frames = (lengths - 320) // 160 + 1
    peer = np.split(np.load(folder / "peer.npy"), np.cumsum(np.load(folder / "peer_frames.npy")))
    kept = [part[:count] for part, count in zip(peer, frames, strict=False)]
    return float(np.abs(np.concatenate(kept) - np.load(folder / "ours.npy")).max())


def measure(command: list[str]) -> dict[str, float]:
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | ONE_THREAD
    )
    if run.returncode:
        raise SystemExit(f"{command[0]} failed:\n{run.stderr[-3000:]}")
    found: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="of speech")
    parser.add_argument("--peer", help="a Python that can import python_speech_features")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        print(json.dumps(ours(options.folder, options.kinds, options.workers)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_speech(folder, options.minutes)
        peer = None
        if options.peer:
            peer = measure([options.peer, "-c", PEER, name])
            show("python_speech_features, cepstra", peer, peer)
        for kinds in (["cepstra"], ["spectrogram"], list(KINDS)):
            for workers in (1, 2):
                asked = ["--folder", name, "--workers", str(workers), "--kinds", *kinds]
                found = measure([sys.executable, __file__, *asked])
                show(f"ours, {' and '.join(kinds)}, {workers} threads", found, peer)
        if peer:
            print(f"the cepstra differ by at most {differing(folder):.1g}")


def show(who: str, found: dict[str, float], peer: dict[str, float] | None) -> None:
    text = f"{who:46}{found['seconds']:7.3f} s {found['busy']:7.3f} s busy"
    if peer:
        text += f" {peer['seconds'] / found['seconds']:6.1f} x as fast"
        text += f" {peer['busy'] / found['busy']:6.1f} x less work"
    print(text)


if __name__ == "__main__":
    main()
