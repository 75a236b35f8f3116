"""Metadata as JSON text, with nothing in it that two readers read apart."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from object_detection_patch.patch_file import errors, layout

_ESCAPE_QUOTE_OR_BRACKET = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
# Every integer of 64 bits; Python alone reads longer ones exactly.
_MAX_DIGITS = 20


def to_json(metadata: dict[str, Any]) -> bytes:
    """Canonical UTF-8 JSON: sorted keys, no spaces.

    Raises:
      MetadataError: for anything that would not come back as it was.
    """
    try:
        text = json.dumps(
            metadata,
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
        )
        encoded = text.encode("utf-8")
        restored = from_json(encoded)
    except (TypeError, ValueError, RecursionError) as error:
        raise errors.MetadataError(
            "`metadata` must be a plain JSON object: str keys, finite "
            f"numbers, at most {layout.MAX_JSON_DEPTH} levels. Received one "
            f"that is not: {str(error)[:200]}"
        ) from error
    if restored != metadata:
        raise errors.MetadataError(
            "`metadata` must come back from JSON as it was: str keys, lists "
            "instead of tuples. Received one that changes."
        )
    return encoded


def from_json(encoded: bytes) -> dict[str, Any]:
    """Reads what `to_json` wrote.

    Raises:
      MetadataError: if it is no JSON object in UTF-8, holds NaN, an infinite
        number or an integer beyond 64 bits, or is nested too deeply.
      DuplicateKeyError: if an object holds a key twice.
    """
    try:
        text = encoded.decode("utf-8")
        _check_depth(text)
        parsed = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_number,
            parse_float=_finite,
            parse_int=_integer,
        )
        # An escaped lone surrogate is JSON, but no text.
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except errors.PatchFileError:
        raise
    except ValueError as error:
        raise errors.MetadataError(
            f"Metadata must be JSON in UTF-8. Received: {error}."
        ) from error
    if not isinstance(parsed, dict):
        raise errors.MetadataError(
            "Metadata must be a JSON object. Received: "
            f"{type(parsed).__name__}."
        )
    return parsed


def _check_depth(text: str) -> None:
    # Before parsing: the parser's own bound is the interpreter's stack.
    depth = 0
    in_string = False
    for match in _ESCAPE_QUOTE_OR_BRACKET.finditer(text):
        if match[0] == '"':
            in_string = not in_string
        elif not in_string and match[0] in "[]{}":
            depth += 1 if match[0] in "[{" else -1
        if depth > layout.MAX_JSON_DEPTH:
            raise errors.MetadataError(
                f"Metadata may be nested {layout.MAX_JSON_DEPTH} levels "
                "deep. Received: more."
            )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise errors.DuplicateKeyError(
                "A JSON object holds each key once. Received: "
                f"{errors.shown(key)} twice in the metadata."
            )
        found[key] = value
    return found


def _refuse_number(text: str) -> NoReturn:
    raise errors.MetadataError(
        "Numbers in metadata must be finite and integers within 64 bits. "
        f"Received: {text[:40]}."
    )


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse_number(text)
    return number


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS or not -(2**63) <= int(text) < 2**64:
        _refuse_number(text)
    return int(text)
