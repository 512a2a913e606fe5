"""The decoder settings of each model, chosen on validation before the test set is read."""

from itertools import product
from typing import Any

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig, by_profile
from assets.speech.inputs import ARCHITECTURE, MODELS, asset_in, utterances_in
from models.arrays import Arrays
from models.speech.decoding import Setting, choose, word_search
from models.speech.training import emissions, utterances_of
from models.types import JsonDict


class Decoder(StageConfig, section="speech/decoder"):
    """The settings that are tried: every combination; of equally good ones the first."""

    beams: list[int] = Field(
        by_profile(quick=[200], published=[200, 500]), description="hypotheses kept"
    )
    weights: list[float] = Field(
        [0.5, 1.0, 1.5, 2.0, 3.0], description="of the language model's base-10 logarithm"
    )
    bonuses: list[float] = Field([-1.0, 0.0, 1.0, 2.0], description="for each word")
    utterances: int = Field(
        by_profile(quick=40, published=100), gt=0, description="of validation, the first ones"
    )

    def settings(self) -> list[Setting]:
        """Every combination."""
        return [Setting(*values) for values in product(self.beams, self.weights, self.bonuses)]


@dg.asset(
    key=["speech", "decoder"],
    io_manager_key="json",
    partitions_def=MODELS,
    ins={
        **ARCHITECTURE,
        "network": asset_in("network"),
        "words": asset_in("language_model"),
        **utterances_in("validation"),
    },
)
def decoder(
    config: Decoder,
    architecture: JsonDict,
    network: Any,
    words: dict[str, bytes],
    utterances: dict[str, Any],
    scaled: Arrays,
) -> dg.Output[JsonDict]:
    """Beam, language-model weight and word bonus of a model, by validation word error rate."""
    validation = utterances_of(utterances["validation"], scaled, architecture)
    validation = validation.first(config.utterances)
    symbols = emissions(network, architecture, validation)
    with word_search(words) as search:
        chosen = choose(search, symbols, validation.table["text"].tolist(), config.settings())
    tried = [dg.TableRecord(setting) for setting in chosen["tried"]]
    metadata = {name: value for name, value in chosen.items() if name != "tried"}
    return dg.Output(chosen, metadata=metadata | {"tried": dg.MetadataValue.table(tried)})
