"""Stanford Cars: one MATLAB file a split, with a struct for every image."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tfrecords_tools.formats.matlab_writing import (
    number,
    row_cell,
    struct_array,
    write_mat,
)
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.only_object import only_object

_BOX_FIELDS = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2")


def write(
    root: Path,
    train: Sequence[NativeImage],
    eval: Sequence[NativeImage],
    *,
    class_names: Sequence[str],
) -> None:
    """Writes `cars_train`, `cars_test`, `devkit` and the test set's labels.

    Both splits number their files from `00001.jpg`.

    Args:
        class_names: in the order of labels.
    Raises: ValueError if an image has not exactly one object.
    """
    labels = {name: label for label, name in enumerate(class_names, 1)}
    devkit = root / "devkit"
    devkit.mkdir()
    meta = {"class_names": row_cell(class_names)}
    write_mat(devkit / "cars_meta.mat", meta)
    train_records = list(_records(train, labels))
    _write_annotations(devkit / "cars_train_annos.mat", train_records)
    test_records = list(_records(eval, labels))
    _write_annotations(root / "cars_test_annos_withlabels.mat", test_records)
    _write_unlabelled(devkit / "cars_test_annos.mat", test_records)
    _write_pictures(root / "cars_train", train)
    _write_pictures(root / "cars_test", eval)


def _file_name(index: int) -> str:
    return f"{index:05}.jpg"


def _records(
    images: Sequence[NativeImage], labels: dict[str, int]
) -> Iterator[list[object]]:
    """Values of the box fields, the class and the file name."""
    for index, image in enumerate(images, 1):
        car = only_object(image)
        # Pixels count from 1 and the last one belongs to the box.
        box = car.xmin + 1, car.ymin + 1, car.xmax, car.ymax
        yield [*map(number, (*box, labels[car.name])), _file_name(index)]


def _write_annotations(path: Path, records: list[list[object]]) -> None:
    structs = struct_array((*_BOX_FIELDS, "class", "fname"), records)
    write_mat(path, {"annotations": structs})


def _write_unlabelled(path: Path, records: list[list[object]]) -> None:
    """The devkit's own file of the test set, which gives no class away."""
    unlabelled = [[*record[:4], record[5]] for record in records]
    structs = struct_array((*_BOX_FIELDS, "fname"), unlabelled)
    write_mat(path, {"annotations": structs})


def _write_pictures(folder: Path, images: Sequence[NativeImage]) -> None:
    folder.mkdir()
    for index, image in enumerate(images, 1):
        (folder / _file_name(index)).write_bytes(image.encoded)
