"""Oxford-IIIT Pet in miniature: pictures, lists, head boxes, trimaps.

Flags of objects: `difficult` (0 or 1) and `pose` (text).
"""

import io
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject

_PET, _BACKGROUND, _BORDER = 1, 2, 3
_COMMENTS = (
    "#Image CLASS-ID SPECIES BREED ID\n"
    "#ID: class ids from 1 on\n"
    "#SPECIES: 1:Cat 2:Dog\n"
    "#BREED ID: counts within the species\n"
    "#Names of cats start with a capital letter\n"
    "#Names of dogs start with a small letter\n"
)


def write(
    root: Path,
    train: Sequence[NativeImage],
    eval: Sequence[NativeImage],
    *,
    class_names: Sequence[str],
) -> None:
    """Writes all images into the trainval list, sorted by class.

    Which of them are for evaluation is the reader's choice, as in the
    original. The test list, which no reader uses, names one image a breed
    that is not drawn: the class list is whole, whatever was drawn. An image
    shows one breed, that of its first object; names that start with a capital
    are cats. The XML has the objects' boxes, and the trimap what one sees.

    Raises: ValueError if an image has no object.
    """
    for name in ("images", "annotations/xmls", "annotations/trimaps"):
        (root / name).mkdir(parents=True)
    by_breed: dict[str, list[NativeImage]] = {name: [] for name in class_names}
    for image in (*train, *eval):
        by_breed[_breed(image)].append(image)
    trainval, test = [], []
    for breed, images in by_breed.items():
        columns = _columns(breed, class_names)
        for number, image in enumerate(images, 1):
            _write_image(root, f"{breed}_{number}", image)
            trainval.append(f"{breed}_{number} {columns}\n")
        test.append(f"{breed}_{len(images) + 1} {columns}\n")
    _write_lists(root / "annotations", trainval, test)


def _write_lists(
    folder: Path,
    trainval: Sequence[str],
    test: Sequence[str],
) -> None:
    def class_id(line: str) -> int:
        return int(line.split()[1])

    everything = sorted([*trainval, *test], key=class_id)
    for name, lines in (
        ("list.txt", [_COMMENTS, *everything]),
        ("trainval.txt", trainval),
        ("test.txt", test),
    ):
        (folder / name).write_bytes("".join(lines).encode("ascii"))


def _breed(image: NativeImage) -> str:
    if not image.objects:
        raise ValueError(
            "An image of a pet must show one: its name is the breed. "
            "Received: no object"
        )
    return image.objects[0].name


def _columns(breed: str, class_names: Sequence[str]) -> str:
    """CLASS-ID, SPECIES, BREED-ID."""
    same_species = [n for n in class_names if _is_cat(n) == _is_cat(breed)]
    species = 1 if _is_cat(breed) else 2
    breed_id = same_species.index(breed) + 1
    return f"{class_names.index(breed) + 1} {species} {breed_id}"


def _is_cat(breed: str) -> bool:
    return breed[0].isupper()


def _write_image(root: Path, stem: str, image: NativeImage) -> None:
    annotations = root / "annotations"
    (root / "images" / f"{stem}.jpg").write_bytes(image.encoded)
    xml = annotations / "xmls" / f"{stem}.xml"
    xml.write_bytes(_xml(stem, image).encode("utf-8"))
    trimap = annotations / "trimaps" / f"{stem}.png"
    trimap.write_bytes(_trimap(image.owners))


def _trimap(owners: np.ndarray) -> bytes:
    """PNG whose border pixels are the outermost ones of what one sees."""
    animal = owners > 0
    inside = np.pad(animal, 1)
    core = animal.copy()
    for shifted in (
        inside[:-2, 1:-1],
        inside[2:, 1:-1],
        inside[1:-1, :-2],
        inside[1:-1, 2:],
    ):
        core &= shifted
    values = np.full(owners.shape, _BACKGROUND, np.uint8)
    values[animal] = _BORDER
    values[core] = _PET
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


def _xml(stem: str, image: NativeImage) -> str:
    """One line of text; the name of an object is its species."""
    size = (
        f"<size><width>{image.width}</width><height>{image.height}</height>"
        f"<depth>3</depth></size>"
    )
    return (
        f"<annotation><folder>OXIIIT</folder><filename>{stem}.jpg</filename>"
        f"<source><database>OXFORD-IIIT Pet Dataset</database>"
        f"<annotation>OXIIIT</annotation></source>{size}"
        f"<segmented>0</segmented>{''.join(map(_object, image.objects))}"
        f"</annotation>\n"
    )


def _object(drawn: NativeObject) -> str:
    species = "cat" if _is_cat(drawn.name) else "dog"
    edges = "".join(
        f"<{edge}>{getattr(drawn, edge)}</{edge}>"
        for edge in ("xmin", "ymin", "xmax", "ymax")
    )
    occluded = int(drawn.visible < 1 and not drawn.truncated)
    return (
        f"<object><name>{species}</name>"
        f"<pose>{escape(str(drawn.flags.get('pose', 'Frontal')))}</pose>"
        f"<truncated>{int(drawn.truncated)}</truncated>"
        f"<occluded>{occluded}</occluded><bndbox>{edges}</bndbox>"
        f"<difficult>{int(drawn.flags.get('difficult', 0))}</difficult>"
        f"</object>"
    )
