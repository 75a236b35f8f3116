"""Worlds as datasets: seeded streams of images, and their files on disk."""

import dataclasses
import io
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tfrecords_tools.counts import Counts
from tfrecords_tools.example import Example
from tfrecords_tools.label_map import LabelMapItem, write_label_map
from tfrecords_tools.prepare import Rules, prepare
from tfrecords_tools.record import AnnotatedImage
from tfrecords_tools.synthetic import digits, shapes, stripes
from tfrecords_tools.synthetic.contact_sheet import write_contact_sheet
from tfrecords_tools.synthetic.ranges import check_range
from tfrecords_tools.synthetic.seeding import generator
from tfrecords_tools.writer import input_pattern, shard_paths, write_shards

WORLDS: dict[str, types.ModuleType] = {
    world.KEY: world for world in (shapes, stripes, digits)
}
SPLITS = ("train", "eval")
MIN_SIZE, MAX_SIZE = 48, 1024
MAX_COUNT = 10**6  # File names have six digits.
NUM_SHARDS = 2
_SHEET_IMAGES = 24


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetFiles:
    """What a pipeline.config needs to know about one dataset on disk.

    `train` and `eval` are patterns for `input_path`.
    """

    key: str
    num_classes: int
    label_map: Path
    train: Path
    eval: Path
    contact_sheet: Path


def label_map(world: str) -> list[LabelMapItem]:
    """Classes of a world, numbered from 1 in the order of its file.

    Raises: ValueError for an unknown world.
    """
    names = _world_module(world).CLASS_NAMES
    return [LabelMapItem(id, name, name) for id, name in enumerate(names, 1)]


def draw_dataset(
    world: str, split: str, *, count: int, size: int, seed: int
) -> Iterator[Example]:
    """Draws `count` square PNG images; each depends on nothing before it.

    The generator of image i is seeded with SHA-256 of (world, split, i, seed),
    so more images, or other splits, never change those already drawn.

    Args:
        world: a key of `WORLDS`.
        split: "train" or "eval".
        size: side in pixels.
    Raises: ValueError for an argument out of its range, at once.
    """
    if split not in SPLITS:
        raise ValueError(
            f"`split` must be one of {', '.join(SPLITS)}. Received: {split!r}"
        )
    module = _world_module(world)
    check_range("count", count, 1, MAX_COUNT)
    check_range("size", size, MIN_SIZE, MAX_SIZE)
    check_range("seed", seed, 0, 2**63 - 1)
    labels = {item.name: item.id for item in label_map(world)}

    def draw(index: int) -> Example:
        rng = generator(world, split, index, seed)
        scene = module.draw_scene(rng, size)
        name = f"{index:06d}"
        annotated = AnnotatedImage(
            path=Path(f"{world}/{split}/{name}.png"),
            filename=f"{world}/{split}/{name}.png",
            source_id=f"{world}_{split}_{name}",
            objects=scene.annotate(labels),
        )
        encoded = _encode_png(scene.to_uint8())
        return prepare(annotated, encoded, Rules(), Counts())

    return map(draw, range(count))


def write_demo_datasets(
    output_dir: str | Path,
    *,
    images: int,
    eval_images: int,
    size: int,
    seed: int,
    progress: Callable[[int], object] = lambda done: None,
) -> dict[str, DatasetFiles]:
    """Writes every world to `output_dir/<world>/`: records, map, sheet.

    Equal arguments give equal bytes (with the same numpy and Pillow; other
    versions may compress or round otherwise). Existing files are replaced,
    each set of shards only when it is complete.

    Args:
        images, eval_images: number of images a world, by split.
        progress: called with 1 after each image.
    Returns: the files by world, in the order of `WORLDS`.
    """
    check_range("images", images, 1, MAX_COUNT)
    check_range("eval_images", eval_images, 1, MAX_COUNT)
    counts = {"train": images, "eval": eval_images}
    # All streams are made, and so all arguments checked, before any file.
    streams = {
        (world, split): draw_dataset(
            world, split, count=counts[split], size=size, seed=seed
        )
        for world in WORLDS
        for split in SPLITS
    }
    written = {}
    for world in WORLDS:
        files = dataset_files(output_dir, world)
        files.label_map.parent.mkdir(parents=True, exist_ok=True)
        for split in SPLITS:
            stream = _reporting(streams[world, split], progress)
            _write_split(files, split, stream)
        write_label_map(files.label_map, label_map(world))
        _write_sheet(files, size=size, seed=seed, count=images)
        written[world] = files
    return written


def dataset_files(output_dir: str | Path, world: str) -> DatasetFiles:
    """Where `write_demo_datasets` puts a world; touches no disk."""
    folder = Path(output_dir) / world
    return DatasetFiles(
        key=world,
        num_classes=len(label_map(world)),
        label_map=folder / f"{world}_label_map.pbtxt",
        train=folder / input_pattern(world, "train", NUM_SHARDS),
        eval=folder / input_pattern(world, "eval", NUM_SHARDS),
        contact_sheet=folder / f"{world}_contact_sheet.png",
    )


def _write_split(
    files: DatasetFiles, split: str, stream: Iterator[Example]
) -> None:
    paths = shard_paths(
        files.label_map.parent,
        key=files.key,
        split=split,
        num_shards=NUM_SHARDS,
    )
    write_shards(stream, paths, label_map(files.key))


def _write_sheet(
    files: DatasetFiles, *, size: int, seed: int, count: int
) -> None:
    shown = draw_dataset(
        files.key,
        "train",
        count=min(count, _SHEET_IMAGES),
        size=size,
        seed=seed,
    )
    write_contact_sheet(files.contact_sheet, list(shown), label_map(files.key))


def _reporting(
    stream: Iterator[Example], progress: Callable[[int], object]
) -> Iterator[Example]:
    for image in stream:
        yield image
        progress(1)


def _encode_png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    # Noise hardly compresses; the lowest level is several times faster.
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _world_module(world: str) -> types.ModuleType:
    if world not in WORLDS:
        raise ValueError(
            f"`world` must be one of {', '.join(WORLDS)}. Received: {world!r}"
        )
    return WORLDS[world]
