"""Stanford Dogs: XML without extension, lists and labels in MATLAB files."""

import collections
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from tfrecords_tools.formats.matlab_writing import column_cell, write_mat
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject

_FIRST_SYNSET = 2085620
_HEAD = """\
<annotation>
	<folder>{folder}</folder>
	<filename>{stem}</filename>
	<source>
		<database>ImageNet database</database>
	</source>
	<size>
		<width>{width}</width>
		<height>{height}</height>
		<depth>3</depth>
	</size>
	<segment>0</segment>
"""
_OBJECT = """\
	<object>
		<name>{name}</name>
		<pose>{pose}</pose>
		<truncated>{truncated}</truncated>
		<difficult>{difficult}</difficult>
		<bndbox>
			<xmin>{xmin}</xmin>
			<ymin>{ymin}</ymin>
			<xmax>{xmax}</xmax>
			<ymax>{ymax}</ymax>
		</bndbox>
	</object>
"""
_Listed = list[tuple[str, int]]
"""(path of an image in `Images` without extension, label) of a list."""


def write(
    root: Path,
    train: Sequence[NativeImage],
    eval: Sequence[NativeImage],
    *,
    class_names: Sequence[str],
) -> None:
    """Writes `Images`, `Annotation` and the three lists.

    Files are numbered within their breed, the training split's first; lists
    are in the order of labels. Labels number the breeds that occur: folders
    are all that a reader knows of the classes. An object's flags may give its
    "pose" and whether it is "difficult".

    Args:
        class_names: breeds in the order of labels; synsets number all.
    Raises: ValueError if an image shows no dog, or dogs of two breeds.
    """
    occurring = set(map(_breed, [*train, *eval]))
    synsets = _synsets(class_names)
    named = [name for name in class_names if name in occurring]
    labels = {name: label for label, name in enumerate(named, 1)}
    files: collections.Counter[str] = collections.Counter()
    splits = []
    for images in (train, eval):
        listed = []
        for image in images:
            name = _breed(image)
            files[name] += 1
            synset = synsets[name]
            stem = f"{synset}-{name}/{synset}_{files[name]}"
            _write_image(root, stem, image)
            listed.append((stem, labels[name]))
        splits.append(sorted(listed, key=lambda item: item[1]))
    _write_list(root / "train_list.mat", splits[0])
    _write_list(root / "test_list.mat", splits[1])
    whole = sorted(splits[0] + splits[1], key=lambda item: item[1])
    _write_list(root / "file_list.mat", whole)


def _synsets(class_names: Sequence[str]) -> dict[str, str]:
    numbers = range(_FIRST_SYNSET, _FIRST_SYNSET + len(class_names))
    return {
        name: f"n{number:08}"
        for name, number in zip(class_names, numbers, strict=True)
    }


def _breed(image: NativeImage) -> str:
    breeds = {dog.name for dog in image.objects}
    if len(breeds) != 1:
        raise ValueError(
            f"An image of this dataset must show one breed. Received: "
            f"{sorted(breeds)}"
        )
    return breeds.pop()


def _write_image(root: Path, stem: str, image: NativeImage) -> None:
    picture = root / "Images" / f"{stem}.jpg"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(image.encoded)
    annotation = root / "Annotation" / stem
    annotation.parent.mkdir(parents=True, exist_ok=True)
    annotation.write_bytes("".join(_xml(annotation.name, image)).encode())


def _xml(stem: str, image: NativeImage) -> Iterator[str]:
    yield _HEAD.format(
        folder=stem.split("_")[0].removeprefix("n"),
        stem=stem,
        width=image.width,
        height=image.height,
    )
    yield from map(_object_xml, image.objects)
    yield "</annotation>\n"


def _object_xml(dog: NativeObject) -> str:
    return _OBJECT.format(
        name=escape(dog.name),
        pose=escape(str(dog.flags.get("pose", "Unspecified"))),
        truncated=int(dog.truncated),
        difficult=int(dog.flags.get("difficult", 0)),
        xmin=dog.xmin,
        ymin=dog.ymin,
        xmax=dog.xmax,
        ymax=dog.ymax,
    )


def _write_list(path: Path, listed: _Listed) -> None:
    variables = {
        "file_list": column_cell([f"{stem}.jpg" for stem, _ in listed]),
        "annotation_list": column_cell([stem for stem, _ in listed]),
        "labels": np.array([[label] for _, label in listed], np.uint8),
    }
    write_mat(path, variables)
