"""Pascal VOC 2007 + 2012 in miniature, as the three archives unpack.

Flags of objects: `difficult` (0 or 1) and `pose` (text).
"""

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject

_VISIBLE_ENOUGH = 0.95
"""Pascal's annotators call an object occluded from 5 % hidden on."""


def write(
    root: Path,
    train: Sequence[NativeImage],
    eval: Sequence[NativeImage],
    *,
    class_names: Sequence[str],
) -> None:
    """Writes a third of `train` as trainval of 2007, the rest as of 2012.

    `eval` is the test set of 2007. Ids are `000001` on for 2007, where the
    sets share their numbers, and `2008_000001` on for 2012.
    """
    early = (len(train) + 2) // 3
    devkit = root / "VOCdevkit"
    old = [f"{i:06d}" for i in range(1, early + len(eval) + 1)]
    new = [f"2008_{i:06d}" for i in range(1, len(train) - early + 1)]
    trainval = dict(zip(old[:early], train[:early], strict=True))
    test = dict(zip(old[early:], eval, strict=True))
    recent = dict(zip(new, train[early:], strict=True))
    _write_images(devkit / "VOC2007", trainval | test)
    _write_images(devkit / "VOC2012", recent)
    _write_sets(devkit / "VOC2007", trainval, class_names)
    _write_set(devkit / "VOC2007", "test", test, class_names)
    _write_sets(devkit / "VOC2012", recent, class_names)


def _write_images(year_folder: Path, images: dict[str, NativeImage]) -> None:
    for name in ("Annotations", "ImageSets/Main", "JPEGImages"):
        (year_folder / name).mkdir(parents=True, exist_ok=True)
    for image_id, image in images.items():
        text = _xml(year_folder.name, image_id, image)
        path = year_folder / "Annotations" / f"{image_id}.xml"
        path.write_bytes(text.encode("utf-8"))
        picture = year_folder / "JPEGImages" / f"{image_id}.jpg"
        picture.write_bytes(image.encoded)


def _write_sets(
    year_folder: Path,
    images: dict[str, NativeImage],
    class_names: Sequence[str],
) -> None:
    """The trainval set and its two halves."""
    ids = list(images)
    halves = {"train": ids[::2], "val": ids[1::2], "trainval": ids}
    for set_name, members in halves.items():
        chosen = {image_id: images[image_id] for image_id in members}
        _write_set(year_folder, set_name, chosen, class_names)


def _write_set(
    year_folder: Path,
    set_name: str,
    images: dict[str, NativeImage],
    class_names: Sequence[str],
) -> None:
    folder = year_folder / "ImageSets" / "Main"
    lines = [f"{image_id}\n" for image_id in images]
    (folder / f"{set_name}.txt").write_bytes("".join(lines).encode())
    for name in class_names:
        lines = [
            f"{image_id} {_presence(image, name):2d}\n"
            for image_id, image in images.items()
        ]
        path = folder / f"{name}_{set_name}.txt"
        path.write_bytes("".join(lines).encode())


def _presence(image: NativeImage, name: str) -> int:
    """-1 absent, 0 only difficult ones, 1 present."""
    found = [o for o in image.objects if o.name == name]
    if not found:
        return -1
    return int(not all(_is_difficult(o) for o in found))


def _is_difficult(drawn: NativeObject) -> bool:
    return bool(drawn.flags.get("difficult", 0))


def _xml(year: str, image_id: str, image: NativeImage) -> str:
    owner = "\t<owner>\n\t\t<name>drawn</name>\n\t</owner>\n"
    lines = [
        "<annotation>\n",
        f"\t<folder>{year}</folder>\n",
        f"\t<filename>{image_id}.jpg</filename>\n",
        f"\t<source>\n\t\t<database>The {year} Database</database>\n",
        "\t</source>\n",
        owner if year == "VOC2007" else "",
        f"\t<size>\n\t\t<width>{image.width}</width>\n",
        f"\t\t<height>{image.height}</height>\n",
        "\t\t<depth>3</depth>\n\t</size>\n",
        "\t<segmented>0</segmented>\n",
    ]
    objects = [_object(year, drawn) for drawn in image.objects]
    return "".join([*lines, *objects, "</annotation>\n"])


def _object(year: str, drawn: NativeObject) -> str:
    """The tags in each year's usual order; edges from 1, both included."""
    pose = escape(str(drawn.flags.get("pose", "Unspecified")))
    occluded = drawn.visible < _VISIBLE_ENOUGH and not drawn.truncated
    flags = {
        "pose": pose,
        "truncated": int(drawn.truncated),
        "occluded": int(occluded),
        "difficult": int(_is_difficult(drawn)),
    }
    if year == "VOC2007":
        del flags["occluded"]
    tags = [f"\t\t<{tag}>{value}</{tag}>\n" for tag, value in flags.items()]
    box = (
        "\t\t<bndbox>\n"
        f"\t\t\t<xmin>{drawn.xmin + 1}</xmin>\n"
        f"\t\t\t<ymin>{drawn.ymin + 1}</ymin>\n"
        f"\t\t\t<xmax>{drawn.xmax}</xmax>\n"
        f"\t\t\t<ymax>{drawn.ymax}</ymax>\n"
        "\t\t</bndbox>\n"
    )
    body = [*tags, box] if year == "VOC2007" else [box, *tags]
    name = f"\t\t<name>{escape(drawn.name)}</name>\n"
    return "".join(["\t<object>\n", name, *body, "\t</object>\n"])
