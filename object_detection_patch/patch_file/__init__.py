"""Patch files: pure data, read and written with numpy alone (FORMAT.md)."""

from object_detection_patch.patch_file.adapter_edits import (
    AddAtCentre,
    AddProductAtCentre,
    MixOutputs,
    MixOutputsByProduct,
)
from object_detection_patch.patch_file.edits import (
    AddSigned,
    AffineMask,
    Edit,
    KeepMasked,
    Replace,
    ScaleOffset,
    apply_edits,
)
from object_detection_patch.patch_file.encoding import (
    COMPACT,
    ENCODINGS,
    EXACT,
    HALF,
    SMALL,
    Encoding,
    Numbers,
)
from object_detection_patch.patch_file.errors import (
    FingerprintError,
    PatchFileError,
)
from object_detection_patch.patch_file.inspection import describe
from object_detection_patch.patch_file.patch import LabelMapItem, Patch
from object_detection_patch.patch_file.reader import from_bytes, read_patch
from object_detection_patch.patch_file.release import Release
from object_detection_patch.patch_file.signature import Signature
from object_detection_patch.patch_file.trained_size import trained_size
from object_detection_patch.patch_file.writer import to_bytes, write_patch

__all__ = [
    "AddAtCentre",
    "AddProductAtCentre",
    "AddSigned",
    "AffineMask",
    "COMPACT",
    "ENCODINGS",
    "EXACT",
    "Edit",
    "Encoding",
    "FingerprintError",
    "HALF",
    "KeepMasked",
    "LabelMapItem",
    "MixOutputs",
    "MixOutputsByProduct",
    "Numbers",
    "Patch",
    "PatchFileError",
    "Release",
    "Replace",
    "SMALL",
    "ScaleOffset",
    "Signature",
    "apply_edits",
    "describe",
    "from_bytes",
    "read_patch",
    "to_bytes",
    "trained_size",
    "write_patch",
]
