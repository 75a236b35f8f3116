"""A detector trains in LiteRT as it does in Keras, and becomes a patch."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import cli
from object_detection_patch.checkpoints import merge
from object_detection_patch.od_api import base_model, pipeline_config
from object_detection_patch.on_device import (
    export,
    names,
    session,
    trained,
    training_model,
)
from object_detection_patch.patch_file import read_patch
from object_detection_patch.training import trainable

_BATCH, _SIDE, _BOXES, _CLASSES = 4, 96, 5, 8
_RATE = 0.003


def _batch():
    """Random images with three boxes each and two that fill up."""
    random = np.random.default_rng(2)
    corners = random.uniform(0, 0.5, (_BATCH, _BOXES, 2))
    sides = random.uniform(0.2, 0.5, corners.shape)
    weights = np.ones((_BATCH, _BOXES), np.float32)
    weights[:, 3:] = 0
    boxes = np.concatenate([corners, corners + sides], -1) * weights[..., None]
    shape = (_BATCH, _SIDE, _SIDE, 3)
    return (
        random.uniform(-1, 1, shape).astype(np.float32),
        boxes.astype(np.float32),
        random.integers(0, _CLASSES, (_BATCH, _BOXES)).astype(np.int32),
        weights,
    )


@pytest.fixture(scope="module")
def exported(config, tmp_path_factory) -> bytes:
    output = tmp_path_factory.mktemp("on_device") / "train.tflite"
    words = ("export-trainable", f"--pipeline_config_path={config}")
    words += (f"--output={output}", f"--max_boxes={_BOXES}")
    assert cli.main(words) == 0
    return output.read_bytes()


@pytest.fixture
def device(exported):
    return session.Session(exported)


@pytest.mark.slow
def test_all_operations_are_litert_s_own(exported):
    found = export.operations_of(exported)
    export.refuse_missing(found)
    signatures = {names.TRAIN, names.INFER, names.PARAMETERS, names.RESTORE}
    assert signatures <= found.keys()
    assert found[names.TRAIN]["ASSIGN_VARIABLE"] > 50
    assert "ASSIGN_VARIABLE" not in found[names.INFER]


def _keras_step_from(config, before, batch):
    """(loss, stable name -> value) after one plain gradient step."""
    images, boxes, classes, weights = map(tf.constant, batch)
    pipeline = pipeline_config.read_pipeline(config)
    model = training_model.restored(pipeline, config)
    trained.assign(model, before, "the file")
    base_model.set_training(model, True)
    shapes = tf.constant([[_SIDE, _SIDE, 3]] * _BATCH)
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        model.provide_groundtruth(
            groundtruth_boxes_list=tf.unstack(boxes),
            groundtruth_classes_list=tf.unstack(tf.one_hot(classes, _CLASSES)),
            groundtruth_weights_list=tf.unstack(weights),
        )
        losses = model.loss(model.predict(images, shapes), shapes)
        regular = model.regularization_losses()
        loss = tf.add_n([*losses.values(), *regular])
    for variable, gradient in zip(
        variables, tape.gradient(loss, variables), strict=True
    ):
        variable.assign_sub(_RATE * tf.convert_to_tensor(gradient))
    hosts = model.patch.hosts
    tensors = hosts.base_tensors() | hosts.head_tensors()
    moving = trainable.moving_names(model, hosts)
    return float(loss), {name: tensors[name].numpy() for name in moving}


@pytest.mark.slow
def test_a_step_is_keras_s(config, device):
    """Heads start at random, so the values of the file are put into Keras."""
    batch = _batch()
    before = device.parameters()
    loss = device.train(*batch, learning_rate=_RATE)
    after = device.parameters()

    keras_loss, expected = _keras_step_from(config, before, batch)
    np.testing.assert_allclose(loss, keras_loss, rtol=1e-3)
    for stable, name in names.signature_names(expected).items():
        step = np.abs(expected[stable] - before[name]).max()
        error = np.abs(expected[stable] - after[name]).max()
        assert error <= 0.02 * step + 1e-6, stable
    assert after[names.STEPS] == 1


@pytest.mark.slow
def test_the_loss_falls_and_the_patch_is_the_device_s_model(
    small_world, config, device, tmp_path, capsys
):
    batch = _batch()
    losses = [device.train(*batch, learning_rate=0.03) for _ in range(50)]
    assert losses[-1] < 0.7 * losses[0]
    weights, output = tmp_path / "weights.npz", tmp_path / "task.patch"
    device.save(weights)
    words = ("extract-trained", f"--pipeline_config_path={config}")
    words += (f"--weights={weights}", f"--output={output}")
    assert cli.main(words) == 0, capsys.readouterr().err
    assert "after 50 steps on a device" in capsys.readouterr().out
    _check_merged(small_world, output, tmp_path, device, batch[0][:1])


def _check_merged(small_world, patch, folder, device, image):
    """The base with the patch, as an ordinary model, is the device's."""
    model = merge.merge(
        base_config=small_world.base_config,
        base_checkpoint=small_world.base_checkpoint,
        patch=read_patch(patch),
        output_dir=str(folder / "merged"),
    )
    base_model.set_training(model, False)
    found = model.predict(tf.constant(image), tf.constant([[_SIDE, _SIDE, 3]]))
    for name, value in device.infer(image).items():
        assert np.ptp(value) > 0.1
        np.testing.assert_allclose(value, found[name], rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_what_was_saved_can_be_gone_on_with(exported, tmp_path):
    first, second = session.Session(exported), session.Session(exported)
    batch = _batch()
    for _ in range(2):
        first.train(*batch, learning_rate=_RATE)
    first.save(tmp_path / "weights.npz")
    second.restore(tmp_path / "weights.npz")
    for name, value in first.parameters().items():
        np.testing.assert_array_equal(second.parameters()[name], value)
    assert second.parameters()[names.STEPS] == 2


def test_models_that_do_not_train_are_refused(tiny_detector):
    with pytest.raises(ValueError, match="A model that trains has"):
        session.Session(tiny_detector())


@pytest.mark.parametrize("momentum", ["-0.1", "1", "nan"])
def test_momentum_out_of_range_ends_in_one_line(config, capsys, momentum):
    words = ("export-trainable", f"--pipeline_config_path={config}")
    words += ("--output=x.tflite", f"--momentum={momentum}")
    assert cli.main(words) == 2
    assert capsys.readouterr().err == (
        f"od-patch: `--momentum` must be >= 0 and < 1. Received: {momentum}.\n"
    )
