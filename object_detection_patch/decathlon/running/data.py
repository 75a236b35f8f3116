"""Draws and converts the data of a suite that draws its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile

import tensorflow as tf

from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.suite.suite import Drawn, SuiteTask
from object_detection_patch.demo.plan import TARGETS

_TOOLS = [sys.executable, "-m", "tfrecords_tools"]


def draw(folder: Folder, drawn: Drawn, task: SuiteTask) -> None:
    """Draws a miniature, converts it and keeps the converter's reports.

    Raises:
      CalledProcessError: if a tool fails; what it said is in this process's
        output.
    """
    folder.data.mkdir(parents=True, exist_ok=True)
    if task.key in TARGETS:
        _draw_held_out(folder, drawn, task)
        return
    pictures = folder.data / "drawn"
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
    keep_reports(folder, task)
    shutil.rmtree(pictures / task.key)


def _draw_held_out(folder: Folder, drawn: Drawn, task: SuiteTask) -> None:
    """The demo's worlds come as TFRecords, all of them at once."""
    with tempfile.TemporaryDirectory(dir=folder.data) as scratch:
        _tool(
            "synthesize",
            "demo",
            f"--output_dir={scratch}",
            f"--images={task.train_images}",
            f"--eval_images={task.eval_images}",
            f"--size={drawn.side}",
            f"--seed={drawn.seed}",
        )
        shutil.rmtree(folder.data / task.key, ignore_errors=True)
        shutil.move(f"{scratch}/{task.key}", folder.data / task.key)


def keep_reports(folder: Folder, task: SuiteTask) -> None:
    """Copies the reports that the converter left beside the records."""
    folder.conversion.mkdir(parents=True, exist_ok=True)
    for split in ("train", "eval"):
        report = folder.data / f"{task.key}_{split}_report.json"
        if report.exists():
            shutil.copy(report, folder.conversion / report.name)


def write_share(pattern: str, percent: int, path: str) -> int:
    """Writes an evenly spread share of records; returns how many.

    None is drawn by chance: of every hundred images `percent` are taken.
    """
    files = sorted(tf.io.gfile.glob(pattern))
    count = 0
    with tf.io.TFRecordWriter(f"{path}.partial") as writer:
        for index, data in enumerate(tf.data.TFRecordDataset(files)):
            if (index + 1) * percent // 100 > index * percent // 100:
                writer.write(data.numpy())
                count += 1
    tf.io.gfile.rename(f"{path}.partial", path, overwrite=True)
    return count


def _tool(verb: str, *arguments: str) -> None:
    subprocess.run([*_TOOLS, verb, *arguments], check=True)
