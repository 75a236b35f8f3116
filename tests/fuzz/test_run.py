"""What `make fuzz` reports, with a script in a fuzzer's place."""

from __future__ import annotations

import sys

import pytest
from fuzz import fuzzers, run

_LOG = """\
#2	INITED cov: 11 ft: 12 corp: 1/9b exec/s: 0 rss: 59Mb
#4096	pulse  cov: 333 ft: 922 corp: 133/8190b lim: 4 exec/s: 1 rss: 59Mb
"""


def _fuzzer(status: int, log: str) -> fuzzers.Fuzzer:
    script = f"import sys; print({log!r}); sys.exit({status})"
    return fuzzers.Fuzzer("cpp", "patch", (sys.executable, "-c", script))


@pytest.mark.parametrize(
    "status, verdict",
    [(0, "sound"), (72, "STOPPED"), (77, "FOUND SOMETHING")],
)
def test_run_reports_status_and_the_last_state(
    status, verdict, tmp_path, monkeypatch
):
    monkeypatch.setattr(run, "_FOLDER", tmp_path)
    done = run.run(_fuzzer(status, _LOG), 1)
    assert done == run.Run("cpp_patch", status, 4096, 333, 922, 133)
    assert done.row().endswith(f"  {verdict}")
    assert (tmp_path / "cpp_patch.log").read_text().startswith(_LOG)
    assert (tmp_path / "found" / "cpp_patch").is_dir()


def test_fuzzer_that_does_not_start_has_found_something(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "_FOLDER", tmp_path)
    done = run.run(_fuzzer(1, "no such option"), 1)
    assert done == run.Run("cpp_patch", 1, 0, 0, 0, 0)
    assert "FOUND SOMETHING" in done.row()


def test_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzzers.shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="need cmake and clang"):
        fuzzers.build_cpp(tmp_path)


def test_every_fuzzer_has_a_name_of_its_own(tmp_path):
    names = [fuzzer.name for fuzzer in fuzzers.all_fuzzers(tmp_path)]
    targets = len(fuzzers.TARGETS) + len(fuzzers.PYTHON_TARGETS)
    assert len(set(names)) == targets == 9
    assert names[0] == "cpp_patch"
    assert names[-1] == "python_family"
