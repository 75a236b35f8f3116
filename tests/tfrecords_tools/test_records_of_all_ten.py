"""Miniatures, drawn, converted, verified, read and trained on by the OD API."""

import glob
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from object_detection_patch import recipes
from object_detection_patch.od_api import compat
from tfrecords_tools import __main__ as command_line
from tfrecords_tools.converters import SPLITS, converters
from tfrecords_tools.label_map import read_label_map
from tfrecords_tools.reader import read_examples
from tfrecords_tools.synthetic import miniatures

KEYS = list(converters())
_IMAGES = {"train": 24, "eval": 8}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Folder with `<key>/` for each dataset's records."""
    folder = tmp_path_factory.mktemp("ten")
    drawn = folder / "drawn"
    sizes = (f"--images={_IMAGES['train']}", f"--eval_images={_IMAGES['eval']}")
    run("synthesize", "all", "--output_dir", drawn, "--size=96", *sizes)
    for key in KEYS:
        run(
            *("convert", key, "--data_dir", drawn / key, "--num_shards=2"),
            *("--output_dir", folder / key, "--allow_count_mismatch"),
        )
    return folder


def run(*arguments):
    assert command_line.main([str(a) for a in arguments]) == 0, arguments


def paths(records, key, split):
    found = glob.glob(f"{records}/{key}/{key}_{split}.record-*")
    assert len(found) == 2
    return sorted(found)


@pytest.mark.parametrize("key", KEYS)
def test_they_verify(records, key):
    label_map = f"{records}/{key}/{key}_label_map.pbtxt"
    run("verify", f"{records}/{key}/*.record-*", "--label_map", label_map)


@pytest.mark.parametrize("key", KEYS)
def test_no_image_is_lost(records, key):
    counts = {
        split: sum(
            1 for path in paths(records, key, split) for _ in examples(path)
        )
        for split in SPLITS
    }
    assert sum(counts.values()) == sum(_IMAGES.values())
    if key not in ("pet", "rpc"):  # A rule of theirs chooses.
        assert counts == _IMAGES


def examples(path):
    return read_examples(Path(path))


@pytest.mark.parametrize("key", KEYS)
def test_the_label_map_is_as_large_as_the_configs_say(records, key):
    items = read_label_map(
        records / key / f"{key}_label_map.pbtxt", allow_gaps=True
    )
    # Of the dogs, only breeds that were drawn have a number.
    if key != "dogs":
        assert max(item.id for item in items) == miniatures.num_classes(key)


@pytest.mark.parametrize("key", KEYS)
def test_the_od_api_decodes_what_was_written(records, key):
    compat.enable()
    import tensorflow as tf
    from object_detection.data_decoders import tf_example_decoder

    decoder = tf_example_decoder.TfExampleDecoder(
        label_map_proto_file=f"{records}/{key}/{key}_label_map.pbtxt"
    )
    seen = 0
    for path in paths(records, key, "train"):
        payloads = tf.data.TFRecordDataset(path)
        for payload, example in zip(payloads, examples(path), strict=True):
            decoded = decoder.decode(payload)
            sides = ("ymin", "xmin", "ymax", "xmax")
            boxes = [example[f"image/object/bbox/{side}"] for side in sides]
            np.testing.assert_array_equal(
                decoded["groundtruth_boxes"],
                np.array(boxes, np.float32).T.reshape(-1, 4),
            )
            np.testing.assert_array_equal(
                decoded["groundtruth_classes"],
                example["image/object/class/label"],
            )
            height, width, _ = decoded["image"].shape
            assert [height] == example["image/height"]
            assert [width] == example["image/width"]
            seen += len(boxes[0])
    assert seen


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_a_model_trains_one_step_on_them(records, key, tmp_path):
    items = read_label_map(
        records / key / f"{key}_label_map.pbtxt", allow_gaps=True
    )
    text = recipes.pipeline_text(
        recipes.MINI_96,
        recipes.TaskData(
            num_classes=max(item.id for item in items),
            train_records=f"{records}/{key}/{key}_train.record-?????-of-00002",
            eval_records=f"{records}/{key}/{key}_eval.record-?????-of-00002",
            label_map=f"{records}/{key}/{key}_label_map.pbtxt",
            flip=False,
        ),
        preset=None,
        fine_tune_checkpoint=None,
        num_steps=1,
        batch_size=2,
    )
    config = tmp_path / "pipeline.config"
    config.write_text(text)
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "object_detection_patch.model_main_tf2"),
            f"--pipeline_config_path={config}",
            f"--model_dir={tmp_path / 'run'}",
            *("--checkpoint_every_n=1", "--num_train_steps=1"),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert glob.glob(f"{tmp_path}/run/ckpt-*.index")
