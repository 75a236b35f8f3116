"""gallery: one small image a task, drawn or kept."""

import dataclasses
import io
import types

import numpy as np
import pytest
from PIL import Image

from object_detection_patch.decathlon.report import gallery
from object_detection_patch.demo import drawn
from tests.decathlon.report import results as made

_RUNS = "work/runs/main__{}__{}__seed1/drawn.npz"
_BASE = "work/bases/base/drawn_{}.npz"


def _detected(colour, side=96, noise=False):
    image = np.full((side, side, 3), colour, np.uint8)
    if noise:
        generator = np.random.default_rng(colour)
        image = generator.integers(0, 255, (side, side, 3)).astype(np.uint8)
    return types.SimpleNamespace(
        image=image,
        boxes=np.array([[0.2, 0.2, 0.8, 0.8]]),
        scores=np.array([0.9]),
        classes=np.array([1]),
    )


def _save(path, colour, images=4, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.save(str(path), [_detected(colour, **more)] * images, ["a"])


def _results(folder, methods=("FINE_TUNING", "SPOTPATCH"), tasks=2):
    suite = made.suite(tasks)
    opened = {"SPOTPATCH": made.gates(3)}
    runs = [
        made.run(
            method,
            task.key,
            made.outcome(0.5125, opened=opened.get(method, ())),
        )
        for method in methods
        for task in suite.tasks
    ]
    return made.of(suite, runs, folder=folder)


def _save_all(folder, task, **more):
    _save(folder / _BASE.format(task), 40, **more)
    _save(folder / _RUNS.format("fine_tuning", task), 120, **more)
    _save(folder / _RUNS.format("spotpatch", task), 220, **more)


def _figures(results):
    return [f for s in gallery.build_gallery(results) for f in s.figures]


def _pixels(figure):
    return np.asarray(Image.open(io.BytesIO(figure.image)).convert("L"))


def test_rows_are_base_fine_tuned_and_patched(tmp_path):
    _save_all(tmp_path, "birds")
    (figure,) = _figures(_results(tmp_path))
    assert (figure.key, figure.media_type) == ("gallery_birds", "image/jpeg")
    pixels = _pixels(figure)
    # In the middle of the last image of each row, within its box.
    middle = pixels.shape[1] - 10 - 110
    column = pixels[:, middle - 3 : middle + 3].mean(axis=1)
    for colour in (40, 120, 220):
        assert np.sum(np.abs(column - colour) < 8) > 80
    order = [int(np.argmin(np.abs(column - c))) for c in (40, 120, 220)]
    assert order == sorted(order)
    # Dark letters at the left of every row.
    assert (pixels[:, :120] < 90).any()


def test_the_words_say_what_it_is(tmp_path):
    _save_all(tmp_path, "birds")
    (figure,) = _figures(_results(tmp_path))
    assert "The birds data set" in figure.alternative
    assert "FINE_TUNING, mAP@0.5 51.25 %" in figure.alternative
    assert "SPOTPATCH, mAP@0.5 51.25 %" in figure.alternative


@pytest.mark.parametrize("side", [96, 500])
def test_images_are_small_whatever_they_show(tmp_path, side):
    _save_all(tmp_path, "birds", noise=True, side=side)
    (figure,) = _figures(_results(tmp_path))
    assert 5_000 < len(figure.image) <= gallery.LARGEST_BYTES


def test_at_most_four_images_and_as_many_as_every_row_has(tmp_path):
    _save_all(tmp_path, "birds", images=6)
    (figure,) = _figures(_results(tmp_path))
    whole = _pixels(figure).shape[1]
    _save(tmp_path / _BASE.format("birds"), 40, images=2)
    (figure,) = _figures(_results(tmp_path))
    assert whole - _pixels(figure).shape[1] == 2 * (220 + 10)


def test_an_earlier_image_is_kept_where_nothing_can_be_drawn(tmp_path):
    kept = tmp_path / "figures" / "gallery_cars.jpeg"
    kept.parent.mkdir()
    kept.write_bytes(b"earlier")
    _save_all(tmp_path, "birds")
    first, second = _figures(_results(tmp_path))
    assert first.key == "gallery_birds"
    assert (second.key, second.image) == ("gallery_cars", b"earlier")
    assert "The cars data set" in second.alternative


@pytest.mark.parametrize("broken", [_BASE, _RUNS.replace("{}", "spotpatch", 1)])
@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04half a file"])
def test_a_task_without_every_row_is_left_out(tmp_path, broken, content):
    _save_all(tmp_path, "birds")
    path = tmp_path / broken.format("birds")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert gallery.build_gallery(_results(tmp_path)) == ()


def test_a_file_cut_short(tmp_path):
    _save_all(tmp_path, "birds")
    path = tmp_path / _RUNS.format("spotpatch", "birds")
    path.write_bytes(path.read_bytes()[:-40])
    assert gallery.build_gallery(_results(tmp_path)) == ()


def test_a_suite_without_gates_shows_two_rows(tmp_path):
    _save_all(tmp_path, "birds")
    (with_gates,) = _figures(_results(tmp_path))
    (figure,) = _figures(_results(tmp_path, methods=("FINE_TUNING",)))
    assert "SPOTPATCH" not in figure.alternative
    assert _pixels(figure).shape[0] == _pixels(with_gates).shape[0] - 230


def test_nothing_has_run(tmp_path):
    _save_all(tmp_path, "birds")
    nothing = dataclasses.replace(_results(tmp_path), runs={})
    assert gallery.build_gallery(nothing) == ()
