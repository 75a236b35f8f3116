"""Takes over what the fuzzers have found into the fixed corpus, minimised.

    python tests/fuzz/keep_corpus.py

For each target: of the corpus and of what runs have added, as few inputs as
reach in C++ all that any of them reaches, and the same for Python. The seeds,
whose names are words, stay.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from fuzz import fuzzers  # noqa: E402

_FOLDER = fuzzers.ROOT / "build" / "fuzz"
_FOUND = re.compile("[0-9a-f]{40}")


def main() -> None:
    made = fuzzers.all_fuzzers(_FOLDER)
    for target in fuzzers.PYTHON_TARGETS:
        corpus = fuzzers.CORPUS / target
        alike = [fuzzer for fuzzer in made if fuzzer.target == target]
        grown = [_FOLDER / "corpus" / fuzzer.name for fuzzer in alike]
        sources = [corpus, *filter(pathlib.Path.is_dir, grown)]
        with tempfile.TemporaryDirectory() as kept:
            for fuzzer in alike:
                _minimise(fuzzer, pathlib.Path(kept), sources)
            _replace(corpus, pathlib.Path(kept))
        size = sum(path.stat().st_size for path in corpus.iterdir())
        print(f"{target}: {len(list(corpus.iterdir()))} inputs, {size} bytes")


def _minimise(
    fuzzer: fuzzers.Fuzzer, kept: pathlib.Path, sources: list[pathlib.Path]
) -> None:
    folders = map(str, (kept, *sources))
    command = [*fuzzer.command, "-set_cover_merge=1", *folders]
    subprocess.run(command, check=True, capture_output=True)


def _replace(corpus: pathlib.Path, kept: pathlib.Path) -> None:
    for path in corpus.iterdir():
        if _FOUND.fullmatch(path.name):
            path.unlink()
    seeds = {path.read_bytes() for path in corpus.iterdir()}
    for path in sorted(kept.iterdir()):
        if path.read_bytes() not in seeds:
            shutil.copy(path, corpus / path.name)


if __name__ == "__main__":
    main()
