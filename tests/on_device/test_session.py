"""A session on a model of one trained number."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from object_detection_patch.on_device import names, session, weights
from tests import toy_trainer


@pytest.fixture(scope="module")
def model() -> bytes:
    return toy_trainer.build(batch_size=2, side=4, max_boxes=1)


def _batch(**changes):
    arrays = {
        "images": np.zeros((2, 4, 4, 3)),
        "boxes": np.zeros((2, 1, 4)),
        "classes": np.zeros((2, 1)),
        "weights": np.zeros((2, 1)),
    }
    return arrays | changes


def test_it_trains_saves_and_goes_on(model, tmp_path):
    first, second = session.Session(model), session.Session(model)
    losses = [first.train(**_batch(), learning_rate=0.25) for _ in range(3)]
    np.testing.assert_allclose(losses, [4, 1, 0.25])
    path = tmp_path / "weights.npz"
    first.save(path)
    second.restore(path)
    assert second.parameters()[names.STEPS] == 3
    np.testing.assert_allclose(second.parameters()["w"], 0.25)
    found = second.infer(np.ones((1, 4, 4, 3)))
    np.testing.assert_allclose(found[names.CLASSES], 0.25 * 48)


def test_it_knows_what_it_takes(model):
    toy = session.Session(model)
    assert (toy.batch_size, toy.image_size) == (2, (4, 4))
    assert (toy.max_boxes, toy.num_classes) == (1, 8)


@pytest.mark.parametrize("number", [-1, 8])
def test_classes_that_it_does_not_have_are_refused(model, number):
    classes = np.array([[0], [number]])
    with pytest.raises(ValueError, match="`classes` must be from 0 to 7"):
        session.Session(model).train(
            **_batch(classes=classes), learning_rate=0.1
        )


@pytest.mark.parametrize(
    ("name", "shape"),
    [("images", (1, 4, 4, 3)), ("images", (2, 8, 8, 3)), ("boxes", (2, 2, 4))],
)
def test_other_shapes_are_refused(model, name, shape):
    """LiteRT would resize the model to them."""
    with pytest.raises(ValueError, match=f"`{name}` of `train` must be"):
        session.Session(model).train(
            **_batch(**{name: np.zeros(shape)}), learning_rate=0.1
        )


def _weights(tmp_path, **changes):
    arrays = {
        "w": np.ones(1, np.float32),
        names.STEPS: np.int32(1),
        names.FINGERPRINT: np.arange(32, dtype=np.int32),
    } | changes
    path = tmp_path / "weights.npz"
    weights.write_weights(
        path, {k: v for k, v in arrays.items() if v is not None}
    )
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({names.FINGERPRINT: np.zeros(32, np.int32)}, "of another"),
        ({"w": None}, "w missing and nothing added"),
        ({"v": np.zeros(2)}, "nothing missing and v added"),
        ({"w": np.ones(2, np.float32)}, r"must be float32 of shape \(1,\)"),
        ({"w": np.ones(1)}, "Received: float64"),
    ],
)
def test_other_weights_are_refused_and_nothing_moves(
    model, tmp_path, changes, message
):
    toy = session.Session(model)
    with pytest.raises(ValueError, match=message):
        toy.restore(_weights(tmp_path, **changes))
    np.testing.assert_array_equal(toy.parameters()["w"], 2)


def test_it_needs_no_tensorflow():
    code = (
        "import sys; import object_detection_patch.on_device.session; "
        "sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
