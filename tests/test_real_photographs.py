"""SPOTPATCH on real photographs, at full size, through the commands of users.

The photographs come with the Object Detection API: ten pets as TFRecords and
two pictures.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from object_detection_patch import recipes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]

_STEPS = 60
_CLASSES = 37


def _od_api_folder() -> pathlib.Path:
    import importlib.util

    spec = importlib.util.find_spec("object_detection")
    assert spec is not None and spec.origin is not None
    return pathlib.Path(spec.origin).parent


def _task() -> recipes.TaskData:
    folder = _od_api_folder()
    records = str(folder / "test_data" / "pets_examples.record")
    return recipes.TaskData(
        num_classes=_CLASSES,
        train_records=records,
        eval_records=records,
        label_map=str(folder / "data" / "pet_label_map.pbtxt"),
        crop=False,
    )


def _run(*arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert finished.returncode == 0, finished.stdout[-4000:]
    return finished.stdout


def _train(config: pathlib.Path, model_dir: pathlib.Path, every: int) -> None:
    _run(
        "-m",
        "object_detection_patch.model_main_tf2",
        f"--pipeline_config_path={config}",
        f"--model_dir={model_dir}",
        f"--checkpoint_every_n={every}",
        "--seed=1",
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A base of two steps, and SPOTPATCH trained on it for 60."""
    folder = tmp_path_factory.mktemp("pets")
    # Statistics that settle within the steps there are.
    architecture = dataclasses.replace(recipes.NARROW_320, batch_norm_decay=0.9)
    base = recipes.pipeline_text(
        architecture,
        _task(),
        preset=None,
        fine_tune_checkpoint=None,
        num_steps=2,
        batch_size=8,
    )
    (folder / "base.config").write_text(base)
    _train(folder / "base.config", folder / "base", every=2)
    text = recipes.pipeline_text(
        architecture,
        _task(),
        preset="SPOTPATCH",
        fine_tune_checkpoint=str(folder / "base" / "ckpt-2"),
        num_steps=_STEPS,
        batch_size=8,
    )
    (folder / "task.config").write_text(text)
    _train(folder / "task.config", folder / "task", every=_STEPS)
    return folder


def _total_losses(model_dir: pathlib.Path) -> list[float]:
    """Loss/total_loss of every step, from TensorBoard's events."""
    import tensorflow as tf
    from tensorflow.core.util import event_pb2

    (path,) = model_dir.glob("**/events.out.tfevents.*")
    return [
        float(tf.make_ndarray(value.tensor))
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
        for value in event_pb2.Event.FromString(record).summary.value
        if value.tag == "Loss/total_loss"
    ]


def test_loss_halves_in_sixty_steps(trained: pathlib.Path) -> None:
    losses = _total_losses(trained / "task")
    assert len(losses) == _STEPS
    # One batch differs from the next: the mean of a few.
    assert np.mean(losses[-5:]) <= losses[0] / 2, losses


def test_extract_merge_and_draw(trained: pathlib.Path) -> None:
    cli = ("-m", "object_detection_patch.cli")
    patch = trained / "task.patch"
    _run(
        *cli,
        "extract",
        f"--pipeline_config_path={trained / 'task.config'}",
        f"--checkpoint_dir={trained / 'task'}",
        f"--output={patch}",
    )
    described = json.loads(_run(*cli, "inspect", str(patch), "--json"))
    assert described["method"] == "SPOTPATCH"
    _run(
        *cli,
        "merge",
        f"--base_config={trained / 'base.config'}",
        f"--base_checkpoint={trained / 'base'}",
        f"--patch={patch}",
        f"--output_dir={trained / 'merged'}",
    )
    sheet = trained / "sheet.png"
    _run(
        *cli,
        "draw",
        f"--pipeline_config_path={trained / 'merged' / 'pipeline.config'}",
        f"--checkpoint_dir={trained / 'merged'}",
        "--images",
        str(_od_api_folder() / "test_images" / "image*.jpg"),
        f"--output={sheet}",
        "--min_score=0.25",
    )
    with Image.open(sheet) as image:
        assert np.asarray(image).std() > 10
