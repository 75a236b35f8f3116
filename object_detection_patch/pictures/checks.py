"""The check of an image that goes into a picture."""

from __future__ import annotations

import numpy as np


def checked_image(name: str, image: np.ndarray) -> np.ndarray:
    """The image, as an array.

    Raises: ValueError if it is not uint8 of shape [height, width, 3].
    """
    array = np.asarray(image)
    valid = array.ndim == 3 and array.shape[2] == 3 and array.size
    if not valid or array.dtype != np.uint8:
        raise ValueError(
            f"`{name}` must be uint8 of shape [height, width, 3]. Received: "
            f"{array.dtype} of shape {list(array.shape)}"
        )
    return array
