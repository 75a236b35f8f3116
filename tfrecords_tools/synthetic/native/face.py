"""WIDER FACE in miniature: pictures by event and a text file a split.

Flags of objects: `blur` (0 to 2), `expression`, `illumination`, `invalid`
and `pose` (0 or 1), `occlusion` (0 to 2; else it follows from `visible`).
"""

from collections.abc import Sequence
from pathlib import Path

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject

_EVENTS = ("0--Parade", "2--Demonstration", "39--Ice_Skating")
_NO_OCCLUSION, _PARTIAL_OCCLUSION = 0.99, 0.7
"""The dataset calls up to 30 % hidden partial, and more heavy."""


def write(
    root: Path,
    train: Sequence[NativeImage],
    eval: Sequence[NativeImage],
    *,
    class_names: Sequence[str],
) -> None:
    """Writes both splits; every object is a face, whatever its name."""
    splits = root / "wider_face_split"
    splits.mkdir()
    for name, images in (("train", train), ("val", eval)):
        folder = root / f"WIDER_{name}" / "images"
        folder.mkdir(parents=True)
        blocks = []
        for filename, image in zip(_names(len(images)), images, strict=True):
            path = folder / filename
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(image.encoded)
            blocks.append(_block(filename, image))
        text = splits / f"wider_face_{name}_bbx_gt.txt"
        text.write_bytes("".join(blocks).encode("ascii"))


def _names(count: int) -> list[str]:
    """Paths below the folder of images, grouped by event."""
    names = []
    for index in range(count):
        event = _EVENTS[index * len(_EVENTS) // count]
        number, name = event.split("--")
        names.append(f"{event}/{number}_{name}_{name}_{number}_{index + 1}.jpg")
    return names


def _block(filename: str, image: NativeImage) -> str:
    # One row even where there is no face: ten zeros.
    rows = [_row(drawn) for drawn in image.objects] or ["0 " * 10]
    lines = [filename, str(len(image.objects)), *rows]
    return "".join(f"{line}\n" for line in lines)


def _row(drawn: NativeObject) -> str:
    """x1 y1 w h blur expression illumination invalid occlusion pose."""
    box = drawn.xmin, drawn.ymin, drawn.xmax - drawn.xmin
    blur, expression, illumination, invalid, pose = (
        int(drawn.flags.get(flag, 0))
        for flag in ("blur", "expression", "illumination", "invalid", "pose")
    )
    attributes = blur, expression, illumination, invalid, _occlusion(drawn)
    values = *box, drawn.ymax - drawn.ymin, *attributes, pose
    return "".join(f"{value} " for value in values)


def _occlusion(drawn: NativeObject) -> int:
    if "occlusion" in drawn.flags:
        return int(drawn.flags["occlusion"])
    if drawn.visible >= _NO_OCCLUSION:
        return 0
    return 1 if drawn.visible >= _PARTIAL_OCCLUSION else 2
