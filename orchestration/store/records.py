"""Records of builds: which slot was built, from what, and the artifact that was stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote

RECORD_FORMAT = 1
VERSION_PARTS = ("config", "packages", "files", "pieces", "wiring")
"""Parts of a version that are mappings: see `orchestration.stages.Version`."""
FORMAT_NAMES = ("arrays", "tables", "json", "folders", "networks", "estimators")
"""Those of `store.formats`, which is imported only where something is written or read."""
PICTURES = "_pictures"
"""Folder, below that of a slot, of the pictures that its builds link."""

PARTITION = "@"
"""How the folder of a partition begins."""
LONGEST_NAME = 255
"""Bytes that a file system takes for one name."""
CUT = 200
"""Of a longer one, what is kept in clear; a digest follows."""
DIGEST = "+"
"""What comes before that digest: it is quoted in every other name."""


def partition_name(partition: str) -> str:
    """Name of a partition's folder, after `PARTITION`: readable, and another for each key."""
    name = quote(partition, safe="")
    if len(PARTITION) + len(name) <= LONGEST_NAME:
        return name
    return f"{name[:CUT]}{DIGEST}{hashlib.sha256(partition.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, order=True)
class Slot:
    """An asset, or one partition of it.

    Parameters
    ----------
    asset
        Asset key joined by slashes, such as ``exoplanets/cnn_network``.
    partition
        Partition key; None for an asset without partitions.
    """

    asset: str
    partition: str | None = None

    def __str__(self) -> str:
        return self.asset if self.partition is None else f"{self.asset}[{self.partition}]"

    @property
    def folder(self) -> str:
        """Path below the store's root."""
        if self.partition is None:
            return self.asset
        return f"{self.asset}/{PARTITION}{partition_name(self.partition)}"

    @property
    def command(self) -> str:
        """The command that rebuilds it."""
        chosen = "" if self.partition is None else f" --partitions '{self.partition}'"
        return f"faint rebuild {self.asset}{chosen}"


@dataclass(frozen=True)
class Artifact:
    """One stored file: its name in the slot's folder, its size, its hash and its last stat."""

    file: str
    bytes: int
    sha256: str
    stat: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Record:
    """One build of one slot.

    Parameters
    ----------
    slot
        What was built.
    content
        Hash of the stored content, Dagster's data version.
    version
        Version it was built with: see `orchestration.stages.Version`, as plain data.
    inputs
        Data version of each upstream asset as it was read.
    build
        Hash of version and inputs, by which an earlier build is found again.
    artifact
        The stored file.
    format
        Name of the format the file is in.
    created, seconds
        When it was stored (seconds since 1970) and how long the stage ran.
    run
        Dagster run that built it.
    metadata
        Dagster's metadata of the materialisation, serialised; empty in `current.json`.
    pictures
        Pictures that the metadata link, in bytes by file name: see `pictures`.
    """

    slot: Slot
    content: str
    version: Mapping[str, Any]
    inputs: Mapping[str, str]
    build: str
    artifact: Artifact
    format: str
    created: float
    seconds: float
    run: str
    metadata: str = ""
    pictures: Mapping[str, int] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, int]:
        """Its files below the slot's folder, in bytes by path."""
        pictures = {f"{PICTURES}/{name}": size for name, size in self.pictures.items()}
        return {self.artifact.file: self.artifact.bytes, **pictures}

    def to_json(self, *, metadata: bool = True) -> str:
        """Serialise it."""
        data = asdict(self) | {"record": RECORD_FORMAT}
        if not metadata:
            data["metadata"] = ""
        return json.dumps(data, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Record | None:
        """Read what `to_json` wrote; None if it is not a whole record of this format."""
        try:
            data = json.loads(text)
            if data.pop("record") != RECORD_FORMAT:
                return None
            artifact = data.pop("artifact")
            artifact["stat"] = tuple(artifact["stat"])
            slot, artifact = Slot(**data.pop("slot")), Artifact(**artifact)
            record = cls(slot=slot, artifact=artifact, **data)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        return record if record._is_whole() else None

    def _is_whole(self) -> bool:
        """Whether each part is of its type: what was read may be damaged, or be written by hand."""
        artifact = self.artifact
        texts = (self.slot.asset, self.content, self.build, self.format, self.run, self.metadata)
        return (
            all(isinstance(text, str) for text in (*texts, artifact.file, artifact.sha256))
            and isinstance(self.slot.partition, str | None)
            and isinstance(self.inputs, dict)
            and isinstance(self.version, dict)
            and isinstance(self.pictures, dict)
            and all(isinstance(self.version.get(part, {}), dict) for part in VERSION_PARTS)
            and isinstance(self.created, int | float)
            and isinstance(self.seconds, int | float)
            and isinstance(artifact.bytes, int)
            and self.format in FORMAT_NAMES
            and "/" not in artifact.file
        )
