"""Evaluation on test utterances of unseen speakers and texts; comparisons and report."""

from typing import Any

import dagster as dg

from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import Intervals
from assets.speech.inputs import (
    ARCHITECTURE,
    MODELS,
    UTTERANCES,
    asset_in,
    of_study,
)
from assets.wiring import recorded_metadata
from models.sampling import TEST
from models.speech import report as reports
from models.speech.decoding import SEARCHES, Setting, transcribe, word_search
from models.speech.evaluation import evaluate_predictions, predictions
from models.speech.studies import STUDIES
from models.speech.training import emissions, utterances_of
from models.types import JsonDict


class EvaluationConfig(Intervals, section="speech/evaluation"):
    """How the intervals are made."""


@dg.asset(
    key=["speech", "transcripts"],
    io_manager_key="tables",
    partitions_def=MODELS,
    ins={
        **ARCHITECTURE,
        "network": asset_in("network"),
        "decoder": asset_in("decoder"),
        "words": asset_in("language_model"),
        **UTTERANCES,
    },
)
def transcripts(
    architecture: JsonDict,
    network: Any,
    decoder: JsonDict,
    words: dict[str, bytes],
    **utterances: Any,
) -> dg.Output[Any]:
    """Transcripts of every test utterance: greedy, beam, and with language model.

    - `key`, `speaker`, `text`: as in `corpus`; `words`, `characters`: of the text
    - `greedy`, `beam`, `lm`: transcripts; each with `_word_errors` and `_character_errors`
    """
    test = utterances_of(utterances, architecture, TEST)
    setting = Setting(*(decoder[name] for name in ("beam", "weight", "bonus")))
    with word_search(words) as search:
        texts = transcribe(search, setting, emissions(network, architecture, test))
    table = predictions(test.table, texts)
    first: Any = table[["text", *SEARCHES]].head(10).to_dict("records")
    examples = dg.MetadataValue.table([dg.TableRecord(row) for row in first])
    return dg.Output(table, metadata={"references and transcripts": examples})


@dg.asset(
    key=["speech", "evaluation"],
    io_manager_key="json",
    partitions_def=MODELS,
    ins={"transcripts": asset_in("transcripts")},
)
def evaluation(
    context: dg.AssetExecutionContext,
    config: EvaluationConfig,
    tracking: Tracking,
    transcripts: Any,
) -> dg.Output[JsonDict]:
    """Word and character error rates of a model, with intervals by speaker."""
    name = context.partition_key
    result = evaluate_predictions(transcripts, SEARCHES, **config.model_dump())
    metadata = recorded_metadata(tracking, "speech", name, result)
    return dg.Output(result.to_dict(), metadata={**result.counts, **metadata})


def comparison_asset(name: str) -> dg.AssetsDefinition:
    """The asset that compares the trained models of one study."""

    @dg.asset(
        key=["speech", f"comparison_{name}"],
        io_manager_key="json",
        ins=of_study(name),
        description=f"{STUDIES[name].question} Validation losses and error rates.",
    )
    def compared(**results: Any) -> dg.Output[JsonDict]:
        study = reports.study_comparison(name, results)
        drawn = picture(reports.study_picture(study))
        return dg.Output(
            study, metadata={"standing": reports.standing(study), "validation losses": drawn}
        )

    return compared


comparisons = [comparison_asset(name) for name in STUDIES]

COMPARISONS = {name: asset_in(f"comparison_{name}") for name in STUDIES}


@dg.asset(
    key=["speech", "comparison"],
    io_manager_key="json",
    ins=COMPARISONS,
)
def comparison(**studies: Any) -> dg.Output[JsonDict]:
    """All trained models, and which are not trained yet."""
    table = reports.comparison(studies)
    drawn = picture(reports.comparison_picture(table))
    return dg.Output(table, metadata={"word error rates": drawn})


@dg.asset(
    key=["speech", "report"],
    io_manager_key="folders",
    ins={
        "compared": asset_in("comparison"),
        **COMPARISONS,
        **{f"data_{k}": asset_in(k) for k in ("corpus", "audio", "index", "frames", "cepstra")},
    },
)
def report(compared: JsonDict, **loaded: Any) -> dict[str, bytes]:
    """The report of all trained models, with an utterance to look at and listen to."""
    studies = {name: loaded[name] for name in STUDIES}
    data = {name.removeprefix("data_"): loaded[name] for name in loaded if name not in STUDIES}
    return reports.report(compared, studies, data).as_files()
