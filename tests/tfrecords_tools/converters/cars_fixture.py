"""Stanford Cars in miniature, in both packagings.

Equal file names in both splits, a class with a slash, one in lower case, a
box as wide as its image and wider than a byte holds, a grey JPEG.
"""

import numpy as np
from scipy.io import savemat

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.cars import write

CLASS_NAMES = (
    "AM General Hummer SUV 2000",
    "Ram C/V Cargo Van Minivan 2012",
    "smart fortwo Convertible 2012",
)
_COMBINED_FIELDS = (
    "relative_im_path",
    "bbox_x1",
    "bbox_y1",
    "bbox_x2",
    "bbox_y2",
    "class",
    "test",
)


def build(root, pictures):
    train = [
        _image(
            pictures.jpeg(320, 40), CLASS_NAMES[1], (320, 40), (38, 3, 320, 40)
        ),
        _image(
            pictures.grey_jpeg(40, 40), CLASS_NAMES[2], (40, 40), (0, 0, 20, 20)
        ),
    ]
    eval_images = [
        _image(pictures.jpeg(48, 32), CLASS_NAMES[0], (48, 32), (5, 6, 40, 30)),
        _image(
            pictures.jpeg(64, 64), CLASS_NAMES[1], (64, 64), (10, 20, 60, 64)
        ),
    ]
    write(root, train, eval_images, class_names=CLASS_NAMES)


def build_combined(root, pictures):
    """`car_ims` and `cars_annos.mat`, where splits alternate."""
    rows = [
        (np.uint8(39), np.uint8(4), np.uint16(320), np.uint8(40), 2, 0),
        (np.uint8(6), np.uint8(7), np.uint8(40), np.uint8(30), 1, 1),
        (np.uint8(1), np.uint8(1), np.uint8(20), np.uint8(20), 3, 0),
        (np.uint8(11), np.uint8(21), np.uint8(60), np.uint8(64), 2, 1),
    ]
    sizes = [(320, 40), (48, 32), (40, 40), (64, 64)]
    folder = root / "car_ims"
    folder.mkdir()
    structs = np.empty((1, 4), [(name, object) for name in _COMBINED_FIELDS])
    for index, (row, size) in enumerate(zip(rows, sizes, strict=True)):
        name = f"{index + 1:06}.jpg"
        (folder / name).write_bytes(pictures.jpeg(*size))
        flags = np.uint8(row[4]), np.uint8(row[5])
        structs[0, index] = (f"car_ims/{name}", *row[:4], *flags)
    names = np.empty((1, len(CLASS_NAMES)), object)
    names[0, :] = CLASS_NAMES
    with (root / "cars_annos.mat").open("wb") as file:
        savemat(file, {"annotations": structs, "class_names": names})


def _image(encoded, name, size, edges):
    width, height = size
    xmin, ymin, xmax, ymax = edges
    car = NativeObject(name=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)
    return NativeImage(
        encoded=encoded,
        width=width,
        height=height,
        objects=(car,),
        owners=np.zeros((height, width), np.uint8),
    )
