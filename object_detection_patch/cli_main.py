"""od-patch as a file to run, which is what Bazel wants of a program.

It lies outside cli/, because the folder of a file that is run comes first in
the path, and cli/inspect.py would hide the standard library's.
"""

import sys

from object_detection_patch.cli import program

if __name__ == "__main__":
    sys.exit(program())
