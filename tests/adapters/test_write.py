"""Patch files in, compressed files out, all or none, and the report."""

from __future__ import annotations

import pathlib

import pytest

from object_detection_patch.adapters import expand, report, write
from object_detection_patch.adapters.rank_rule import RankRule
from object_detection_patch.patch_file import (
    PatchFileError,
    read_patch,
    write_patch,
)

RULE = RankRule(rank=2)


@pytest.fixture
def paths(tmp_path, make_patch):
    found = []
    for seed, name in enumerate(("one", "two")):
        found.append(str(tmp_path / f"{name}.patch"))
        write_patch(found[-1], make_patch(seed))
    return found


def names(folder):
    return sorted(path.name for path in pathlib.Path(folder).iterdir())


def test_a_family(paths, tmp_path):
    out = tmp_path / "out"
    found = write.write_family(paths, RULE, str(out))
    assert names(out) == ["one.odpt", "shared.odps", "two.odpt"]
    patch = expand.expand_files(out / "shared.odps", out / "two.odpt")
    assert patch.label_map == read_patch(paths[1]).label_map
    sizes = {str(path): path.stat().st_size for path in out.iterdir()}
    sizes["total"] = sum(sizes.values())
    assert found["bytes_after"] == sizes
    before = sum(pathlib.Path(path).stat().st_size for path in paths)
    assert found["bytes_before"]["total"] == before
    assert list(found["tasks"]) == paths
    assert found["kept"] == ["backbone/stem/kernel"]
    assert 0 < found["relative_error"] < 0.05
    assert found["energy_kept"] == pytest.approx(
        1 - found["relative_error"] ** 2
    )


def test_alone(paths, tmp_path):
    out = tmp_path / "out"
    found = write.write_per_task(paths, RULE, str(out))
    assert names(out) == ["one.patch", "two.patch"]
    assert read_patch(out / "one.patch").metadata["compression"]
    assert len(found["tasks"][paths[0]]["adapters"]) == 3


def test_half_is_smaller_and_its_rounding_is_in_the_error(paths, tmp_path):
    exact, half = (
        write.write_family(paths, RULE, str(tmp_path / name), encoding=name)
        for name in ("exact", "half")
    )
    assert half["bytes_after"]["total"] < exact["bytes_after"]["total"]
    assert half["relative_error"] > exact["relative_error"]


def test_the_report_for_people(paths, tmp_path):
    found = write.write_family(paths, RULE, str(tmp_path / "out"))
    text = report.as_text(found)
    assert text.startswith(f"{paths[0]}\n  adapter ")
    assert "\n  backbone/square/kernel     2  0.0" in text
    assert "no larger than one: backbone/stem/kernel\n" in text
    assert text.endswith("of the energy kept")
    assert len(text.splitlines()) == 2 * 6 + 1 + 3 + 4 + 1


def test_nothing_is_written_where_something_is_refused(
    paths, tmp_path, make_patch
):
    out = tmp_path / "out"
    series = str(tmp_path / "series.patch")
    write_patch(series, make_patch(1, "SERIES"))
    for function, given in (
        (write.write_family, [paths[0], series]),
        (write.write_per_task, [paths[0], str(tmp_path / "none.patch")]),
        (write.write_family, [paths[0], paths[0]]),
    ):
        with pytest.raises((ValueError, OSError)):
            function(given, RULE, str(out))
        assert not out.exists()


def test_names_that_clash(tmp_path, paths):
    (tmp_path / "b").mkdir()
    other = str(tmp_path / "b" / "one.patch")
    write_patch(other, read_patch(paths[0]))
    with pytest.raises(ValueError, match="names of their own"):
        write.write_family([paths[0], other], RULE, str(tmp_path / "out"))


def test_a_task_may_not_take_the_name_of_the_shared_file(tmp_path, paths):
    name = str(tmp_path / "shared.patch")
    write_patch(name, read_patch(paths[0]))
    out = tmp_path / "out"
    write.write_family([name, paths[1]], RULE, str(out))
    assert names(out) == ["shared.odps", "shared.odpt", "two.odpt"]


def test_a_filled_folder(paths, tmp_path):
    with pytest.raises(ValueError, match="must be new or empty"):
        write.write_family(paths, RULE, str(tmp_path))


def test_joining(make_family, tmp_path, make_patch):
    new = tmp_path / "new.patch"
    write_patch(new, make_patch(50))
    shared, task = make_family / "shared.odps", tmp_path / "new.odpt"
    found = write.write_joined(str(new), str(shared), str(task))
    assert list(found["bytes_after"]) == [str(task), "total"]
    assert found["relative_error"] < 0.05
    assert expand.expand_files(shared, task).method == "PARALLEL_ADAPTERS"


def test_a_damaged_shared_file(make_family):
    shared = make_family / "shared.odps"
    shared.write_bytes(shared.read_bytes()[:-1])
    with pytest.raises(PatchFileError, match="fetch or copy it again"):
        expand.expand_files(shared, make_family / "one.odpt")
