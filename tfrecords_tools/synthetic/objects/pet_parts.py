"""What makes a cat or dog look like its breed.

Heads and bodies share one pose: a head lies around (0, 0) and is about 2 high.
"""

import dataclasses

import numpy as np

from tfrecords_tools.synthetic.paint import Colour


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pet:
    """What a breed looks like.

    Args:
        coat, ear_colour, eye_colour: main colours.
        ear: its shape, one of those that the heads' module draws.
        is_cat: slit pupils and whiskers, else a large nose.
        width: of the skull, of its height; fluff: length of fur, 0 for none.
        muzzle, mask, blaze: colours on the face, None without.
        marks: of "stripes" or "spots", named by `pattern`, None without.
        saddle: on the back; limbs: of paws and tail; None as the coat.
        is_flat: whether nose and eyes lie on one line.
    """

    coat: Colour
    ear_colour: Colour
    eye_colour: Colour
    ear: str
    is_cat: bool
    width: float = 1.0
    fluff: float = 0.0
    muzzle: Colour | None = None
    mask: Colour | None = None
    blaze: Colour | None = None
    marks: Colour | None = None
    pattern: str = ""
    saddle: Colour | None = None
    limbs: Colour | None = None
    is_flat: bool = False


def furry(shape: np.ndarray, length: float) -> np.ndarray:
    """The outline with tufts: every second corner is pushed outwards."""
    corners = shape[::2]
    middle = corners.mean(axis=0)
    away = corners - middle
    away /= np.maximum(np.hypot(*away.T), 1e-6)[:, None]
    reach = np.where(np.arange(len(corners)) % 2, length, 0.25 * length)
    return corners + reach[:, None] * away
