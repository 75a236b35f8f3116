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

from object_detection_patch.od_api import compat, extractors


def main(arguments: Sequence[str]) -> int:
    """Runs the program; its own exit ends the process."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    program, *flags = arguments
    compat.enable()
    extractors.register()
    module = f"object_detection.{program}"
    if importlib.util.find_spec(module) is None:
        print(
            "PROGRAM must be a module of object_detection. Received: "
            f"{program!r}.",
            file=sys.stderr,
        )
        return 2
    sys.argv = [program, *flags]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
