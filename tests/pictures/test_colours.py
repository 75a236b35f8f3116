"""The palette, as seen by colour-blind eyes."""

import numpy as np

from object_detection_patch.pictures.colours import PALETTE


def test_palette_is_told_apart_by_red_green_blind_eyes():
    # Simulations of Viénot, Brettel and Mollon (1999), in linear RGB: a row
    # per channel seen; red and green become one.
    simulations = {
        "normal": np.eye(3),
        "protanopia": [[0.112, 0.888, 0]] * 2 + [[0.004, -0.004, 1]],
        "deuteranopia": [[0.293, 0.707, 0]] * 2 + [[-0.022, 0.022, 1]],
    }
    linear = (np.array(PALETTE) / 255) ** 2.2
    for name, matrix in simulations.items():
        seen = np.clip(linear @ np.transpose(matrix), 0, 1) ** (1 / 2.2)
        distances = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
        distances[np.diag_indices(len(seen))] = np.inf
        # A tenth of the whole range is a plain difference side by side.
        assert distances.min() > 0.1, name
