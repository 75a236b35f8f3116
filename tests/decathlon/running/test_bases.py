"""A base that exists: taken over, measured, and never mixed with another."""

from __future__ import annotations

import os
import pathlib

import pytest

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.decathlon.running import bases, record, training
from object_detection_patch.decathlon.running.folder import (
    FolderError,
    open_folder,
)
from object_detection_patch.decathlon.suite.suite import GivenBase
from object_detection_patch.od_api import (
    base_model,
    host_layers,
    label_map,
    pipeline_config,
)
from tests.decathlon.running.records_to_test import base_record
from tests.decathlon.suite.suites_to_test import suite, task


def _task(key, files):
    return task(
        key,
        train_records=str(files.train),
        eval_records=str(files.eval),
        label_map=str(files.label_map),
    )


@pytest.fixture(scope="module")
def zoo(small_world, tmp_path_factory):
    """A public config, its paths yet to be set, and a suite on that base."""
    folder = tmp_path_factory.mktemp("zoo")
    text = pathlib.Path(small_world.base_config).read_text(encoding="utf-8")
    path = str(small_world.files["shapes"].label_map)
    assert path in text
    config = folder / "pipeline.config"
    config.write_text(text.replace(path, "PATH_TO_BE_CONFIGURED"))
    return suite(
        source=_task("source", small_world.files["shapes"]),
        tasks=(
            _task("birds", small_world.files["stripes"]),
            task("coco"),  # Whose data nobody has.
        ),
        base=GivenBase(
            key="zoo",
            pipeline_config=str(config),
            checkpoint=small_world.base_checkpoint,
        ),
        updating=None,
    )


@pytest.fixture(scope="module")
def made(zoo, tmp_path_factory):
    folder = open_folder(tmp_path_factory.mktemp("made"))
    bases.make_base(folder, zoo, "zoo")
    return folder


def _fingerprint(config, checkpoint):
    """Of the weights in a checkpoint, read by themselves."""
    import tensorflow as tf

    pipeline = pipeline_config.read_pipeline(config)
    model = base_model.build_model(pipeline.model, is_training=False)
    tf.train.Checkpoint(model=model).restore(checkpoint).expect_partial()
    tensors = host_layers.find_ssd_hosts(model).base_tensors()
    return hosts_lib.fingerprint({n: v.numpy() for n, v in tensors.items()})


def test_the_record_is_of_the_base_that_was_given(made, zoo, small_world):
    held = record.read_base(made.base_record("zoo"))

    assert (held.key, held.task, held.percent) == ("zoo", "source", 100)
    checkpoint = made.checkpoint("zoo")
    assert held.fingerprint == _fingerprint(
        str(checkpoint / "pipeline.config"), str(checkpoint / "ckpt-0")
    )
    assert held.fingerprint == _fingerprint(
        small_world.base_config, small_world.base_checkpoint
    )
    assert (held.phone, held.model_bytes) == ({}, {})


def test_its_label_map_is_the_sources(made, small_world):
    config = made.checkpoint("zoo") / "pipeline.config"
    items, _ = label_map.common_label_map(
        pipeline_config.read_pipeline(str(config))
    )

    source = str(small_world.files["shapes"].label_map)
    assert items == label_map.read_label_map(source)


def test_tasks_without_data_are_not_drawn(made):
    drawn = {
        name
        for name in os.listdir(made.base_work("zoo"))
        if name.endswith(".npz")
    }

    assert drawn == {"drawn.npz", "drawn_birds.npz"}


def test_other_weights_take_nothings_place(zoo, tmp_path):
    folder = open_folder(tmp_path)
    held = base_record(zoo, "zoo", fingerprint="cd" * 32)
    record.write_json(folder.base_record("zoo"), held)

    with pytest.raises(FolderError, match="different bases must not be mixed"):
        bases.make_base(folder, zoo, "zoo")
    # A run would be trained on whatever lay there.
    assert not folder.checkpoint("zoo").exists()
    assert record.read_base(folder.base_record("zoo")) == held


def test_a_label_map_of_other_classes_is_refused(zoo, small_world, tmp_path):
    digits = _task("source", small_world.files["digits"])
    other = suite(source=digits, tasks=zoo.tasks, base=zoo.base, updating=None)

    with pytest.raises(ValueError, match="num_classes") as raised:
        bases.make_base(open_folder(tmp_path), other, "zoo")
    assert str(small_world.files["digits"].label_map) in str(raised.value)


def test_data_are_asked_for_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "train", None)

    with pytest.raises(FolderError, match="Task source .* needs"):
        bases.make_base(open_folder(tmp_path), suite(), "source")


def test_a_training_of_other_settings_is_not_gone_on_with(
    zoo, tmp_path, monkeypatch
):
    folder = open_folder(tmp_path)
    left = folder.base_work("source") / "train" / "checkpoint"
    left.parent.mkdir(parents=True)
    left.touch()

    class Stopped(Exception):
        pass

    def train(config, model_dir, **_):
        assert os.path.dirname(left) == model_dir
        raise Stopped

    monkeypatch.setattr(training, "train", train)
    trained = suite(source=zoo.source, tasks=zoo.tasks, updating=None)
    with pytest.raises(Stopped):
        bases.make_base(folder, trained, "source")
    assert not left.exists()

    left.parent.mkdir()
    left.touch()
    with pytest.raises(Stopped):
        bases.make_base(folder, trained, "source")
    assert left.exists()
