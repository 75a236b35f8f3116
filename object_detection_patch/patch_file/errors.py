"""What can be wrong with a patch file: one class per broken rule.

FORMAT.md states the rules; every class below is one of them.
"""

from __future__ import annotations

_MAX_SHOWN = 80


def shown(value: object) -> str:
    """A received value as an error quotes it: at most 80 characters.

    Its `repr`, which escapes what is not printable.
    """
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."


class FingerprintError(ValueError):
    """A patch meets a base model that it was not trained on."""


class PatchFileError(ValueError):
    """A patch, or the file that holds it, breaks a rule of the format."""


class LengthError(PatchFileError):
    """The file has not the length that it states: cut short or too long."""


class MagicError(PatchFileError):
    """The file does not begin like a patch file."""


class VersionError(PatchFileError):
    """The file is of a version that this reader does not know."""


class ReservedError(PatchFileError):
    """A field or a flag that must be zero is not."""


class LimitError(PatchFileError):
    """A count or size exceeds the limit that bounds a reader's memory."""


class HeaderBoundsError(PatchFileError):
    """The header does not fit in the file."""


class CompressionError(PatchFileError):
    """A zlib stream is broken, or inflates to another size than stated."""


class DirectoryError(PatchFileError):
    """The inflated header ends within a field, or after its last one."""


class TextError(PatchFileError):
    """A text is not UTF-8, or holds control characters."""


class FingerprintFormatError(PatchFileError):
    """A base fingerprint is not a SHA-256 in lower-case hexadecimal."""


class UnknownEditError(PatchFileError):
    """An edit is of a kind outside the closed set."""


class UnknownValueTypeError(PatchFileError):
    """An edit's numbers are of a type that its kind does not allow."""


class UnknownCodecError(PatchFileError):
    """A section is compressed in a way that this reader does not know."""


class GridError(PatchFileError):
    """A grid has bits or groups that do not fit its tensor."""


class GridStepError(PatchFileError):
    """The step of a grid is below zero."""


class DuplicateTargetError(PatchFileError):
    """Two edits write to one tensor."""


class ShapeError(PatchFileError):
    """A shape is not one that a tensor of this edit can have."""


class LabelMapError(PatchFileError):
    """A label map has an id below 1 or twice."""


class MetadataError(PatchFileError):
    """Metadata is not a plain JSON object."""


class DuplicateKeyError(MetadataError):
    """A JSON object of the metadata holds one key twice."""


class ReleaseError(PatchFileError):
    """A release names its files badly or twice, or has a false activation."""


class SectionBoundsError(PatchFileError):
    """The sections do not fill the file exactly: a hole or an overrun."""


class SectionSizeError(PatchFileError):
    """A section has another size than its shape and type require."""


class PaddingError(PatchFileError):
    """The unused bits behind a mask or a grid's codes are not zero."""


class NotFiniteError(PatchFileError):
    """A number is NaN or infinite."""


class ScaleError(PatchFileError):
    """A residual scale is zero, or stored as a negative number."""


class HalfRangeError(PatchFileError):
    """A value is too large for float16."""


class GridRangeError(PatchFileError):
    """The values of a group lie too far apart for a grid of float32."""


class ChecksumError(PatchFileError):
    """The bytes do not hash to the checksum at the end of the file."""


class MissingTargetError(PatchFileError):
    """An edit writes to a tensor that the base model lacks."""


class TargetShapeError(PatchFileError):
    """An edit and the base tensor that it writes to differ in shape."""
