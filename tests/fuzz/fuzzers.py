"""The fuzzers: targets in C++ (libFuzzer) and Python (atheris)."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
CORPUS = HERE / "corpus"
# In both languages.
TARGETS = ("patch", "sidecar", "apply", "apply_sidecar")
# Families are expanded before a phone sees them, so C++ does not know them.
PYTHON_TARGETS = (*TARGETS, "family")
_NATIVE = ROOT / "object_detection_patch" / "tflite" / "native"
_COMPILERS = ("clang++", *(f"clang++-{number}" for number in range(21, 10, -1)))


@dataclasses.dataclass(frozen=True)
class Fuzzer:
    """A target in one language.

    Args:
      language: "cpp" or "python".
      target: of `PYTHON_TARGETS`; fuzzers of one target share a corpus.
      command: starts it; libFuzzer's options and folders follow.
    """

    language: str
    target: str
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.language}_{self.target}"


def all_fuzzers(folder: pathlib.Path) -> list[Fuzzer]:
    """Every fuzzer; those of C++ lie in `folder` once they are built."""
    script = str(HERE / "fuzz_python.py")
    return [
        *(
            Fuzzer("cpp", target, (str(folder / "cpp" / f"fuzz_{target}"),))
            for target in TARGETS
        ),
        *(
            Fuzzer("python", target, (sys.executable, script, target))
            for target in PYTHON_TARGETS
        ),
    ]


def build_cpp(folder: pathlib.Path) -> None:
    """Builds the targets of native/fuzz with ASan and UBSan.

    Raises:
      FileNotFoundError: without CMake or clang.
      subprocess.CalledProcessError: if it does not compile.
    """
    compiler = next(filter(shutil.which, _COMPILERS), None)
    if compiler is None or shutil.which("cmake") is None:
        raise FileNotFoundError(
            "The fuzzers in C++ need cmake and clang++ with its libFuzzer (on "
            "Debian: apt-get install cmake clang). Received: a machine "
            "without; `--only python_patch ...` needs neither."
        )
    made = str(folder / "cpp")
    options = ["-DODP_FUZZ=ON", f"-DCMAKE_CXX_COMPILER={compiler}"]
    subprocess.run(
        ["cmake", "-S", str(_NATIVE), "-B", made, *options], check=True
    )
    names = [f"fuzz_{target}" for target in TARGETS]
    subprocess.run(
        ["cmake", "--build", made, "--parallel", "2", "--target", *names],
        check=True,
    )
