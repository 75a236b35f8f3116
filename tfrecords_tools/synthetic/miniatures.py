"""Ten small datasets, drawn, each in its dataset's own native layout."""

import concurrent.futures
import dataclasses
import importlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tfrecords_tools.errors import DatasetError
from tfrecords_tools.example import Example, ExampleObject
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.look.decode import detect_format
from tfrecords_tools.synthetic.contact_sheet import write_contact_sheet
from tfrecords_tools.synthetic.native.base import NativeImage, NativeWriter
from tfrecords_tools.synthetic.ranges import check_range
from tfrecords_tools.synthetic.seeding import generator
from tfrecords_tools.synthetic.worlds import worlds

MIN_SIZE, MAX_SIZE = 48, 1024
MAX_COUNT = 10**5
# Where ids have gaps, or are those of the real dataset.
_NUM_CLASSES = {"coco": 17, "kitti": 2, "voc": 20}
_CHUNK = 20
_SHEET_IMAGES = 24


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much to draw.

    Args:
        images, eval_images: a dataset, by split.
        side: of an image in pixels (the height where images are wide).
        seed: what all randomness derives from.
    Raises: ValueError for a value out of its range.
    """

    images: int
    eval_images: int
    side: int
    seed: int

    def __post_init__(self) -> None:
        check_range("images", self.images, 1, MAX_COUNT)
        check_range("eval_images", self.eval_images, 1, MAX_COUNT)
        check_range("size", self.side, MIN_SIZE, MAX_SIZE)
        check_range("seed", self.seed, 0, 2**63 - 1)

    def count(self, split: str) -> int:
        """Images of the split."""
        return self.images if split == "train" else self.eval_images


def num_classes(key: str) -> int:
    """Greatest id of the label map that the miniature converts to."""
    return _NUM_CLASSES.get(key, len(worlds()[key].CLASS_NAMES))


def write_miniature(
    key: str,
    output_dir: Path,
    sizes: Sizes,
    pool: concurrent.futures.Executor,
    *,
    progress: Callable[[int], object] = lambda images: None,
) -> Path:
    """Draws `output_dir/<key>/` and a contact sheet beside it.

    Equal arguments give equal bytes (with the same numpy and Pillow). The
    folder appears when it is complete.

    Args:
        key: one of `worlds()`.
        pool: processes that draw, started once for all datasets.
    Returns: path of the contact sheet.
    Raises: DatasetError if the folder is there already: it might hold the
        real dataset.
    """
    target = output_dir / key
    if target.exists():
        raise DatasetError(
            f"A miniature is never drawn over what is there. Received a "
            f"folder that exists; remove it or take another --output_dir "
            f"({target})"
        )
    splits = {
        split: list(_draw_split(key, split, sizes, pool, progress))
        for split in ("train", "eval")
    }
    hidden = output_dir / f".{key}.partial"
    _remove(hidden)
    hidden.mkdir(parents=True)
    class_names = worlds()[key].CLASS_NAMES
    _native_writer(key)(
        hidden, splits["train"], splits["eval"], class_names=class_names
    )
    sheet = output_dir / f"{key}_contact_sheet.png"
    shown = splits["train"][:_SHEET_IMAGES]
    write_contact_sheet(
        sheet,
        [_example(image, class_names) for image in shown],
        [LabelMapItem(i, name, name) for i, name in enumerate(class_names, 1)],
    )
    hidden.rename(target)
    return sheet


def _draw_split(
    key: str,
    split: str,
    sizes: Sizes,
    pool: concurrent.futures.Executor,
    progress: Callable[[int], object],
) -> Iterator[NativeImage]:
    count = sizes.count(split)
    futures = [
        pool.submit(
            _draw_chunk,
            key,
            split,
            range(start, min(start + _CHUNK, count)),
            sizes,
        )
        for start in range(0, count, _CHUNK)
    ]
    for future in futures:
        images = future.result()
        yield from images
        progress(len(images))


def _draw_chunk(
    key: str, split: str, indices: Sequence[int], sizes: Sizes
) -> list[NativeImage]:
    world = worlds()[key]
    return [
        world.draw_image(generator(key, split, index, sizes.seed), sizes.side)
        for index in indices
    ]


def _native_writer(key: str) -> NativeWriter:
    module = importlib.import_module(f"tfrecords_tools.synthetic.native.{key}")
    writer: NativeWriter = module.write
    return writer


def _example(image: NativeImage, class_names: Sequence[str]) -> Example:
    """The drawing as the contact sheet takes it."""
    return Example(
        encoded=image.encoded,
        encoding=detect_format(image.encoded),
        width=image.width,
        height=image.height,
        filename="drawn",
        source_id="drawn",
        objects=[
            ExampleObject(
                name=drawn.name,
                label=class_names.index(drawn.name) + 1,
                xmin=drawn.xmin / image.width,
                ymin=drawn.ymin / image.height,
                xmax=drawn.xmax / image.width,
                ymax=drawn.ymax / image.height,
                area=(drawn.xmax - drawn.xmin) * (drawn.ymax - drawn.ymin),
            )
            for drawn in image.objects
        ],
    )


def _remove(folder: Path) -> None:
    """Deletes what a killed run left."""
    if folder.is_dir():
        shutil.rmtree(folder)
