"""The acoustic models, as data and trained, and the language model beside them."""

from typing import Any, Literal

import dagster as dg
from pydantic import Field

from assets.resources import Tracking
from assets.settings import StageConfig, by_profile
from assets.speech.features import Cepstra
from assets.speech.inputs import (
    ARCHITECTURE,
    ARCHITECTURES,
    MODELS,
    asset_in,
    by_split,
    split_in,
    utterances_in,
)
from assets.wiring import together, training_outputs
from models.architectures import counts_of
from models.arrays import Arrays
from models.speech import networks
from models.speech.decoding import language_model as fit_language_model
from models.speech.language import english
from models.speech.training import Recipe, fit_network, utterances_of
from models.types import JsonDict


@dg.asset(
    key=["speech", "architecture"],
    io_manager_key="json",
    partitions_def=ARCHITECTURES,
)
def architecture(context: dg.AssetExecutionContext, config: Cepstra) -> dg.Output[JsonDict]:
    """An acoustic model as data: layers, shapes, parameter counts beside the published ones."""
    network = networks.describe(context.partition_key, config.coefficients)
    properties = {k: network[k] for k in ("feature", "shortest_input", "epochs", "learning_rate")}
    return dg.Output(network, metadata=counts_of(network) | properties)


class Training(StageConfig, section="speech/network"):
    """How the models are trained."""

    recipe: Literal["modern", "published"] = Field(
        by_profile(quick="modern", published="published"),
        description="modern: Adam and SpecAugment; published: SGD, its gradients clipped",
    )
    epochs: int = Field(
        by_profile(quick=6, published=0), ge=0, description="0: as many as the study's"
    )
    learning_rate: float = Field(0.0, ge=0, description="0: that of the recipe")
    batch: int = Field(by_profile(quick=8, published=20), gt=0, description="utterances")
    masks: int = Field(
        1, ge=0, description="modern: bands of bins, and stretches of frames, hidden in training"
    )
    speed: float = Field(
        0.0, ge=0, lt=0.5, description="modern: share by which the pace is changed at most"
    )
    warp: float = Field(
        0.12,
        ge=0,
        lt=0.5,
        description="modern: share by which frequencies of spectrograms are stretched at most",
    )
    sorted_first: bool = Field(True, description="first epoch from short to long")
    loss_limit: float = Field(2000.0, ge=0, description="validation loss to stop at; 0: none")
    seed: int = Field(3, description="of the weights, the masks and the order of the utterances")

    def to_recipe(self) -> Recipe:
        """The same for `models`."""
        return Recipe(
            learning_rate=self.learning_rate or None,
            epochs=self.epochs or None,
            batch=self.batch,
            modern=self.recipe == "modern",
            masks=self.masks,
            speed=self.speed,
            warp=self.warp,
            sorted_first=self.sorted_first,
            loss_limit=self.loss_limit or None,
        )


@dg.multi_asset(
    name="speech_training",
    partitions_def=MODELS,
    **together(
        "speech",
        ins=ARCHITECTURE | utterances_in("train", "validation"),
        network=("networks", "A trained acoustic model."),
        history=("json", "CTC loss by epoch, and the network's parameters."),
    ),
)
def training(
    context: dg.AssetExecutionContext,
    config: Training,
    tracking: Tracking,
    architecture: JsonDict,
    utterances: dict[str, Any],
    scaled: dict[str, Arrays],
) -> tuple[dg.Output[Any], dg.Output[Any]]:
    """Train one acoustic model, and keep its best weights."""
    feature = by_split(scaled)
    train, validation = (
        utterances_of(utterances[split], feature[split], architecture)
        for split in ("train", "validation")
    )
    result = fit_network(architecture, train, validation, config.to_recipe(), seed=config.seed)
    name = context.partition_key
    return training_outputs(tracking, "speech", name, config.model_dump(), result)


class LanguageModel(StageConfig, section="speech/language_model"):
    """The order of the language model, and its vocabulary besides its texts."""

    order: int = Field(3, ge=1, le=6, description="words in the longest n-grams")
    vocabulary: Literal["texts", "english"] = Field(
        by_profile(quick="texts", published="english"),
        description="words that can be found. texts: those of the texts; english: 160,000 more, "
        "as rare as they are in English, which help a well-trained network and mislead others",
    )


@dg.asset(
    key=["speech", "language_model"],
    io_manager_key="folders",
    ins={
        "utterances": split_in("utterances", splits=["train", "validation"]),
        "unspoken": asset_in("unspoken"),
    },
)
def language_model(
    config: LanguageModel, utterances: dict[str, Any], unspoken: Any
) -> dg.Output[dict[str, bytes]]:
    """Word n-grams of training transcripts and of text that no one reads, Kneser-Ney smoothed."""
    common = english() if config.vocabulary == "english" else None
    spoken = utterances["train"], utterances["validation"]
    model = fit_language_model(*spoken, unspoken, config.order, common)
    metadata = {
        "words": model["words.txt"].count(b"\n"),
        "perplexity on validation": float(model["perplexity.txt"]),
    }
    return dg.Output(model, metadata=metadata)
