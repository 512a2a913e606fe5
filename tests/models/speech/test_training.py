from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.architectures import from_architecture
from models.errors import BadInput
from models.speech import networks
from models.speech.batches import PADDING, Augmentation, RaggedBatches
from models.speech.decoding import greedy
from models.speech.designs import Recurrent
from models.speech.symbols import BLANK, OUTPUTS
from models.speech.training import (
    DECAY,
    MODERN_LEARNING_RATE,
    PUBLISHED_SGD,
    Recipe,
    ctc_loss,
    emissions,
    fit_network,
    phases_of,
    utterances_of,
)
from models.training import fresh

# Keras 3 asks TensorFlow's variables for NumPy arrays in a way that NumPy 2 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


ONE_WAY = Recurrent(units=12, merge=None)


def loss_of(probabilities: list[list[float]], outputs: int, codes: list[int]) -> float:
    """Loss of one utterance whose first outputs have these probabilities of a, b and blank."""
    steps = np.array(probabilities)
    y_pred = np.zeros((1, len(steps), OUTPUTS), np.float32)
    y_pred[0][:, [0, 1, BLANK]] = steps
    y_true = np.array([[outputs, *codes, PADDING]], np.float32)
    return float(np.asarray(ctc_loss(y_true, y_pred))[0])


def test_the_loss_sums_over_all_alignments_by_hand() -> None:
    # "a" in two outputs: aa, a-, -a.
    steps = [[0.5, 0.2, 0.3], [0.4, 0.1, 0.5]]
    assert loss_of(steps, 2, [0]) == pytest.approx(
        -np.log(0.5 * 0.4 + 0.5 * 0.5 + 0.3 * 0.4), abs=1e-4
    )
    # "ab" leaves one alignment; "aa" in three outputs needs the blank between.
    assert loss_of(steps, 2, [0, 1]) == pytest.approx(-np.log(0.5 * 0.1), abs=1e-4)
    three = [*steps, [0.7, 0.2, 0.1]]
    assert loss_of(three, 3, [0, 0]) == pytest.approx(-np.log(0.5 * 0.5 * 0.7), abs=1e-4)


def test_outputs_after_the_end_of_an_utterance_do_not_count() -> None:
    steps = [[0.5, 0.2, 0.3], [0.4, 0.1, 0.5]]
    for beyond in ([0.9, 0.0, 0.1], [0.1, 0.8, 0.1]):
        assert loss_of([*steps, beyond], 2, [0]) == pytest.approx(loss_of(steps, 2, [0]))


def test_a_probability_of_nothing_gives_a_large_but_finite_loss() -> None:
    assert loss_of([[0.0, 1.0, 0.0]], 1, [0]) == pytest.approx(-np.log(1e-7), rel=1e-3)


def test_the_published_rate_decays_with_each_batch_and_the_modern_one_falls_along_a_cosine(
    toy: Any,
) -> None:
    architecture = toy.architecture(epochs=4, learning_rate=0.05)
    rates = [phase.learning_rate for phase in phases_of(Recipe(), architecture, 100)]
    assert rates == pytest.approx([0.05 / (1 + DECAY * 100 * epoch) for epoch in range(4)])
    modern = [p.learning_rate for p in phases_of(Recipe(modern=True), architecture, 100)]
    assert modern[0] == MODERN_LEARNING_RATE
    assert modern[2] == pytest.approx(MODERN_LEARNING_RATE * 0.51)
    assert modern == sorted(modern, reverse=True)
    asked = phases_of(Recipe(learning_rate=0.1, epochs=2), architecture, 1)
    assert [(phase.epochs, round(phase.learning_rate, 4)) for phase in asked] == [(1, 0.1)] * 2


def test_the_published_optimiser_clips_all_gradients_together() -> None:
    import keras

    optimiser = keras.optimizers.get(dict(PUBLISHED_SGD))
    assert (optimiser.momentum, optimiser.nesterov, optimiser.global_clipnorm) == (0.9, True, 5.0)


@pytest.fixture(scope="module")
def trained(toy: Any) -> tuple[Any, dict[str, Any], Any]:
    architecture = toy.architecture()
    recipe = Recipe(learning_rate=0.01, epochs=6, batch=16, modern=True)
    result = fit_network(
        architecture, toy.utterances(128, 1), toy.utterances(24, 2), recipe, seed=1
    )
    return result.model, architecture, result.history


def test_a_small_model_learns_to_spell(trained: Any, toy: Any) -> None:
    network, architecture, history = trained
    losses = history.values["val_loss"]
    assert losses[-1] < 3 < 0.3 * losses[0]
    unseen = toy.utterances(20, 3)
    heard = [greedy(one) for one in emissions(network, architecture, unseen)]
    right = sum(said == text for said, text in zip(unseen.table["text"], heard, strict=True))
    assert right >= 15


def test_the_same_seed_gives_the_same_weights(toy: Any) -> None:
    training, validation = toy.utterances(24, 1), toy.utterances(8, 2)
    recipe = Recipe(epochs=2, batch=8, modern=True)
    fitted = [
        fit_network(toy.architecture(recurrent=ONE_WAY), training, validation, recipe, seed=1)
        for _ in range(2)
    ]
    first, second = (result.model.get_weights() for result in fitted)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert fitted[0].history.to_dict() == fitted[1].history.to_dict()


def test_the_published_training_learns_and_keeps_the_best_weights(toy: Any) -> None:
    history = fit_network(
        toy.architecture(recurrent=ONE_WAY),
        toy.utterances(60, 1),
        toy.utterances(12, 2),
        Recipe(batch=20),
        seed=1,
    ).history
    losses = history.values["val_loss"]
    assert history.epochs == 3
    assert losses[history.best_epoch - 1] == min(losses)
    assert history.values["loss"][-1] < history.values["loss"][0]


def test_a_hopeless_run_is_stopped_at_the_loss_limit(toy: Any) -> None:
    recipe = Recipe(epochs=5, batch=8, loss_limit=0.5)
    history = fit_network(
        toy.architecture(recurrent=ONE_WAY),
        toy.utterances(8, 1),
        toy.utterances(8, 2),
        recipe,
        seed=1,
    ).history
    assert (history.epochs, history.stopped_early) == (1, True)


def test_a_transcript_longer_than_the_output_names_the_utterance(toy: Any) -> None:
    training = toy.utterances(4, 1, frames=1)
    with pytest.raises(BadInput, match=r"u00\d, column text: the transcript of \d+ symbols needs"):
        fit_network(toy.architecture(), training, toy.utterances(4, 2), Recipe(), seed=1)


def test_features_of_another_width_are_refused(toy: Any) -> None:
    wide = replace(toy.utterances(2, 1), values=np.zeros((400, 13), np.float32))
    with pytest.raises(ValueError, match="reads 26 values of each frame, but the mfcc has 13"):
        fit_network(toy.architecture(), wide, wide, Recipe(), seed=1)


def test_what_a_model_hears_of_an_utterance_does_not_depend_on_the_others(
    trained: Any, toy: Any
) -> None:
    network, architecture, _ = trained
    utterances = toy.utterances(12, 4)
    together = emissions(network, architecture, utterances)
    for count in (1, 5):
        for alone, one in zip(
            emissions(network, architecture, utterances.first(count), batch=2),
            together,
            strict=False,
        ):
            np.testing.assert_allclose(alone, one, atol=1e-4)


def test_an_utterance_too_short_for_the_model_is_heard_as_nothing(trained: Any, toy: Any) -> None:
    network, architecture, _ = trained
    utterances = toy.utterances(2, 5)
    utterances.table.loc[0, "frames"] = 3
    short, other = emissions(network, architecture, utterances)
    assert short.shape == (0, OUTPUTS)
    assert len(other) > 10


def test_a_model_without_a_head_is_heard_through_its_first_28_outputs_and_its_last(
    toy: Any,
) -> None:
    architecture = toy.architecture(convolution=None, head=None)
    networks.register()
    network = fresh(lambda: from_architecture(architecture), 1)
    utterances = toy.utterances(1, 1)
    (found,) = emissions(network, architecture, utterances)
    assert found.shape == (int(utterances.frames[0]), OUTPUTS)
    padded = np.zeros((1, -(-len(found) // 50) * 50, 26), np.float32)
    padded[0, : len(found)] = utterances.read(0)
    given = network.predict_on_batch(padded)[0, : len(found)]
    np.testing.assert_allclose(np.exp(found[:, :BLANK]), given[:, :BLANK], atol=1e-6)
    np.testing.assert_allclose(np.exp(found[:, BLANK]), given[:, -1], atol=1e-6)


def test_a_model_reads_scaled_frames_centred_where_it_asks_for_it(toy: Any) -> None:
    table = toy.utterances(2, 1).table
    scaled = {"frame": np.ones((table["frames"].sum(), 26), np.float32)}
    plain = utterances_of(table, scaled, {"centred": False})
    assert plain.read(1).shape == (table["frames"].iat[1], 26)
    assert (plain.read(1) == 1).all()
    assert (utterances_of(table, scaled, {"centred": True}).read(1) == 0).all()


@pytest.mark.parametrize(("feature", "warp"), [("mfcc", 0.0), ("spectrogram", 0.2)])
def test_the_modern_recipe_augments_as_asked_and_the_published_one_not_at_all(
    toy: Any, monkeypatch: pytest.MonkeyPatch, feature: str, warp: float
) -> None:
    from models.speech import training

    asked: list[Augmentation | None] = []

    def watch(*given: Any, augmentation: Augmentation | None = None, **settings: Any) -> Any:
        asked.append(augmentation)
        return RaggedBatches(*given, augmentation=augmentation, **settings)

    monkeypatch.setattr(training, "RaggedBatches", watch)
    few = toy.utterances(8, 1)
    for modern in (True, False):
        recipe = Recipe(epochs=1, batch=8, modern=modern, masks=2, speed=0.1, warp=0.2)
        fit_network(toy.architecture(recurrent=ONE_WAY, feature=feature), few, few, recipe, seed=1)
    # Training and validation, in turn; cepstra are not warped.
    assert asked == [Augmentation(bins=2, times=2, warp=warp, speed=0.1), None, None, None]
