"""What a task of a family costs, against its files and counted by hand."""

from __future__ import annotations

import types

import msgspec
import pytest

from object_detection_patch.adapters import write
from object_detection_patch.adapters.rank_rule import RankRule
from object_detection_patch.decathlon.running import compressed, family_size
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.running.record import Footprint
from object_detection_patch.patch_file import ENCODINGS, read_patch
from tests.decathlon.running.families_to_test import (
    RUNS,
    SHARE,
    leave_patches,
)
from tests.decathlon.running.records_to_test import outcome

_WHOLE = Footprint(
    bits_32=320_000, bits_8=80_000, class_head_values=10, base_parameters=1
)
# Rank (half of the channels, but at least 1) times out, of four kernels.
_SHARED_NUMBERS = 1 * 12 + 5 * 10 + 4 * 20 + 4 * 8


@pytest.fixture
def found(tmp_path, monkeypatch):
    folder = open_folder(tmp_path)
    leave_patches(folder)
    run = RUNS["coco", "joint_svd"]
    folder.run_work(run).mkdir(parents=True)
    compressed.write_start(folder, run)
    patch = read_patch(folder.run_start(run))
    monkeypatch.setattr(
        family_size.cost,
        "uncounted_names",
        lambda hosts: frozenset(patch.metadata["uncounted"]),
    )
    weighed = family_size.weighed(
        folder,
        run.starts_from,
        types.SimpleNamespace(hosts=None),
        patch,
        msgspec.structs.replace(outcome(), footprint=_WHOLE),
    )
    return folder, weighed


def test_a_task_bears_an_even_part_of_the_shared_numbers(found):
    _, weighed = found
    others = _SHARED_NUMBERS // 2

    assert weighed.footprint.bits_32 == 320_000 - 32 * others
    assert weighed.footprint.bits_8 == 80_000 - 8 * others
    assert weighed.footprint.class_head_values == 10


@pytest.mark.parametrize("encoding", list(ENCODINGS))
def test_bytes_are_those_of_the_files(found, tmp_path, encoding):
    folder, weighed = found
    paths = []
    for task in ("birds", "coco"):
        paths.append(tmp_path / f"{task}.patch")
        paths[-1].write_bytes(folder.run_patch(RUNS[task, ""]).read_bytes())
    output = tmp_path / "family"
    write.write_family(
        list(map(str, paths)),
        RankRule(share=SHARE),
        str(output),
        encoding=encoding,
    )

    shared = (output / write.SHARED_FILE).stat().st_size
    own = (output / "coco.odpt").stat().st_size
    size = weighed.file_bytes[encoding]
    # What the metadata say of the training may differ by a few bytes.
    assert size.whole == pytest.approx(own + shared / 2, abs=64)
    assert size.without_class_head < size.whole
