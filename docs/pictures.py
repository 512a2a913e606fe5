"""Draw the pictures of the documentation: ``python -m docs.pictures`` renews `docs/pictures/`.

The lineage of each system is drawn from the definitions, a few of its signals from its simulator:
nothing is trained. A test draws the lineages again, and fails where one is stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models import plots
from models.arrays import Blocks

FOLDER = Path(__file__).with_name("pictures")
STAGES = {
    "download": "#cfe2f3",
    "sampling": "#d3eadd",
    "scaling": "#fbeccb",
    "features": "#f8dccb",
    "training": "#e0d8f0",
    "thresholds": "#f6d5e2",
    "evaluation": "#d0e9ee",
}
"""Colours of the stages of a lineage; what is computed of new recordings is left out."""
CHARACTER, HEIGHT, ROW, GAP = 6.3, 20, 27, 46
"""Pixels: width of a letter, height of a box, from row to row, between the boxes of two columns."""
SWEEPS = 8
"""How often the assets of a column are sorted by what they are connected to."""


def lineage(system: str) -> bytes:
    """Draw the assets of a system, each to the right of what it is made from, as SVG."""
    stages, above = _graph(system)
    columns = _columns(above)
    place, right = {}, 12.0
    tall = max(map(len, columns))
    for names in columns:
        width = CHARACTER * max(map(len, names)) + 14
        top = 44 + ROW * (tall - len(names)) / 2
        for row, name in enumerate(names):
            place[name] = (right + width / 2, top + ROW * row, CHARACTER * len(name) + 12)
        right += width + GAP
    parts = []
    for name in place:
        x, y, width = place[name]
        for parent in above[name]:
            px, py, pw = place[parent]
            start, end = px + pw / 2, x - width / 2
            bend = max(20.0, (end - start) / 2)
            parts.append(
                f'<path d="M{start:.0f} {py:.0f}C{start + bend:.0f} {py:.0f} '
                f'{end - bend:.0f} {y:.0f} {end:.0f} {y:.0f}"/>'
            )
    for name, (x, y, width) in place.items():
        parts.append(
            f'<rect x="{x - width / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{width:.0f}" '
            f'height="{HEIGHT}" rx="4" fill="{STAGES[stages[name]]}"/>'
            f'<text x="{x:.0f}" y="{y + 4:.0f}">{name}</text>'
        )
    for number, (stage, colour) in enumerate(STAGES.items()):
        x = 12 + 110 * number
        parts.append(
            f'<rect x="{x}" y="8" width="12" height="12" rx="3" fill="{colour}"/>'
            f'<text class="stage" x="{x + 18}" y="18">{stage}</text>'
        )
    width, height = max(right - GAP + 12, 790), 44 + ROW * tall
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">'
        f"<title>Lineage of {system}</title><style>"
        "text{font:11px sans-serif;text-anchor:middle;fill:#1c2733}"
        ".stage{text-anchor:start;fill:#6b7785}"
        "path{fill:none;stroke:#8d98a5;stroke-width:.9;opacity:.75}rect{stroke:#8d98a5;stroke-width:.5}"
        "</style>" + "".join(parts) + "</svg>\n"
    ).encode()


def _graph(system: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Stage of each asset by its name, and the names of what it is made from."""
    from assets.definitions import defs

    graph = defs.resolve_asset_graph()
    nodes = {
        key.path[-1]: graph.get(key)
        for key in sorted(graph.materializable_asset_keys)
        if key.path[0] == system and graph.get(key).tags["stage"] in STAGES
    }
    above = {
        name: sorted({parent.path[-1] for parent in node.parent_keys} & nodes.keys())
        for name, node in nodes.items()
    }
    return {name: node.tags["stage"] for name, node in nodes.items()}, above


def _columns(above: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Put each asset one column after the last that it is made from, near what it is joined to."""
    depth: dict[str, int] = {}

    def measure(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max((measure(parent) for parent in above[name]), default=-1)
        return depth[name]

    below: dict[str, list[str]] = {name: [] for name in above}
    for name, parents in above.items():
        measure(name)
        for parent in parents:
            below[parent].append(name)
    for name in above:  # what reads nothing stands beside its first reader
        if not above[name] and below[name]:
            depth[name] = min(depth[child] for child in below[name]) - 1
    columns = [[name for name in above if depth[name] == k] for k in range(max(depth.values()) + 1)]
    columns = [names for names in columns if names]
    for sweep in range(SWEEPS):
        joined = above if sweep % 2 == 0 else below
        spot = {n: (k + 0.5) / len(names) for names in columns for k, n in enumerate(names)}
        for names in columns if sweep % 2 == 0 else reversed(columns):
            middle = {
                name: float(np.mean([spot[other] for other in joined[name]] or [spot[name]]))
                for name in names
            }
            names.sort(key=lambda name: middle[name])
            spot |= {name: (k + 0.5) / len(names) for k, name in enumerate(names)}
    return columns


def signals() -> Iterator[tuple[str, bytes]]:
    """Draw a few simulated signals of each system, by its name."""
    from models.exoplanets import pictures as light
    from models.exoplanets import simulation as stars

    made = stars.injected(n_train=40, n_test=4, train_planets=6, test_planets=1, seed=4)
    yield "exoplanets", light.curves(_joined(made))

    from models.gravitational_waves import pictures as chirps
    from models.gravitational_waves.simulation import simulate as spectrograms

    images = _joined(spectrograms({"train": 8}, {"train": 4}, seed=2, faintest=12))
    rows = np.argsort(images["label"] != "Chirp", kind="stable")
    names = [str(name) for name in images["label"][rows]]
    yield "gravitational_waves", chirps.images(images, rows, names)

    from models.solar_flares import pictures as regions
    from models.solar_flares.simulation import simulate as records

    yield "solar_flares", regions.records(_joined(records({1: 120}, seed=1)))

    from models.buried_objects.pictures import scan_picture
    from models.buried_objects.simulation import draw_scene, simulate_scan

    scene = draw_scene(3, 1)
    ez = simulate_scan(scene)
    yield (
        "buried_objects",
        scan_picture(ez, np.zeros(len(ez), np.int8), {}, title="a simulated scan"),
    )

    from models.speech import pictures as sounds
    from models.speech.features import spectrogram
    from models.speech.simulation import simulate as speak

    said = next(iter(speak({"train": 1}, {"train": 1}, seed=0)))
    figure, (axes,) = plots.new_figure(8.0, 2.6)
    sounds.draw_spectrogram(axes, spectrogram(said.audio))
    axes.set_xlabel("time (s)")
    axes.set_ylabel("frequency (kHz)")
    yield "speech", plots.to_png(figure, said.text)


def _joined(blocks: Blocks) -> Mapping[str, Any]:
    every = list(blocks)
    return {name: np.concatenate([block[name] for block in every]) for name in every[0]}


def systems() -> list[str]:
    """Name the systems."""
    from assets.definitions import SYSTEMS

    return list(SYSTEMS)


def main() -> None:
    """Renew all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for system in systems():
        (FOLDER / f"{system}.svg").write_bytes(lineage(system))
    for system, png in signals():
        (FOLDER / f"{system}-signals.png").write_bytes(png)


if __name__ == "__main__":
    main()
