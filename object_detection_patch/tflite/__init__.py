"""The phone: published bases, and patches applied to them, without TensorFlow.

`apply` needs numpy alone.
"""

from object_detection_patch.tflite.errors import ApplyError, SidecarError
from object_detection_patch.tflite.patcher import (
    Applied,
    apply,
    apply_bytes,
    sidecar_path,
)
from object_detection_patch.tflite.sidecar_file import read_sidecar

__all__ = [
    "Applied",
    "ApplyError",
    "SidecarError",
    "apply",
    "apply_bytes",
    "read_sidecar",
    "sidecar_path",
]
