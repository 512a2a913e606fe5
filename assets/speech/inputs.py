"""The models and their inputs."""

from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field, field_validator

from assets import wiring
from assets.settings import GraphConfig, by_profile
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

FEATURES = dg.StaticPartitionsDefinition(list(BINS))
"""The features: spectrogram or mfcc."""

MODELS_BY_FEATURE = dg.StaticPartitionMapping(
    {kind: [name for name in TRAINED if ALL[name].feature == kind] for kind in BINS}
)
"""The models of each feature: the other feature's settings don't concern them."""


asset_in = partial(wiring.asset_in, "speech")
"""Name an asset of this system; ``partitions`` maps the partitions that are read."""


UTTERANCES = {
    **{name: asset_in(name) for name in ("corpus", "splits", "index")},
    "scaled": asset_in("scaled", partitions=MODELS_BY_FEATURE),
}
"""The utterances of all splits, with a model's feature."""

ARCHITECTURE = {"architecture": asset_in("architecture", partitions=dg.IdentityPartitionMapping())}
"""A model's own architecture."""


def of_study(name: str) -> dict[str, dg.AssetIn]:
    """Name the results of a study's trained models; nothing where none is trained."""
    ids = [model for model in STUDIES[name].models if model in TRAINED]
    if not ids:
        return {}
    these = dg.SpecificPartitionsPartitionMapping(ids)
    return {
        "architectures": asset_in("architecture", partitions=these),
        "histories": asset_in("history", partitions=these),
        "evaluations": asset_in("evaluation", partitions=these),
        "transcripts": asset_in("transcripts", partitions=these),
    }


Inputs = dict[str, Any]
"""Loaded `UTTERANCES`, or results by model."""
