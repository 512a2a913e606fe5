"""How each model's decoder searches: chosen on validation, before the test set is read."""

from itertools import product
from typing import Any

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig, by_profile
from assets.speech.inputs import ARCHITECTURE, MODELS, UTTERANCES, asset_in
from models.sampling import VALIDATION
from models.speech.decoding import Setting, choose, word_search
from models.speech.fitting import emissions, held_by


class Decoder(StageConfig, section="speech/decoder"):
    """What is tried: every combination; of equally good ones the first."""

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
        return [Setting(*one) for one in product(self.beams, self.weights, self.bonuses)]


@dg.asset(
    key=["speech", "decoder"],
    group_name="speech",
    tags={"stage": "thresholds"},
    io_manager_key="json",
    partitions_def=MODELS,
    ins={
        **ARCHITECTURE,
        "network": asset_in("network"),
        "words": asset_in("language_model"),
        **UTTERANCES,
    },
)
def decoder(
    config: Decoder,
    architecture: dict[str, Any],
    network: Any,
    words: dict[str, bytes],
    **utterances: Any,
) -> dg.Output[dict[str, Any]]:
    """Beam, language-model weight and word bonus of a model, by validation word error rate."""
    held = held_by(utterances, architecture, VALIDATION).first(config.utterances)
    heard = emissions(network, architecture, held)
    with word_search(words) as search:
        found = choose(search, heard, held.table["text"].tolist(), config.settings())
    tried = [dg.TableRecord(one) for one in found["tried"]]
    shown = {name: value for name, value in found.items() if name != "tried"}
    return dg.Output(found, metadata=shown | {"tried": dg.MetadataValue.table(tried)})
