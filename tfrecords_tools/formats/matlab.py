"""MATLAB 5 files: broken ones end in one clear message."""

import io
import warnings
import zlib
from pathlib import Path

from scipy.io import loadmat
from scipy.io.matlab import (
    MatReadError,
    MatReadWarning,
)

from tfrecords_tools.errors import MissingDataError, ParseError
from tfrecords_tools.formats.matlab_structure import (
    StructureError,
    check_structure,
)
from tfrecords_tools.formats.matlab_value import MatValue

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HDF5_OFFSETS = (0, 512)
# What scipy's reader stumbles on depends on which byte is wrong.
_BROKEN = (
    ArithmeticError,
    LookupError,
    MatReadError,
    MatReadWarning,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)


def read_mat(path: Path, *names: str) -> tuple[MatValue, ...]:
    """The variables of these names, in the order asked for.

    Raises: ParseError naming the file, if it is broken or of version 7.3,
        or the variable that it lacks; MissingDataError if there is no file.
    """
    values = _load(path, names)
    for name in names:
        if name not in values:
            raise ParseError(
                path,
                "",
                f"The file must hold a variable {name!r}. Received: none",
            )
        if isinstance(values[name], str):
            # scipy hands over a message where it gave up on a variable.
            raise _broken(path, values[name])
    return tuple(MatValue(values[name], path, name) for name in names)


def _load(path: Path, names: tuple[str, ...]) -> dict[str, object]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingDataError(
            f"A MATLAB file of annotations must be readable. Received: "
            f"{error.strerror or error} ({path})"
        ) from error
    if any(data[at : at + len(_HDF5)] == _HDF5 for at in _HDF5_OFFSETS):
        raise ParseError(
            path,
            "",
            "A MATLAB file must be of version 5 (saved with `-v7` or older). "
            "Received: version 7.3, which is HDF5",
        )
    try:
        check_structure(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", MatReadWarning)
            values: dict[str, object] = loadmat(
                io.BytesIO(data),
                squeeze_me=False,
                variable_names=names,
                uint16_codec=_codec(data),
            )
    except StructureError as error:
        raise _broken(path, error) from error
    except _BROKEN as error:
        raise _broken(path, f"{type(error).__name__}: {error}") from error
    return values


def _codec(data: bytes) -> str:
    """Of letters of two bytes; scipy's own choice cuts them to one."""
    is_big_endian = data[126:128] == b"MI"
    return "utf-16-be" if is_big_endian else "utf-16-le"


def _broken(path: Path, reason: object) -> ParseError:
    one_line = " ".join(str(reason).split())[:200]
    return ParseError(
        path, "", f"A MATLAB file must be intact. Received: {one_line}"
    )
