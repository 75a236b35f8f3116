"""python -m object_detection_patch.cli: the same as od-patch."""

import sys

from object_detection_patch.cli import program

if __name__ == "__main__":
    sys.exit(program())
