"""What is particular to the worlds of birds, cars, dogs, pets, faces, goods."""

import functools
import io
import itertools
import re
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.objects.birds_parts import bird
from tfrecords_tools.synthetic.objects.cars_front import front_view
from tfrecords_tools.synthetic.objects.cars_side import side_view
from tfrecords_tools.synthetic.objects.dogs_bodies import dog
from tfrecords_tools.synthetic.objects.pet_heads import head
from tfrecords_tools.synthetic.objects.rpc_packages import product
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch
from tfrecords_tools.synthetic.worlds import birds, cars, dogs, face, pet, rpc

SIDE = 96
COUNT = 80
RED = (200, 60, 50)


@functools.cache
def drawn(world: ModuleType) -> tuple[NativeImage, ...]:
    return tuple(
        world.draw_image(np.random.default_rng(seed), SIDE)
        for seed in range(COUNT)
    )


def decoded(image: NativeImage) -> np.ndarray:
    with Image.open(io.BytesIO(image.encoded)) as picture:
        return np.asarray(picture.convert("L"), dtype=np.float32)


def rendered(sketch: Sketch) -> np.ndarray:
    picture = Picture(SIDE)
    picture.paint(sketch, pose(0.5, 0.5, 0.38))
    return picture.finish(np.random.default_rng(0)).astype(int)


SKETCHES = {
    "birds": [bird(item, flying=False) for item in birds.SPECIES.values()],
    "flying birds": [
        bird(item, flying=True) for item in birds.SPECIES.values()
    ],
    "cars": [
        side_view(item, RED, (150, 150, 150)) for item in cars.MODELS.values()
    ],
    "cars in front": [front_view(item, RED) for item in cars.MODELS.values()],
    "dogs": [dog(item, "stand") for item in dogs.BREEDS.values()],
    "sitting dogs": [dog(item, "sit") for item in dogs.BREEDS.values()],
    "pet": [head(item) for item in pet.PETS.values()],
    "rpc": [product(item) for item in rpc.PRODUCTS.values()],
}


@pytest.mark.parametrize("kind", SKETCHES)
def test_any_two_classes_differ_visibly_in_the_same_pose_and_paint(
    kind: str,
) -> None:
    for one, other in itertools.combinations(map(rendered, SKETCHES[kind]), 2):
        differs = np.abs(one - other).max(axis=-1) > 30
        assert differs.mean() > 0.005


@pytest.mark.parametrize("world", [birds, cars], ids=["birds", "cars"])
def test_there_is_one_bird_or_car_an_image(world: ModuleType) -> None:
    assert {len(image.objects) for image in drawn(world)} == {1}


@pytest.mark.parametrize(
    "world", [birds, cars, dogs, pet, rpc], ids=lambda world: world.KEY
)
def test_every_class_is_drawn(world: ModuleType) -> None:
    names = {item.name for image in drawn(world) for item in image.objects}
    assert names == set(world.CLASS_NAMES)


def test_car_names_hold_a_slash_and_end_with_a_lower_case_name() -> None:
    assert any("/" in name for name in cars.CLASS_NAMES)
    assert cars.CLASS_NAMES[-1][0].islower()


def test_dogs_of_one_image_are_one_or_two_of_one_breed() -> None:
    images = drawn(dogs)
    assert {len(image.objects) for image in images} == {1, 2}
    for image in images:
        assert len({item.name for item in image.objects}) == 1


def test_dog_names_mix_cases_and_hyphens() -> None:
    names = dogs.CLASS_NAMES
    assert any("-" in name and name.islower() for name in names)
    assert any("-" in name and name[0].isupper() for name in names)


def test_pet_names_are_in_alphabetical_order_whatever_their_case() -> None:
    assert list(pet.CLASS_NAMES) == sorted(pet.CLASS_NAMES, key=str.lower)


def test_a_pet_is_its_head_and_a_cat_by_its_capital() -> None:
    for image in drawn(pet):
        (item,) = image.objects
        is_cat = item.name[0].isupper()
        assert item.flags["species"] == (1 if is_cat else 2)


def test_pet_owners_tell_head_from_body() -> None:
    for image in drawn(pet):
        (item,) = image.objects
        assert set(np.unique(image.owners)) == {0, 1, pet.BODY}
        rows = np.flatnonzero((image.owners == 1).any(axis=1))
        columns = np.flatnonzero((image.owners == 1).any(axis=0))
        assert (item.xmin, item.xmax) == (columns[0], columns[-1] + 1)
        assert (item.ymin, item.ymax) == (rows[0], rows[-1] + 1)


def test_pet_bodies_sometimes_leave_the_frame() -> None:
    cut = [
        (image.owners[-1] == pet.BODY).any()
        or (image.owners[:, [0, -1]] == pet.BODY).any()
        for image in drawn(pet)
    ]
    assert 0.2 < np.mean(cut) < 0.9


def test_faces_are_few_or_many_and_of_all_sizes() -> None:
    counts = [len(image.objects) for image in drawn(face)]
    heights = [
        item.ymax - item.ymin for image in drawn(face) for item in image.objects
    ]
    assert min(counts) <= 2 and 25 <= max(counts) <= 60
    assert min(heights) <= 6 and max(heights) >= 36


def test_few_images_show_no_face() -> None:
    empty = [
        seed
        for seed in range(300)
        if np.random.default_rng(seed).random() < 0.02
    ]
    assert 1 <= len(empty) <= 15
    image = face.draw_image(np.random.default_rng(empty[0]), SIDE)
    assert image.objects == ()
    assert not image.owners.any()


def test_face_flags_keep_to_the_dataset_s_values() -> None:
    ranges = {
        "blur": {0, 1, 2},
        "expression": {0, 1},
        "illumination": {0, 1},
        "invalid": {0, 1},
        "occlusion": {0, 1, 2},
        "pose": {0, 1},
    }
    items = [item for image in drawn(face) for item in image.objects]
    for flag, values in ranges.items():
        assert {item.flags[flag] for item in items} == values


def test_face_occlusion_grows_as_less_is_visible() -> None:
    items = [item for image in drawn(face) for item in image.objects]
    shares = [
        [item.visible for item in items if item.flags["occlusion"] == level]
        for level in range(3)
    ]
    assert min(shares[0]) >= max(shares[1]) >= min(shares[1])
    assert min(shares[1]) >= max(shares[2])


def test_blurred_faces_are_really_smoother() -> None:
    rough: dict[float | str, list[float]] = {0: [], 1: [], 2: []}
    for image in drawn(face):
        pixels = decoded(image)
        for item in image.objects:
            if item.ymax - item.ymin < 12 or item.visible < 0.9:
                continue
            piece = pixels[item.ymin : item.ymax, item.xmin : item.xmax]
            edges = float(np.abs(np.diff(piece, axis=0)).mean())
            rough[item.flags["blur"]].append(edges / piece.mean())
    means = [float(np.mean(rough[level])) for level in range(3)]
    assert means[0] > 1.2 * means[1] > 1.2 * means[2]


def test_goods_are_numbered_in_the_order_of_their_labels() -> None:
    for number, name in enumerate(rpc.CLASS_NAMES, start=1):
        assert re.fullmatch(rf"{number}_[a-z]+(_[a-z]+)*", name)


def test_the_level_follows_from_the_number_of_goods() -> None:
    levels = set()
    for image in drawn(rpc):
        count = len(image.objects)
        assert 3 <= count <= 20
        level = "easy" if count < 10 else "medium" if count < 15 else "hard"
        assert image.flags == {"level": level}
        levels.add(level)
    assert levels == {"easy", "medium", "hard"}


def test_goods_hide_a_quarter_of_each_other_at_most() -> None:
    visible = [item.visible for image in drawn(rpc) for item in image.objects]
    assert min(visible) >= 0.7
