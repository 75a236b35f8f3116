"""A dataset small enough to reason about: three lines of text an image."""

import io

import numpy as np
from PIL import Image

from tfrecords_tools.converters import Converter
from tfrecords_tools.formats.text import numbered_lines
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject


class ToyConverter(Converter):
    """`<split>.txt`: a file name a line; each image has one box of `toy`."""

    key = "toy"
    title = "Toys"
    expected_images = {"train": 7, "eval": 2}
    num_shards = {"train": 3, "eval": 1}
    order = "as listed"

    @classmethod
    def add_flags(cls, parser):
        parser.add_argument("--width", type=float, default=9)

    def label_map(self):
        return [LabelMapItem(1, "toy", "Toy")]

    def annotated_images(self, split):
        for _, name in numbered_lines(self.data_dir / f"{split}.txt"):
            box = AnnotatedObject(
                name="toy",
                label=1,
                xmin=1,
                ymin=2,
                xmax=1 + self.options.width,
                ymax=12,
            )
            yield AnnotatedImage(
                path=self.data_dir / "images" / name,
                filename=name,
                source_id=name.split(".")[0],
                objects=(box,),
            )


def write_toys(root, *, train=7, eval=2, names=None, side=24):
    """Lists and images; image i is noise drawn from i."""
    (root / "images").mkdir(parents=True)
    for split, number in (("train", train), ("eval", eval)):
        listed = names or [f"{split} {i}.jpg" for i in range(number)]
        (root / f"{split}.txt").write_bytes(
            "".join(f"{name}\n" for name in listed).encode()
        )
        for index, name in enumerate(listed):
            (root / "images" / name).write_bytes(noise_jpeg(index, side))
    return root


def noise_jpeg(seed, side):
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3))
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG")
    return file.getvalue()
