"""How well the models hear speakers and texts that nothing was learnt from or tuned on."""

from typing import Any

import dagster as dg
from pydantic import Field

from assets.metadata import picture
from assets.resources import Tracking
from assets.settings import StageConfig
from assets.speech.inputs import (
    ARCHITECTURE,
    MODELS,
    UTTERANCES,
    asset_in,
    of_study,
)
from models.sampling import TEST
from models.speech import summary
from models.speech.decoding import SEARCHES, Setting, transcribe, word_search
from models.speech.fitting import emissions, held_by
from models.speech.judging import judge, judged_table
from models.speech.studies import STUDIES


class Evaluation(StageConfig, section="speech/evaluation"):
    """How intervals are made."""

    resamples: int = Field(1000, ge=100)
    seed: int = 6


@dg.asset(
    key=["speech", "transcripts"],
    group_name="speech",
    tags={"stage": "evaluation"},
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
    architecture: dict[str, Any],
    network: Any,
    decoder: dict[str, Any],
    words: dict[str, bytes],
    **utterances: Any,
) -> dg.Output[Any]:
    """What a model hears of every test utterance: greedy, beam, and with language model."""
    held = held_by(utterances, architecture, TEST)
    setting = Setting(*(decoder[name] for name in ("beam", "weight", "bonus")))
    with word_search(words) as search:
        heard = transcribe(search, setting, emissions(network, architecture, held))
    found = judged_table(held.table, heard)
    first: Any = found[["text", *SEARCHES]].head(10).to_dict("records")
    shown = dg.MetadataValue.table([dg.TableRecord(row) for row in first])
    return dg.Output(found, metadata={"said and heard": shown})


@dg.asset(
    key=["speech", "evaluation"],
    group_name="speech",
    tags={"stage": "evaluation"},
    io_manager_key="json",
    partitions_def=MODELS,
    ins={name: asset_in(name) for name in ("transcripts", "history")},
)
def evaluation(
    context: dg.AssetExecutionContext,
    config: Evaluation,
    tracking: Tracking,
    transcripts: Any,
    history: dict[str, Any],
) -> dg.Output[dict[str, Any]]:
    """Word and character error rates of a model, with intervals by speaker."""
    name = context.partition_key
    judged = judge(transcripts, SEARCHES, resamples=config.resamples, seed=config.seed)
    drawn = summary.model_pictures(name, judged, history)
    shown = {title: picture(png) for title, png in drawn.items()}
    rates = {k: v["value"] for k, v in judged["metrics"].items() if v["value"] is not None}
    link = tracking.log_test("speech", name, judged)
    return dg.Output(judged, metadata=judged["counts"] | rates | shown | link)


def comparison_asset(name: str) -> dg.AssetsDefinition:
    """The asset that compares the trained models of one study."""

    @dg.asset(
        key=["speech", f"comparison_{name}"],
        group_name="speech",
        tags={"stage": "evaluation"},
        io_manager_key="json",
        ins=of_study(name),
        description=f"{STUDIES[name].question} Validation losses and error rates.",
    )
    def compared(**results: Any) -> dg.Output[dict[str, Any]]:
        found = summary.study(name, results)
        drawn = picture(summary.study_picture(found))
        return dg.Output(
            found, metadata={"standing": summary.standing(found), "validation losses": drawn}
        )

    return compared


comparisons = [comparison_asset(name) for name in STUDIES]

COMPARISONS = {name: asset_in(f"comparison_{name}") for name in STUDIES}


@dg.asset(
    key=["speech", "comparison"],
    group_name="speech",
    tags={"stage": "evaluation"},
    io_manager_key="json",
    ins=COMPARISONS,
)
def comparison(**studies: Any) -> dg.Output[dict[str, Any]]:
    """All trained models, and which are not trained yet."""
    table = summary.comparison(studies)
    return dg.Output(
        table, metadata={"word error rates": picture(summary.comparison_picture(table))}
    )


@dg.asset(
    key=["speech", "report"],
    group_name="speech",
    tags={"stage": "evaluation"},
    io_manager_key="folders",
    ins={
        "compared": asset_in("comparison"),
        **COMPARISONS,
        **{f"data_{k}": asset_in(k) for k in ("corpus", "audio", "index", "frames", "cepstra")},
    },
)
def report(compared: dict[str, Any], **held: Any) -> dict[str, bytes]:
    """The report of all trained models, with an utterance to look at and listen to."""
    studies = {name: held[name] for name in STUDIES}
    data = {name.removeprefix("data_"): held[name] for name in held if name not in STUDIES}
    return summary.report(compared, studies, data).as_files()
