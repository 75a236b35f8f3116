"""Names of tensors in a model's signatures, and of what stands beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable

FINGERPRINT = "base_fingerprint"
STEPS = "steps"
# As the OD API calls them.
BOXES, CLASSES = "box_encodings", "class_predictions_with_background"
TRAIN, INFER, PARAMETERS, RESTORE = "train", "infer", "parameters", "restore"


def signature_names(stable_names: Iterable[str]) -> dict[str, str]:
    """Stable name -> name in a signature, of letters, digits and `_`.

    Raises:
      ValueError: if two tensors would share a name.
    """
    names = {name: re.sub(r"\W", "_", name) for name in stable_names}
    taken = [FINGERPRINT, STEPS, *names.values()]
    if len(set(taken)) < len(taken):
        shared = sorted({name for name in taken if taken.count(name) > 1})
        raise ValueError(
            "Tensors of a model must differ in letters and digits to be "
            f"trained on a device. Received: {', '.join(shared)} more than "
            "once."
        )
    return names
