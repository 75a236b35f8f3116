"""MATLAB 5 files as the authors of datasets ship them, for drawn examples."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.io import savemat

# scipy puts the date here, so that no two files of it are alike.
_DESCRIPTION = b"MATLAB 5.0 MAT-file".ljust(116)


def write_mat(path: Path, variables: Mapping[str, object]) -> None:
    """Writes the variables; equal ones give equal bytes."""
    stream = io.BytesIO()
    savemat(stream, dict(variables))
    content = stream.getvalue()
    path.write_bytes(_DESCRIPTION + content[len(_DESCRIPTION) :])


def number(value: int) -> np.ndarray:
    """A 1x1 number of the smallest unsigned type that holds it."""
    return np.array([[value]], np.min_scalar_type(value))


def row_cell(texts: Sequence[str]) -> np.ndarray:
    """A 1xN cell."""
    return column_cell(texts).reshape(1, -1)


def column_cell(texts: Sequence[str]) -> np.ndarray:
    """An Nx1 cell."""
    cell = np.empty((len(texts), 1), object)
    cell[:, 0] = texts
    return cell


def struct_array(
    fields: Sequence[str], records: Sequence[Sequence[object]]
) -> np.ndarray:
    """A 1xN struct with the fields in this order."""
    structs = np.empty((1, len(records)), [(name, object) for name in fields])
    for index, record in enumerate(records):
        structs[0, index] = tuple(record)
    return structs
