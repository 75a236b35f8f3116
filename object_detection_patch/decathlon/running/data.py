"""Draws and converts the data of a suite that draws its own."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import tensorflow as tf

from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.suite.suite import Drawn, SuiteTask

_TOOLS = [sys.executable, "-m", "tfrecords_tools"]


def draw(folder: Folder, drawn: Drawn, task: SuiteTask) -> None:
    """Draws a miniature and converts it.

    Raises:
      CalledProcessError: if a tool fails; what it said is in this process's
        output.
    """
    folder.data.mkdir(parents=True, exist_ok=True)
    # Beside the data might lie somebody's own directory of this name.
    pictures = folder.root / "work" / "drawn"
    shutil.rmtree(pictures / task.key, ignore_errors=True)
    _tool(
        "synthesize",
        task.key,
        f"--output_dir={pictures}",
        f"--images={task.train_images}",
        f"--eval_images={task.eval_images}",
        f"--size={drawn.side}",
        f"--seed={drawn.seed}",
        "--jobs=1",
    )
    _tool(
        "convert",
        task.key,
        f"--data_dir={pictures / task.key}",
        f"--output_dir={folder.data}",
        # A miniature has not the real one's number of images, nor its files.
        "--allow_count_mismatch",
        "--num_shards=1",
    )
    shutil.rmtree(pictures / task.key)


def hold_out(folder: Folder, task: SuiteTask, split: SuiteTask) -> None:
    """Splits a task's training images, to tune on.

    Args:
      split: what `runs.held_out_tasks` made of the task.
    """
    percent = 100 * split.eval_images // task.train_images
    pattern = folder.path(task.train_records)
    evaluation = folder.path(split.eval_records)
    pathlib.Path(evaluation).parent.mkdir(parents=True, exist_ok=True)
    write_share(pattern, percent, evaluation)
    write_share(pattern, percent, folder.path(split.train_records), rest=True)


def write_share(
    pattern: str, percent: int, path: str, *, rest: bool = False
) -> int:
    """Writes an evenly spread share of records; returns how many.

    None is drawn by chance: of every hundred images `percent` are taken.

    Args:
      rest: write the others instead.

    Raises:
      ValueError: if no image is left.
    """
    files = sorted(tf.io.gfile.glob(pattern))
    count = 0
    with tf.io.TFRecordWriter(f"{path}.partial") as writer:
        for index, data in enumerate(tf.data.TFRecordDataset(files)):
            taken = (index + 1) * percent // 100 > index * percent // 100
            if taken != rest:
                writer.write(data.numpy())
                count += 1
    if not count:
        raise ValueError(
            "A share of a data set must hold an image. Received: "
            f"{percent} % of {len(files)} files at {pattern}."
        )
    tf.io.gfile.rename(f"{path}.partial", path, overwrite=True)
    return count


def _tool(verb: str, *arguments: str) -> None:
    subprocess.run([*_TOOLS, verb, *arguments], check=True)
