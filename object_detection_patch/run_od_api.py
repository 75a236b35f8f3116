"""Runs any program of the Object Detection API on today's TensorFlow.

    python -m object_detection_patch.run_od_api PROGRAM [FLAGS...]

PROGRAM is a module of `object_detection`, such as exporter_main_v2,
export_tflite_graph_tf2 or model_main_tf2; FLAGS are its own (--helpfull lists
them). Configs may name our feature extractors. A patch in a config is not
understood here: merge it first, or train it with
object_detection_patch.model_main_tf2.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from collections.abc import Sequence

from google.protobuf import text_format

from object_detection_patch.od_api import compat, extractors


def main(arguments: Sequence[str]) -> int:
    """Runs the program; its own exit ends the process."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    program, *flags = arguments
    compat.enable()
    extractors.register()
    if not _exists(program):
        return _refuse(
            "PROGRAM must be a module of object_detection. Received: "
            f"{program!r}."
        )
    sys.argv = [program, *flags]
    try:
        runpy.run_module(
            f"object_detection.{program}", run_name="__main__", alter_sys=True
        )
    except text_format.ParseError as error:
        if "object_detection_patch" not in str(error):
            raise
        return _refuse(
            "The OD API's own programs understand no patch: `od-patch merge` "
            f"it first. Received: {error}."
        )
    return 0


def _exists(program: str) -> bool:
    try:
        return (
            importlib.util.find_spec(f"object_detection.{program}") is not None
        )
    except ModuleNotFoundError:
        return False


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
