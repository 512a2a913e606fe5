"""The system's models and what each reads: the graph's edges, said once."""

from typing import Any

import dagster as dg
from pydantic import Field, field_validator

from assets.settings import StageConfig, by_profile
from models.speech.designs import ALL, OWN
from models.speech.studies import STUDIES, chosen


class Models(StageConfig, section="speech/models"):
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


def asset_in(*path: str, models: dg.PartitionMapping | None = None) -> dg.AssetIn:
    """Name an asset of this system; ``models`` says which partitions of it are read."""
    return dg.AssetIn(["speech", *path], partition_mapping=models)


UTTERANCES = {
    name: asset_in(name) for name in ("corpus", "splits", "index", "frames", "cepstra", "scaling")
}
"""What the models are trained on and asked about."""

ARCHITECTURE = {"architecture": asset_in("architecture", models=dg.IdentityPartitionMapping())}
"""A model's own architecture."""


def of_study(name: str) -> dict[str, dg.AssetIn]:
    """Name the results of a study's trained models; nothing where none is trained."""
    ids = [model for model in STUDIES[name].models if model in TRAINED]
    if not ids:
        return {}
    these = dg.SpecificPartitionsPartitionMapping(ids)
    return {
        "architectures": asset_in("architecture", models=these),
        "histories": asset_in("history", models=these),
        "evaluations": asset_in("evaluation", models=these),
        "transcripts": asset_in("transcripts", models=these),
    }


Inputs = dict[str, Any]
"""Loaded `UTTERANCES`, or results by model."""
