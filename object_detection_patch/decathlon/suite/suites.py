"""A suite by name, or from a file."""

from __future__ import annotations

import os

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

    suite = record.read_suite(name)
    checks.check(suite, name)
    return suite
