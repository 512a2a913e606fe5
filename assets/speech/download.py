"""Speech from synthetic voices, files, or LibriSpeech at OpenSLR."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import dagster as dg
from pydantic import Field

from assets.settings import StageConfig, by_profile, located
from assets.wiring import together
from models.speech import simulation
from models.speech.corpus import Utterance, audio_blocks, table_of, text_table
from models.speech.librispeech import download_librispeech
from models.speech.readers import Tally, read_files


class Corpus(StageConfig, section="speech/corpus"):
    """Which speech, and how much where it is simulated."""

    source: Literal["simulated", "files", "openslr"] = Field(
        "simulated",
        description="simulated: books read by synthetic voices; files: what `path` holds "
        "(LibriSpeech's folders, or JSON lines); openslr: LibriSpeech, downloaded to `path`",
    )
    path: str = Field("", description="a file or folder, for files and openslr")
    parts: list[str] = Field(["dev-clean"], description="of LibriSpeech, for openslr")
    train: int = Field(
        by_profile(quick=240, published=1200), gt=0, description="simulated utterances"
    )
    validation: int = Field(
        by_profile(quick=60, published=200), gt=0, description="simulated, in validation"
    )
    test: int = Field(by_profile(quick=60, published=200), gt=0, description="simulated, in test")
    train_speakers: int = Field(
        by_profile(quick=40, published=150),
        gt=0,
        description="simulated; many with few utterances each generalise best",
    )
    validation_speakers: int = Field(
        by_profile(quick=3, published=6), gt=0, description="simulated, in validation"
    )
    test_speakers: int = Field(
        by_profile(quick=3, published=6), gt=0, description="simulated, in test"
    )
    on_bad: Literal["stop", "skip"] = Field("stop", description="at a bad utterance")
    limit: int = Field(100, ge=0, description="bad utterances to skip before it stops")
    seed: int = Field(1, description="of the voices and of the sentences")

    def input_files(self) -> Sequence[Path]:
        """What is read from outside the graph."""
        return (*simulation.BOOKS, *([located(self)] if self.source == "files" else []))

    def utterances(self) -> dict[str, int]:
        """Utterances to simulate, by part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def speakers(self) -> dict[str, int]:
        """Speakers to simulate, by part."""
        return {
            "train": self.train_speakers,
            "validation": self.validation_speakers,
            "test": self.test_speakers,
        }


def read(config: Corpus, tally: Tally) -> Iterator[Utterance]:
    """Open the chosen source; ``tally`` fills while files are read."""
    if config.source == "simulated":
        return simulation.simulate(config.utterances(), config.speakers(), seed=config.seed)
    folders = [located(config)]
    if config.source == "openslr":
        folders = download_librispeech(folders[0], config.parts)
    return chain.from_iterable(
        read_files(folder, tally, on_bad=config.on_bad, limit=config.limit) for folder in folders
    )


@dg.multi_asset(
    name="speech_download",
    **together(
        "speech",
        audio=(
            "arrays",
            "All utterances end to end.\n\n- `sample` (samples,): 16 bits, 16 kHz, mono",
        ),
        corpus=(
            "tables",
            "Speaker, text and samples of each utterance.\n\n"
            "- `key`, `speaker`, `text`: name, who speaks, lower-case words\n"
            "- `part`: official split, 0 train, 1 validation, 2 test, -1 without\n"
            "- `seconds`; `start`, `samples`: place in the audio\n"
            "- `source_rate`: of the recording, Hz",
        ),
        unspoken=(
            "tables",
            "Sentences of the bundled books that no one reads.\n\n- `text`: lower-case words",
        ),
        tally=("json", "Utterances resampled, mixed down or skipped, and why."),
    ),
)
def corpus(config: Corpus) -> Iterator[dg.Output[Any]]:
    """Stream the audio into the store; only then is the table of the utterances known."""
    tally, rows = Tally(), list[dict[str, Any]]()
    yield dg.Output(audio_blocks(read(config, tally), rows), output_name="audio")
    table = table_of(rows)
    metadata = {
        "source": config.source,
        "minutes": float(table["seconds"].sum() / 60),
        "speakers": int(table["speaker"].nunique()),
        "first utterance": f"{table['speaker'][0]}: {table['text'][0]}",
    }
    yield dg.Output(table, output_name="corpus", metadata=metadata)
    if config.source == "simulated":
        more = simulation.written(config.utterances(), seed=config.seed)
    else:
        more = simulation.unread(table["text"])
    yield dg.Output(text_table(more), output_name="unspoken")
    counted = asdict(tally)
    yield dg.Output(counted, output_name="tally", metadata=counted)
