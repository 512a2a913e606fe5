"""The one layer of the acoustic models that Keras does not give.

keras is imported at the top, as layer classes can't be defined without it: import this module
inside functions, or through `models.speech.networks.register`.
"""

from __future__ import annotations

from typing import Any

import keras  # noqa: TID253 - see above

from models.architectures import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class TimeDistributed(keras.layers.TimeDistributed):  # type: ignore[misc]
    """Keras' TimeDistributed for a Dense layer, of any number of steps.

    Keras 3.15 goes over as many steps as the batch has rows where neither number is fixed, and
    drops or invents the rest. A Dense layer needs no loop: it takes each step for itself anyway.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Apply the Dense layer to each step: (n, steps, values) to (n, steps, units)."""
        return self.layer(inputs)
