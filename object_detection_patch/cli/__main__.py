"""python -m object_detection_patch.cli: the same as od-patch."""

import sys

from object_detection_patch.cli import main

if __name__ == "__main__":
    sys.exit(main())
