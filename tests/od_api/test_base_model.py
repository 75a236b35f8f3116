"""A base is restored whole and exactly, or not at all."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.od_api import (
    base_model,
    host_layers,
    pipeline_config,
)


def _values(tensors):
    return {name: variable.numpy() for name, variable in tensors.items()}


def _assert_equal(left, right):
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


def _everything(hosts):
    return _values(hosts.base_tensors() | hosts.head_tensors())


@pytest.fixture(scope="module")
def target(small_world):
    """A model of the near task: same architecture, other classes."""
    model = small_world.unpatched_model(
        small_world.config("stripes", None),
        num_classes=small_world.files["shapes"].num_classes,
    )
    return model, host_layers.find_ssd_hosts(model)


@pytest.fixture
def fresh(target):
    """`target` with its values put back afterwards."""
    model, hosts = target
    before = _everything(hosts)
    yield model, hosts
    variables = hosts.base_tensors() | hosts.head_tensors()
    for name, value in before.items():
        variables[name].assign(value)


@pytest.fixture(scope="module")
def stored(small_world):
    """Checkpoint key -> array, as TensorFlow's own reader gives them."""
    reader = tf.train.load_checkpoint(small_world.base_checkpoint)
    return {
        key: reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if key.endswith("VARIABLE_VALUE")
    }


def _stored_by_identity(model, stored):
    """Model variable's id -> stored array, through tf.train's own naming."""
    pairs = {}
    for key in stored:
        node = tf.train.Checkpoint(model=model)
        for part in key.split("/.ATTRIBUTES")[0].split("/"):
            part = part.replace(".S", "/")
            node = dict(node._trackable_children()).get(part)
            if node is None:
                break
        if isinstance(node, tf.Variable):
            pairs[id(node)] = stored[key]
    return pairs


@pytest.mark.parametrize("kind", ["detection", "full"])
def test_restores_by_key_what_the_checkpoint_holds(
    small_world, fresh, stored, kind
):
    model, hosts = fresh
    before = _everything(hosts)
    base_model.restore_base(
        model, hosts, small_world.base_checkpoint, checkpoint_type=kind
    )
    pairs = _stored_by_identity(model, stored)
    after = hosts.base_tensors() | hosts.head_tensors()
    assert len(pairs) == len(after)
    for name, variable in after.items():
        if kind == "detection" and name.startswith("class_head/"):
            np.testing.assert_array_equal(variable, before[name], err_msg=name)
        else:
            np.testing.assert_array_equal(
                variable, pairs[id(variable)], err_msg=name
            )
    places = {name.split("/")[0] for name in after}
    assert places == set(hosts_lib.PLACES)


def _refused(fresh, path, kind="detection"):
    """The message, after checking that nothing changed."""
    model, hosts = fresh
    before = _everything(hosts)
    with pytest.raises(base_model.BaseRestoreError) as caught:
        base_model.restore_base(model, hosts, path, checkpoint_type=kind)
    _assert_equal(_everything(hosts), before)
    return str(caught.value)


def test_refuses_a_missing_file(fresh, tmp_path):
    message = _refused(fresh, str(tmp_path / "ckpt-9"))
    assert "`train_config.fine_tune_checkpoint` must be the prefix" in message
    assert f"{tmp_path}/ckpt-9.index does not exist" in message


def test_refuses_the_index_file_as_a_prefix(fresh, small_world):
    message = _refused(fresh, small_world.base_checkpoint + ".index")
    assert "without .index" in message


def test_refuses_a_name_based_checkpoint(fresh, tmp_path):
    path = str(tmp_path / "model.ckpt")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.get_variable("w", [2])
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, path)
    assert "which is name-based (TF1)" in _refused(fresh, path)


def test_refuses_a_patched_checkpoint(fresh, trained):
    message = _refused(fresh, tf.train.latest_checkpoint(trained[1]))
    assert "A base must hold no patch" in message
    assert "od-patch merge" in message


@pytest.mark.parametrize("patched", [True, False])
def test_checkpoint_and_config_agree_on_a_patch(small_world, trained, patched):
    latest = tf.train.latest_checkpoint(trained[1])
    good = latest if patched else small_world.base_checkpoint
    bad = small_world.base_checkpoint if patched else latest
    base_model.check_patch_held(good, "c", patched=patched)
    with pytest.raises(
        base_model.BaseRestoreError, match="must both have a patch, or neither"
    ):
        base_model.check_patch_held(bad, "c", patched=patched)


@pytest.mark.parametrize("kind", ["classification", "fine_tune", ""])
def test_refuses_types_that_leave_out_the_tower(fresh, small_world, kind):
    message = _refused(fresh, small_world.base_checkpoint, kind)
    assert "'full': a patch needs the whole base" in message
    assert f"Received: {kind!r}" in message


def _saved(model, path: pathlib.Path) -> str:
    return tf.train.Checkpoint(model=model).save(str(path / "ckpt"))


@pytest.mark.parametrize("kind", ["detection", "full"])
def test_refuses_another_width(fresh, small_world, tmp_path, kind):
    other = small_world.unpatched_model(feature_extractor__depth_multiplier=0.5)
    message = _refused(fresh, _saved(other, tmp_path), kind)
    assert "holds another architecture" in message
    assert "than pipeline.config describes. Received: " in message
    assert str(tmp_path) in message


def test_refuses_another_extractor(fresh, small_world, tmp_path):
    other = small_world.unpatched_model(
        feature_extractor__type="ssd_mobilenet_v1_fpn_keras"
    )
    message = _refused(fresh, _saved(other, tmp_path))
    assert "another architecture" in message


def test_refuses_fewer_kernels(fresh, small_world, tmp_path):
    model, hosts = fresh
    source = small_world.unpatched_model()
    path = tf.train.Checkpoint(
        model=tf.train.Checkpoint(_feature_extractor=source.feature_extractor)
    ).save(str(tmp_path / "ckpt"))
    message = _refused(fresh, path)
    wanted = [
        name
        for name in hosts.base_tensors() | hosts.head_tensors()
        if not name.startswith("class_head/")
    ]
    lacking = [n for n in wanted if n.startswith(("tower/", "box_head/"))]
    assert f"which lacks {len(lacking)} of {len(wanted)}: tower/" in message


def test_other_classes_are_left_out_by_detection(small_world, tmp_path):
    model = small_world.unpatched_model(num_classes=2)
    hosts = host_layers.find_ssd_hosts(model)
    before = _values(
        {k: v for k, v in hosts.head_tensors().items() if "class_head" in k}
    )
    base_model.restore_base(
        model,
        hosts,
        small_world.base_checkpoint,
        checkpoint_type="detection",
    )
    source = small_world.unpatched_model()
    source_hosts = host_layers.find_ssd_hosts(source)
    base_model.restore_base(
        source,
        source_hosts,
        small_world.base_checkpoint,
        checkpoint_type="full",
    )
    _assert_equal(
        _values(hosts.base_tensors()), _values(source_hosts.base_tensors())
    )
    _assert_equal(
        before,
        _values(
            {k: v for k, v in hosts.head_tensors().items() if "class_head" in k}
        ),
    )


def test_other_classes_are_refused_by_full(small_world):
    model = small_world.unpatched_model(num_classes=2)
    fresh = (model, host_layers.find_ssd_hosts(model))
    message = _refused(fresh, small_world.base_checkpoint, "full")
    assert "another number of classes (`detection` leaves them out)" in message
    assert "ClassPredictor" in message
    assert "fine_tune_checkpoint" in message


def test_refuses_a_stored_nan(fresh, small_world, tmp_path):
    source = small_world.unpatched_model()
    host_layers.find_ssd_hosts(source).kernels[0].variable.assign_add(
        tf.fill(
            host_layers.find_ssd_hosts(source).kernels[0].variable.shape,
            np.float32(np.nan),
        )
    )
    message = _refused(fresh, _saved(source, tmp_path))
    assert "backbone/Conv1/kernel" in message


def test_builds_without_touching_the_statistics(small_world):
    model = small_world.unpatched_model()
    for batch_norm in host_layers.find_ssd_hosts(model).batch_norms:
        np.testing.assert_array_equal(batch_norm.layer.moving_mean, 0.0)
        np.testing.assert_array_equal(batch_norm.layer.moving_variance, 1.0)


def test_every_batch_norm_follows_the_images_it_trains_on(small_world):
    """The tower's too, though its layers were first built for inference."""
    config = pipeline_config.read_pipeline(small_world.base_config).model
    model = base_model.build_model(config, is_training=True)
    batch_norms = host_layers.find_ssd_hosts(model).batch_norms
    before = [b.layer.moving_mean.numpy() for b in batch_norms]
    model.predict(*model.preprocess(tf.constant(small_world.images())))
    moved = [
        not np.array_equal(old, b.layer.moving_mean)
        for old, b in zip(before, batch_norms, strict=True)
    ]
    assert len(moved) == 76 and all(moved)


def test_inference_mode_reaches_the_tower(small_world):
    config = pipeline_config.read_pipeline(small_world.base_config).model
    model = base_model.build_model(config, is_training=True)
    hosts = host_layers.find_ssd_hosts(model)
    base_model.restore_base(
        model, hosts, small_world.base_checkpoint, checkpoint_type="full"
    )
    found = small_world.raw_outputs(model)
    one = {k: v for k, v in found.items()}
    expected = small_world.unpatched_model()
    base_model.restore_base(
        expected,
        host_layers.find_ssd_hosts(expected),
        small_world.base_checkpoint,
        checkpoint_type="full",
    )
    _assert_equal(one, small_world.raw_outputs(expected))


@pytest.mark.parametrize("kind", ["faster_rcnn", "center_net"])
def test_refuses_other_meta_architectures(kind):
    from object_detection.protos import model_pb2

    config = model_pb2.DetectionModel()
    getattr(config, kind).SetInParent()
    with pytest.raises(
        ValueError, match=rf"A patch needs an SSD .* Received: '{kind}'\."
    ):
        base_model.build_model(config, is_training=False)


def test_intercepts_every_ssd_and_puts_the_builder_back(small_world):
    from object_detection.builders import model_builder

    original = model_builder.META_ARCH_BUILDER_MAP["ssd"]
    config = pipeline_config.read_pipeline(small_world.base_config).model
    seen = []
    with pytest.raises(RuntimeError, match="stop"):
        with base_model.intercept_ssd(lambda m: seen.append(m) or "mine"):
            assert model_builder.build(config, is_training=False) == "mine"
            raise RuntimeError("stop")
    assert len(seen) == 1
    assert model_builder.META_ARCH_BUILDER_MAP["ssd"] is original
