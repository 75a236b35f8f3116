"""A suite by name, or from a file."""

from __future__ import annotations

import json
import os
from typing import Any

from object_detection_patch.decathlon.suite import mini, paper
from object_detection_patch.decathlon.suite.suite import Suite

_NAMED = {"mini": mini.suite, "paper": paper.suite}


def load(name: str) -> Suite:
    """The suite of a name, or of a JSON file.

    Raises:
      ValueError: for a name that is neither, or a file that holds no suite.
    """
    if name in _NAMED:
        return _NAMED[name]()
    if not os.path.exists(name):
        raise ValueError(
            f"`--suite` must be {', '.join(_NAMED)} or the JSON file of a "
            f"suite. Received: {name!r}."
        )
    # Its checks ask the methods, which import TensorFlow.
    from object_detection_patch.decathlon.running import record
    from object_detection_patch.decathlon.suite import checks

    _refuse_twice(name)
    suite = record.read_suite(name)
    checks.check(suite, name)
    return suite


def _refuse_twice(path: str) -> None:
    """Raises ValueError for a key that an object has twice.

    JSON's readers take the last and say nothing.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ValueError(
                "A key of a suite must be used once in its object. Received: "
                f"{twice!r} twice ({path})."
            )
        return found

    with open(path, "rb") as file:
        data = file.read()
    try:
        json.loads(data, object_pairs_hook=unique)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return  # Whoever reads it strictly says what is wrong.
