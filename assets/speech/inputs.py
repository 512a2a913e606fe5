"""The models and their inputs."""

from functools import partial

import dagster as dg
from pydantic import Field, field_validator

from assets import wiring
from assets.settings import GraphConfig, by_profile
from models.arrays import Arrays
from models.sampling import SPLITS
from models.speech.designs import ALL, BINS, OWN
from models.speech.studies import STUDIES, chosen


class Models(GraphConfig, section="speech/models"):
    """Which models are trained; the others are named in the comparisons as not trained yet."""

    trained: list[str] = Field(
        by_profile(quick=["s003", "s011", *OWN], published=["all", *OWN]),
        description="ids of models and names of studies; all: the 113",
    )

    @field_validator("trained")
    @classmethod
    def known(cls, names: list[str]) -> list[str]:
        """Refuse names of nothing, and no name at all."""
        if not chosen(names):
            raise ValueError("name at least one model or study")
        return names


ARCHITECTURES = dg.StaticPartitionsDefinition(list(ALL))
"""All models by id: the study's 113, and the project's own two."""

TRAINED = chosen(Models.model_validate({}).trained)
MODELS = dg.StaticPartitionsDefinition(TRAINED)
"""Those to train."""

FEATURES = dg.StaticPartitionsDefinition([f"{kind}_{split}" for kind in BINS for split in SPLITS])
"""Both features by split, such as ``mfcc_test``."""

OF_SPLIT = dg.StaticPartitionMapping(
    {split: [f"{kind}_{split}" for kind in BINS] for split in SPLITS}
)
"""Both features of a split."""

STUDY = dg.StaticPartitionsDefinition(list(STUDIES))
"""The study's comparisons."""

OF_STUDY = dg.StaticPartitionMapping(
    {name: [study for study in STUDIES if name in STUDIES[study].models] for name in TRAINED}
)
"""The comparisons that a trained model is in."""

asset_in = partial(wiring.asset_in, "speech")
"""Name an asset of this system; ``partitions`` maps the partitions that are read."""

split_in = partial(wiring.split_in, "speech")
"""Name some splits of an asset of this system, which are loaded as a dict by split."""

AUDIO = {name: asset_in(name) for name in ("audio", "splits")}
"""What features are computed from."""

ARCHITECTURE = {"architecture": asset_in("architecture", partitions=dg.IdentityPartitionMapping())}
"""A model's own architecture."""


def utterances_in(*splits: str) -> dict[str, dg.AssetIn]:
    """Name the utterances of some splits with a model's feature; the other is none of its matter.

    `by_split` sorts what is loaded of the feature.
    """
    models = {kind: [name for name in TRAINED if ALL[name].feature == kind] for kind in BINS}
    read = {f"{kind}_{split}": models[kind] for kind in BINS for split in splits}
    return {
        "utterances": split_in("utterances", splits=splits),
        "scaled": asset_in("scaled", partitions=dg.StaticPartitionMapping(read)),
    }


def by_split(scaled: dict[str, Arrays]) -> dict[str, Arrays]:
    """Sort a model's feature in two splits or more by split."""
    return {key.rpartition("_")[2]: loaded for key, loaded in scaled.items()}
