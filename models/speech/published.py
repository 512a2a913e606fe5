"""Published parameter counts and losses of the best models; the study gives no error rate."""

from __future__ import annotations

from models.architectures import Published
from models.speech.designs import Design, design

PARAMETERS = {
    "s000": (45_400, 45_400),
    "s002": (290_400, 290_400),
    "s004": (683_429, 682_629),
    "s005": (618_629, 618_229),
    "s007": (1_069_029, 1_068_629),
    "s009": (909_029, 908_629),
    "s010": (909_029, 908_629),
    "s012": (850_829, 849_629),
    "s014": (850_829, 849_629),
    "s015": (850_829, 849_629),
    "s017": (850_829, 849_629),
    "s019": (1_291_829, 1_290_229),
    "s020": (1_291_829, 1_290_229),
    "s022": (1_291_829, 1_290_229),
    "s024": (858_629, 857_029),
    "s025": (1_260_629, 1_258_229),
    "s027": (1_440_229, 1_436_229),
    "s029": (1_924_229, 1_918_629),
    "s030": (2_408_229, 2_401_029),
    "s032": (1_059_629, 1_057_629),
    "s034": (1_440_229, 1_436_229),
    "s035": (1_440_229, 1_436_229),
    "s037": (1_440_229, 1_436_229),
    "s039": (1_935_533, 1_932_909),
    "s040": (1_935_533, 1_932_909),
    "s042": (5_769_029, 5_764_629),
    "s044": (2_133_479, 2_131_319),
    "s045": (587_629, 586_429),
    "s047": (738_829, 737_229),
    "s049": (714_229, 712_629),
    "s050": (835_229, 833_229),
    "s052": (1_077_229, 1_074_429),
    "s054": (1_291_829, 1_290_229),
    "s055": (714_229, 712_629),
    "s057": (956_229, 953_829),
    "s059": (1_198_229, 1_195_029),
    "s060": (956_229, 953_829),
    "s062": (956_229, 953_829),
    "s064": (1_924_229, 1_918_629),
    "s065": (1_924_229, 1_918_629),
    "s067": (1_924_229, 1_918_629),
    "s069": (1_687_829, 1_687_029),
    "s070": (1_691_029, 1_688_629),
    "s072": (1_687_829, 1_687_029),
    "s074": (1_691_029, 1_688_629),
    "s075": (1_691_029, 1_688_629),
    "s077": (1_207_029, 1_205_429),
    "s079": (2_175_029, 2_171_829),
    "s080": (2_659_029, 2_655_029),
    "s082": (1_691_029, 1_688_629),
    "s084": (1_691_029, 1_688_629),
    "s085": (1_691_029, 1_688_629),
    "s087": (1_691_029, 1_688_629),
    "s089": (1_691_029, 1_688_629),
    "s090": (1_691_029, 1_688_629),
    "s092": (1_691_029, 1_688_629),
    "s094": (1_691_029, 1_688_629),
    "s095": (2_401_429, 2_397_429),
    "s097": (3_732_429, 3_724_029),
    "s099": (3_724_429, 3_717_629),
    "s100": (3_724_429, 3_717_629),
    "s102": (4_681_429, 4_677_029),
    "s104": (6_132_329, 6_124_529),
    "s105": (6_132_329, 6_124_529),
    "s107": (5_466_879, 5_461_179),
    "s109": (4_742_379, 4_735_079),
    "s110": (4_258_379, 4_252_679),
    "s111": (4_823_379, 4_816_079),
    "s112": (4_742_379, 4_735_079),
}
"""All and trainable parameters by model, for those whose table is known."""

BEST_LOSSES = (90.0, 95.0)
"""CTC loss on validation of the best models, about."""


def published_counts(name: str) -> Published | None:
    """Parameter counts of a model, and why it differs; None where they are not known."""
    if name not in PARAMETERS:
        return None
    biases = redundant_biases(design(name))
    difference = (
        f"the study's CuDNN LSTMs carry a second, redundant bias: {biases:,} more parameters"
        if biases
        else ""
    )
    return Published(*PARAMETERS[name], difference)


def redundant_biases(settings: Design) -> int:
    """Count the parameters of the second biases of CuDNN LSTMs: 4 x units for each direction."""
    part = settings.recurrent
    if part is None or part.cell != "LSTM":
        return 0
    return 4 * part.units * (part.layers + (part.merge is not None))
