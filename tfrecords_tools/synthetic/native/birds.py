"""Caltech-UCSD Birds 200 (2010): one MATLAB file an image, lists of paths."""

import collections
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tfrecords_tools.formats.matlab_writing import (
    column_cell,
    number,
    write_mat,
)
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.only_object import only_object

_Listed = list[tuple[str, int]]
"""(path of an image in `images`, label) of a list's lines."""


def write(
    root: Path,
    train: Sequence[NativeImage],
    eval: Sequence[NativeImage],
    *,
    class_names: Sequence[str],
) -> None:
    """Writes `images`, `annotations-mat` and `lists`.

    Files are numbered within their class, the training split's first; lists
    are in alphabetical order. `files.txt` has no newline at its end.

    Args:
        class_names: without prefix, in the order of labels.
    Raises: ValueError if an image has not exactly one object.
    """
    folders = [f"{i:03}.{name}" for i, name in enumerate(class_names, 1)]
    labels = {name: label for label, name in enumerate(class_names, 1)}
    files: collections.Counter[str] = collections.Counter()
    splits = []
    for images in (train, eval):
        listed = []
        for image in images:
            name = only_object(image).name
            files[name] += 1
            folder = folders[labels[name] - 1]
            stem = f"{folder}/{name}_{files[name]:04}"
            _write_image(root, stem, image)
            listed.append((f"{stem}.jpg", labels[name]))
        splits.append(sorted(listed))
    _write_lists(root / "lists", folders, *splits)


def _write_image(root: Path, stem: str, image: NativeImage) -> None:
    picture = root / "images" / f"{stem}.jpg"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(image.encoded)
    annotation = root / "annotations-mat" / f"{stem}.mat"
    annotation.parent.mkdir(parents=True, exist_ok=True)
    write_mat(annotation, dict(_variables(stem, image)))


def _variables(stem: str, image: NativeImage) -> Iterator[tuple[str, object]]:
    bird = only_object(image)
    # Pixels count from 1 and the last one belongs to the box.
    yield (
        "bbox",
        {
            "left": number(bird.xmin + 1),
            "top": number(bird.ymin + 1),
            "right": number(bird.xmax),
            "bottom": number(bird.ymax),
        },
    )
    yield "seg", (image.owners == 1).astype(np.uint8)
    yield "wikipedia_url", f"https://example.org/wiki/{bird.name}"
    yield "flickr_url", f"https://example.org/photos/{stem}"


def _write_lists(
    folder: Path, classes: list[str], train: _Listed, test: _Listed
) -> None:
    folder.mkdir(parents=True)
    lists = {
        "classes.txt": "\n".join(classes) + "\n",
        "train.txt": "".join(f"{path}\n" for path, _ in train),
        "test.txt": "".join(f"{path}\n" for path, _ in test),
        "files.txt": "\n".join(path for path, _ in sorted(train + test)),
    }
    for name, text in lists.items():
        (folder / name).write_bytes(text.encode())
    splits = {
        "train_files": column_cell([path for path, _ in train]),
        "train_labels": _labels(train),
        "test_files": column_cell([path for path, _ in test]),
        "test_labels": _labels(test),
        "classes": column_cell(classes),
    }
    write_mat(folder / "splits.mat", {"splits": splits})


def _labels(listed: _Listed) -> np.ndarray:
    return np.array([[label] for _, label in listed], np.uint8)
