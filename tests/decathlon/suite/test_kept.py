"""The bases that come with the package are what they are called."""

from __future__ import annotations

import pathlib

import msgspec
import pytest

from object_detection_patch.checkpoints import extract
from object_detection_patch.decathlon.running import training
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.suite import checks, kept, mini
from object_detection_patch.decathlon.suite.suite import kept_fingerprint
from object_detection_patch.od_api import (
    base_model,
    host_layers,
    pipeline_config,
)

# Of the drawn Open Images.
_CLASSES = 43


def test_minis_base_has_the_fingerprint_that_names_it(tmp_path):
    suite = mini.suite()
    config = str(tmp_path / "pipeline.config")
    folder = open_folder(tmp_path)
    path = pathlib.Path(folder.path(suite.source.label_map))
    path.parent.mkdir(parents=True)
    path.write_text(
        "".join(
            f"item {{ id: {number} name: '{number}' }}\n"
            for number in range(1, _CLASSES + 1)
        )
    )
    training.write_base_config(
        folder, suite, suite.base, suite.source, "none", config
    )
    model = base_model.build_model(
        pipeline_config.read_pipeline(config).model, is_training=False
    )
    fingerprint = kept_fingerprint(suite.base)
    extract.restore_all(model, kept.checkpoint(fingerprint))

    assert fingerprint in kept.fingerprints()
    assert host_layers.find_ssd_hosts(model).fingerprint() == fingerprint


def test_every_kept_base_is_of_a_suite():
    assert kept.fingerprints() == [kept_fingerprint(mini.suite().base)]


def test_an_unknown_fingerprint_is_refused():
    suite = mini.suite()
    base = msgspec.structs.replace(suite.base, fingerprint="ab" * 32)
    wrong = msgspec.structs.replace(suite, base=base)

    with pytest.raises(ValueError, match="fingerprint.*3a91.*'abab"):
        checks.check(wrong, "mine.json")


def test_without_a_fingerprint_the_suite_is_written_as_before():
    base = msgspec.structs.replace(mini.suite().base, fingerprint=msgspec.UNSET)

    assert "fingerprint" not in msgspec.to_builtins(base)
    assert kept_fingerprint(base) == ""
