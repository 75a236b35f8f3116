"""A config that could not train is refused before anything is built."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
import tensorflow as tf

from object_detection_patch.od_api import (
    checks,
    label_map,
    pipeline_config,
)


@pytest.fixture
def pipeline(small_world):
    return pipeline_config.read_pipeline(
        small_world.config("stripes", "SPOTPATCH")
    )


def _refuses(pipeline, message, *, training=True):
    with pytest.raises(ValueError, match=message):
        checks.check_pipeline(pipeline, training=training)


@pytest.mark.parametrize("training", [True, False])
def test_accepts_a_good_config(pipeline, training):
    checks.check_pipeline(pipeline, training=training)


def test_other_meta_architecture(pipeline):
    pipeline.model.faster_rcnn.SetInParent()
    _refuses(pipeline, "A patch needs an SSD .* Received: 'faster_rcnn'")


def test_no_base(pipeline):
    pipeline.train_config.fine_tune_checkpoint = ""
    _refuses(pipeline, r"A patch needs a base: set .*\. Received: none\.")
    checks.check_pipeline(pipeline, training=False)


def test_missing_base(pipeline, tmp_path):
    path = str(tmp_path / "ckpt-0")
    pipeline.train_config.fine_tune_checkpoint = path
    _refuses(pipeline, re.escape(f"{path}.index does not exist"))


@pytest.mark.parametrize("kind", ["", "classification", "fine_tune"])
def test_type_that_leaves_out_the_tower(pipeline, kind):
    pipeline.train_config.fine_tune_checkpoint_type = kind
    _refuses(pipeline, f"must be 'detection' or 'full'.*Received: '{kind}'")


def test_version_1(pipeline):
    pipeline.train_config.ClearField("fine_tune_checkpoint_version")
    _refuses(pipeline, r"fine_tune_checkpoint_version` must be V2 .*: V1\.")


def test_num_classes(pipeline):
    expected = pipeline.model.ssd.num_classes
    pipeline.model.ssd.num_classes = expected + 1
    _refuses(pipeline, f"num_classes {expected + 1}, but id {expected} in ")
    _refuses(pipeline, f"num_classes {expected + 1}", training=False)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("item { id: 0 name: 'a' }", "Label map ids start at 1"),
        ("item { id: 1 name: 'a' } item { id: 1 name: 'b' }", "Each id may"),
    ],
)
def test_bad_label_map(pipeline, tmp_path, items, message):
    path = tmp_path / "map.pbtxt"
    path.write_text(items)
    pipeline.train_input_reader.label_map_path = str(path)
    _refuses(pipeline, message)
    _refuses(pipeline, message, training=False)
    pipeline.eval_input_reader[0].label_map_path = str(path)
    _refuses(pipeline, message, training=False)


@pytest.mark.parametrize("training", [True, False])
def test_a_reader_without_a_label_map(pipeline, training):
    reader = pipeline.eval_input_reader[0]
    if training:
        reader = pipeline.train_input_reader
    reader.label_map_path = ""
    _refuses(pipeline, "must name a label map .*: '',", training=training)
    checks.check_pipeline(pipeline, training=not training)


@pytest.mark.parametrize("training", [True, False])
def test_a_label_map_is_read_once(pipeline, monkeypatch, training):
    paths = []
    read = label_map.read_label_map
    monkeypatch.setattr(
        label_map, "read_label_map", lambda p: paths.append(p) or read(p)
    )
    checks.check_readers(pipeline, training=training)
    assert paths == [pipeline.train_input_reader.label_map_path]


def test_records_that_match_nothing(pipeline):
    paths = pipeline.train_input_reader.tf_record_input_reader.input_path
    paths[0] = "/nowhere/x.record-*"
    _refuses(pipeline, "must match at least one file.*'/nowhere/x.record-")


def test_one_of_two_patterns_matches_nothing(pipeline):
    reader = pipeline.eval_input_reader[0].tf_record_input_reader
    reader.input_path.append("/nowhere/y.record")
    _refuses(pipeline, "Received: '/nowhere/y.record'", training=False)


def _write_records(path, *payloads):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for payload in payloads:
            writer.write(payload)
    return str(path)


def _example(*names):
    example = tf.train.Example()
    example.features.feature["image/object/class/text"].bytes_list.value.extend(
        name.encode() for name in names
    )
    return example.SerializeToString()


@pytest.mark.parametrize("training", [True, False])
def test_a_class_that_the_label_map_lacks(pipeline, tmp_path, training):
    records = _write_records(
        tmp_path / "r.record", _example("a"), _example("B", "c", "dog"), b""
    )
    map_path = tmp_path / "map.pbtxt"
    map_path.write_text(
        "item { id: 1 name: 'a' } item { id: 2 name: 'b' display_name: 'B' } "
        "item { id: 3 name: 'c' }"
    )
    pipeline.model.ssd.num_classes = 3
    for reader in (pipeline.train_input_reader, pipeline.eval_input_reader[0]):
        reader.label_map_path = str(map_path)
        reader.tf_record_input_reader.input_path[:] = [records]
    _refuses(
        pipeline,
        rf"Received: \['dog'\] in record 1 of '{records}', \.\.\., but not "
        rf"in {map_path}",
        training=training,
    )
    map_path.write_text(map_path.read_text().replace("'c'", "'dog'"))
    _refuses(pipeline, r"Received: \['c'\] in record 1", training=training)


def test_records_without_class_names_pass(pipeline, tmp_path):
    reader = pipeline.train_input_reader.tf_record_input_reader
    reader.input_path[:] = [_write_records(tmp_path / "r", b"", _example())]
    checks.check_pipeline(pipeline, training=True)


def test_what_is_no_example(pipeline, tmp_path):
    reader = pipeline.train_input_reader.tf_record_input_reader
    reader.input_path[:] = [_write_records(tmp_path / "r", b"\x0a\xff")]
    _refuses(pipeline, "must be tf.train.Example messages. Received: record 0")


def test_what_is_no_record(pipeline, tmp_path):
    path = tmp_path / "r.record"
    path.write_text("id,xmin,ymin,xmax,ymax\n" * 4)
    reader = pipeline.train_input_reader.tf_record_input_reader
    reader.input_path[:] = [str(path)]
    _refuses(pipeline, f"must be TFRecord files. Received: '{path}'")


@pytest.mark.parametrize("training", [True, False])
def test_label_maps_that_differ(pipeline, tmp_path, training):
    text = pathlib.Path(pipeline.train_input_reader.label_map_path).read_text()
    first, *rest = text.split("item")[1:]
    swapped = tmp_path / "swapped.pbtxt"
    swapped.write_text(
        "item".join(
            [
                "",
                first.replace("id: 1", "id: 2"),
                rest[0].replace("id: 2", "id: 1"),
            ]
            + rest[1:]
        )
    )
    pipeline.eval_input_reader[0].label_map_path = str(swapped)
    _refuses(pipeline, "All readers must have one label map", training=training)


@pytest.mark.parametrize(
    "field", ["freeze_variables", "update_trainable_variables"]
)
def test_filters_that_the_loop_does_not_read(pipeline, field):
    getattr(pipeline.train_config, field).append(".*tower.*")
    _refuses(pipeline, f"`train_config.{field}`: leave it out")


def test_a_grid_that_would_never_begin(small_world):
    config = small_world.config(
        "stripes",
        "COMPACT",
        name="_never",
        patch_options="  grid { begin_step: 4 }\n",
    )
    pipeline = pipeline_config.read_pipeline(config)
    _refuses(pipeline, r"must be below `train_config.num_steps`, 4\. .*: 4 ")
    checks.check_pipeline(pipeline, training=False)


def test_a_target_that_would_never_be_kept(small_world):
    config = small_world.config(
        "stripes",
        "COMPACT",
        name="_late_target",
        patch_options="  target_file_bytes: 60000 target_step: 4\n",
    )
    pipeline = pipeline_config.read_pipeline(config)
    _refuses(pipeline, r"`target_step` must be below .*, 4\. .*: 4 ")
    checks.check_pipeline(pipeline, training=False)


def test_no_records(pipeline):
    del pipeline.train_input_reader.tf_record_input_reader.input_path[:]
    _refuses(pipeline, r"input_path`.* must be set\. Received: none\.")


def test_checks_write_nothing(pipeline, small_world):
    before = sorted(pathlib.Path(small_world.folder).iterdir())
    checks.check_pipeline(pipeline, training=True)
    assert sorted(pathlib.Path(small_world.folder).iterdir()) == before


def test_checks_do_not_start_the_runtime(small_world):
    """A strategy of several workers must be made before it starts."""
    script = (
        "import sys\n"
        "from object_detection_patch.od_api import checks, pipeline_config\n"
        "checks.check_pipeline(\n"
        "    pipeline_config.read_pipeline(sys.argv[1]), training=True)\n"
        "from tensorflow.python.eager import context\n"
        "print(context.context()._initialized)\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            script,
            small_world.config("stripes", "SPOTPATCH"),
        ],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout == "False\n", done.stderr[-3000:]


def test_a_trained_checkpoint_must_be_kept():
    checks.check_checkpointing(1000, 1000)
    checks.check_checkpointing(1001, 1000)
    with pytest.raises(
        ValueError,
        match=r"`--checkpoint_every_n` must be at most .* 1000 for 999 steps",
    ):
        checks.check_checkpointing(999, 1000)
