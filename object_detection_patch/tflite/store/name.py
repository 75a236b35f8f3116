"""Which names the patches of a store may have.

An app shows them, passes them through command lines and makes file names of
them, on whatever system: so what any of these would misread is refused.
"""

from __future__ import annotations

import re
import unicodedata

from object_detection_patch.patch_file.errors import PatchFileError, shown
from object_detection_patch.patch_file.texts import check_name
from object_detection_patch.tflite.store.errors import StoreError

# The name under which a store's base is activated.
BASE = "base"
_MAX_BYTES = 100
# What Windows or a shell gives a meaning of its own.
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
# A dot hides, a hyphen begins an option; Windows drops dots and spaces at
# the end.
_BAD_START = (".", "-", " ")
_BAD_END = (".", " ")
# Devices in every folder of Windows, whatever follows the first dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def checked_name(name: str) -> str:
    """The name as a store keeps it: in Unicode's form NFC.

    Two ways to write one letter are one name then; macOS has the habit of
    taking them apart in file names.

    Raises:
      StoreError: if no patch may have this name.
    """
    name = unicodedata.normalize("NFC", name)
    rule = _broken_rule(name)
    if rule:
        raise StoreError(
            f"The name of a patch must {rule}; choose another one. "
            f"Received: {shown(name)}."
        )
    return name


def alike(first: str, second: str) -> bool:
    """Whether some file systems take one name for the other."""
    return first.casefold() == second.casefold()


def _broken_rule(name: str) -> str | None:
    try:
        check_name("name", name)
    except PatchFileError:
        return "be Unicode without control or invisible characters"
    if not 1 <= len(name.encode("utf-8")) <= _MAX_BYTES:
        return f"have 1 to {_MAX_BYTES} bytes of UTF-8"
    if _FORBIDDEN.search(name):
        return 'hold none of / \\ : * ? " < > |'
    if name.startswith(_BAD_START) or name.endswith(_BAD_END):
        return (
            "not begin with a dot, hyphen or space, nor end with dot or space"
        )
    if alike(name, BASE):
        return f"not be `{BASE}`, which stands for the model without a patch"
    if _DEVICE.fullmatch(name):
        return "not be that of a device on Windows"
    return None
