"""The bases that come with the package are what they are called."""

from __future__ import annotations

import msgspec
import pytest

from object_detection_patch.checkpoints import extract
from object_detection_patch.decathlon.running import bases, plan, record
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.suite import checks, kept, mini, runs
from object_detection_patch.decathlon.suite.suite import kept_fingerprint
from object_detection_patch.od_api import (
    base_model,
    host_layers,
    pipeline_config,
)


def test_minis_base_is_taken_as_it_was_made(tmp_path):
    suite = mini.suite()
    folder = open_folder(tmp_path)
    bases.make_base(folder, suite, "oid")
    held = record.read_base(folder.base_record("oid"))
    fingerprint = kept_fingerprint(suite.base)
    config = str(folder.checkpoint("oid") / "pipeline.config")
    model = base_model.build_model(
        pipeline_config.read_pipeline(config).model, is_training=False
    )
    extract.restore_all(model, str(folder.checkpoint("oid") / "ckpt-0"))

    assert fingerprint in kept.fingerprints()
    assert held.fingerprint == fingerprint
    assert host_layers.find_ssd_hosts(model).fingerprint() == fingerprint
    assert held.config_sha256 == runs.base_sha256(suite, "oid")
    # Nothing is published, and no image was there to look at.
    assert (held.phone, held.model_bytes) == ({}, {})
    assert not list(folder.base_work("oid").glob("drawn*"))
    assert plan.held_base(folder, suite, "oid") == held


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
