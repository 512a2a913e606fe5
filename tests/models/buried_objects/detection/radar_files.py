"""Write scans as gprMax, field radars and tables have them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from models.buried_objects.scans import SPACING, TIME_STEP

STEP = 20 * TIME_STEP
"""Seconds between the samples of a simulated scan with its usual step."""

SIZES = {8: 100, 16: 20_000, 32: 2_000_000_000}
"""The greatest value, in counts, by the bits of a sample."""


def counts(scan: NDArray[np.float32], bits: int) -> NDArray[np.int64]:
    """Scale a scan to the counts of an instrument."""
    return np.rint(scan / np.abs(scan).max() * SIZES[bits]).astype(np.int64)


def late(scan: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    """Let time zero be ``by`` samples after a trace's first one."""
    return np.pad(scan, ((0, 0), (by, 0)))[:, : scan.shape[1]]


def write_dzt(
    path: Path,
    scan: NDArray[np.float32],
    *,
    bits: int = 16,
    channels: int = 1,
    dt: float = STEP,
    per_metre: float = 1 / SPACING,
    permittivity: float = 6.0,
    antenna: bytes = b"400MHz",
    data: int | None = None,
) -> Path:
    """Write a DZT; other channels than the first hold noise."""
    count, samples = scan.shape
    data = channels if data is None else data
    head = bytearray(1024)
    head[0:10] = np.array([0xFF, data, samples, bits, 0x80], "<u2").tobytes()
    head[14:18] = np.float32(per_metre).tobytes()
    head[26:30] = np.float32(1e9 * dt * samples).tobytes()
    head[52:54] = np.uint16(channels).tobytes()
    head[54:58] = np.float32(permittivity).tobytes()
    head[98 : 98 + len(antenna)] = antenna
    values = np.random.default_rng(0).integers(-9, 10, (count, channels, samples))
    values[:, 0] = counts(scan, bits)
    values[:, :, 0] = np.arange(count)[:, None] % 100  # numbers and marks
    values[:, :, 1] = 0
    middle = 0 if bits == 32 else 1 << (bits - 1)
    kind = {8: "u1", 16: "<u2", 32: "<i4"}[bits]
    start = 1024 * data if data < 1024 else 1024 * channels
    path.write_bytes(bytes(head).ljust(start, b"\0") + (values + middle).astype(kind).tobytes())
    return path


def write_dt1(
    path: Path,
    scan: NDArray[np.float32],
    *,
    dt: float = STEP,
    unit: str = "m",
    spacing: float = SPACING,
    offset: float = 0.04,
    mode: str = "Reflection",
    positions: bool = True,
    said: int | None = None,
) -> tuple[Path, Path]:
    """Write a DT1 and its HD; lengths in ``unit``."""
    count, samples = scan.shape
    kind = np.dtype([("head", "<f4", 25), ("comment", "S28"), ("samples", "<i2", samples)])
    rows = np.zeros(count, kind)
    rows["head"][:, 0] = 1 + np.arange(count)
    rows["head"][:, 1] = spacing * np.arange(count) * positions
    rows["head"][:, 2], rows["head"][:, 5] = samples, 2
    rows["samples"] = counts(scan, 16)
    path.write_bytes(rows.tobytes())
    lines = [
        "1234", "Data Collected with pE PRO", "2017-04-10",
        f"NUMBER OF TRACES   = {said or count}", f"NUMBER OF PTS/TRC  = {samples}",
        "TIMEZERO AT POINT  = 3.18", f"TOTAL TIME WINDOW  = {1e9 * dt * samples:.6f}",
        "STARTING POSITION  = 0.0000", f"STEP SIZE USED     = {spacing:.6f}",
        f"POSITION UNITS     = {unit}", "NOMINAL FREQUENCY  = 400.00",
        f"ANTENNA SEPARATION = {offset:.6f}", f"SURVEY MODE        = {mode}",
    ]  # fmt: skip
    header = path.with_suffix(".HD" if path.suffix.isupper() else ".hd")
    header.write_text(" \r\n".join(lines) + "\r\n")
    return path, header


def write_output(
    path: Path, field: NDArray[np.float32], *, dt: float = STEP, place: float | None = None,
    steps: float = 0.0, component: str = "Ez",
) -> Path:  # fmt: skip
    """Write a gprMax output of one trace (samples,) or of merged ones (samples, traces)."""
    with h5py.File(path, "w") as file:
        file.attrs["Iterations"], file.attrs["dt"] = len(field), dt
        file.attrs["dx_dy_dz"] = (0.002, 0.004, 0.002)
        file.attrs["rxsteps"] = (round(steps / 0.002), 0, 0)
        file[f"/rxs/rx1/{component}"] = field
        if place is not None:
            file["/rxs/rx1"].attrs["Position"] = (place, 3.1, 0.0)
    return path


def write_csv(path: Path, scan: NDArray[np.float32], **said: float) -> Path:
    """Write a table, with what it says of itself."""
    lines = [f"# {name}: {value}" for name, value in said.items()]
    lines += [",".join(f"{value:.7g}" for value in trace) for trace in scan]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_npz(path: Path, scan: NDArray[np.float32], **said: float) -> Path:
    """Write an array, with what it says of itself."""
    np.savez(path, ez=scan, **{name: np.float64(value) for name, value in said.items()})
    return path
