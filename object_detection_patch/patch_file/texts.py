"""Which texts a patch file may hold: what a person reads is what it says."""

from __future__ import annotations

import re

from object_detection_patch.patch_file import errors, layout

# C0, DEL and C1 drive terminals; line and paragraph separators break lines;
# embeddings, overrides and isolates show the rest in another order.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
# What Unicode 15 gives category Cf or Default_Ignorable_Code_Point (zero
# widths, joiners, marks of direction, selectors, tags). A list, because an
# implementation in another language must refuse the same names.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)


def check_text(field: str, text: str) -> None:
    """Raises PatchFileError for a text that no file may hold.

    Such as control characters, among them those that reorder what is shown,
    lone surrogates, and texts that are too long.
    """
    if _CONTROL.search(text):
        raise errors.TextError(
            f"`{field}` must not hold control characters, which could drive "
            f"a terminal. Received: {errors.shown(text)}."
        )
    encoded_text(field, text)


def check_name(field: str, text: str) -> None:
    """As `check_text`, for names that programs look up.

    They may hold no invisible character either: two names that look alike
    to whoever inspects a patch should be one.
    """
    check_text(field, text)
    found = _INVISIBLE.search(text)
    if found:
        raise errors.TextError(
            f"`{field}` must not hold invisible characters. Received: "
            f"U+{ord(found[0]):04X} in {errors.shown(text)}."
        )


def encoded_text(field: str, text: str) -> bytes:
    """The text as UTF-8; TextError if it has none, LimitError if too long."""
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise errors.TextError(
            f"`{field}` must be valid Unicode. Received: {errors.shown(text)}."
        ) from error
    if len(encoded) > layout.MAX_TEXT_BYTES:
        raise errors.LimitError(
            f"`{field}` may have {layout.MAX_TEXT_BYTES} bytes of UTF-8. "
            f"Received: {len(encoded)}."
        )
    return encoded
