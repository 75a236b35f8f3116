"""The OD API's own loop trains the patch, and nothing but the patch."""

import dataclasses
import os
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.methods import OtherPatchError, presets
from object_detection_patch.od_api import compat, pipeline_config, step_guard
from object_detection_patch.patch_file import FingerprintError
from object_detection_patch.training import loop
from tests.distinct_presets import DISTINCT_PRESETS

_STEP = "step/.ATTRIBUTES/VARIABLE_VALUE"


def _tensors(checkpoint):
    reader = tf.train.load_checkpoint(checkpoint)
    return {
        key: reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if key.endswith("VARIABLE_VALUE")
    }


def _frozen(keys):
    """Kernels and biases of the base, by checkpoint key."""
    return [
        key
        for key in keys
        if key.startswith("model/")
        and "prediction_head" not in key
        and key.split("/.ATTR")[0].rsplit("/", 1)[-1]
        in ("kernel", "depthwise_kernel", "pointwise_kernel", "bias")
    ]


@pytest.fixture
def copied(trained, tmp_path):
    """(config, model directory): a copy that a test may train on."""
    config, model_dir = trained
    shutil.copytree(model_dir, tmp_path / "train")
    return config, str(tmp_path / "train")


class TestTraining:
    def test_frozen_tensors_are_bit_equal(self, small_world, trained):
        base = _tensors(small_world.base_checkpoint)
        after = _tensors(tf.train.latest_checkpoint(trained[1]))
        keys = _frozen(base)
        assert len(keys) == 71 + 3
        for key in keys:
            np.testing.assert_array_equal(after[key], base[key], err_msg=key)
        slots = [key for key in after if "/.OPTIMIZER_SLOT/" in key]
        assert slots
        assert not [
            key
            for key in slots
            if key.split("/.OPTIMIZER_SLOT")[0]
            in {k.split("/.ATTRIBUTES")[0] for k in keys}
        ]

    def test_patch_and_heads_moved(self, trained):
        first = _tensors(f"{trained[1]}/ckpt-1")
        last = _tensors(f"{trained[1]}/ckpt-3")
        assert (first[_STEP], last[_STEP]) == (0, 4)

        def moved(key):
            return not np.array_equal(first[key], last[key])

        masks = [
            k for k in first if "/latent_mask/" in k and ".OPTIMIZER" not in k
        ]
        assert len(masks) == 71
        # The top level of the pyramid sees no object in some images.
        assert sum(map(moved, masks)) >= 60
        for what in ("gamma", "beta", "moving_mean", "moving_variance"):
            keys = [
                k
                for k in first
                if f"/{what}/.ATT" in k and ".OPTIMIZER" not in k
            ]
            assert len(keys) >= 70
            assert sum(map(moved, keys)) >= 50
        heads = [
            k for k in first if "prediction_head" in k and ".OPTIMIZER" not in k
        ]
        assert heads and all(map(moved, heads))

    def test_saved_config_keeps_the_patch(self, trained):
        saved = pipeline_config.read_pipeline(f"{trained[1]}/pipeline.config")
        given = pipeline_config.read_pipeline(trained[0])
        assert pipeline_config.patch_of(saved) == presets.patch_config(
            "SPOTPATCH"
        )
        assert saved.model == given.model
        # The OD API's loop writes this default down.
        given.train_config.use_bfloat16 = False
        assert saved.train_config == given.train_config

    def test_tensorboard_follows_the_patch(self, trained):
        from tensorflow.core.util import event_pb2

        (path,) = pathlib.Path(trained[1]).glob("**/events.out.tfevents.*")
        found = {}
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = event_pb2.Event.FromString(record)
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = tf.make_ndarray(
                    value.tensor
                )
        for tag in (
            "Loss/total_loss",
            "Loss/sparsity_loss",
            "Loss/adaptation_loss",
            "patch/patched_layers_percent",
            "patch/nominal_footprint_percent",
        ):
            assert len(found[tag]) == 4, tag
        assert found["patch/patched_layers_percent"][0] == 100.0

    @pytest.mark.usefixtures("eager_functions")
    def test_resumes(self, copied, train_steps):
        config, model_dir = copied
        before = _tensors(f"{model_dir}/ckpt-3")
        train_steps(config, model_dir, steps=6)
        after = _tensors(tf.train.latest_checkpoint(model_dir))
        assert after[_STEP] == 6
        assert after["save_counter/.ATTRIBUTES/VARIABLE_VALUE"] == 4
        key = "model/patch/fingerprint_bytes/.ATTRIBUTES/VARIABLE_VALUE"
        np.testing.assert_array_equal(after[key], before[key])
        # Two Adam steps at most 0.01 each: not a new beginning, which would
        # put fresh random masks everywhere.
        for key, value in before.items():
            if "/latent_mask/" in key and ".OPTIMIZER" not in key:
                np.testing.assert_allclose(after[key], value, atol=0.03)
                correlation = np.corrcoef(after[key].flat, value.flat)[0, 1]
                assert correlation > 0.5


class TestRefusals:
    def test_a_changed_base(self, small_world, copied, train_steps, tmp_path):
        config, model_dir = copied
        other = small_world.unpatched_model()
        path = tf.train.Checkpoint(model=other).save(str(tmp_path / "b/ckpt"))
        changed = tmp_path / "changed.config"
        changed.write_text(
            pathlib.Path(config)
            .read_text()
            .replace(small_world.base_checkpoint, path)
        )
        listed = sorted(os.listdir(model_dir))
        before = _tensors(f"{model_dir}/ckpt-3")
        key = "model/patch/fingerprint_bytes/.ATTRIBUTES/VARIABLE_VALUE"
        old = bytes(before[key].astype("uint8")).hex()
        with pytest.raises(
            FingerprintError,
            match=rf"Received: base [0-9a-f]{{64}} \(train_config\."
            rf"fine_tune_checkpoint\), but .* was trained on base {old}\.",
        ) as caught:
            train_steps(str(changed), model_dir, steps=6)
        assert str(caught.value).count(old) == 1
        assert sorted(os.listdir(model_dir)) == listed
        after = _tensors(f"{model_dir}/ckpt-3")
        for name, value in before.items():
            np.testing.assert_array_equal(after[name], value)

    def test_a_model_dir_without_a_patch(
        self, small_world, train_steps, tmp_path
    ):
        model = small_world.unpatched_model()
        tf.train.CheckpointManager(
            tf.train.Checkpoint(model=model), str(tmp_path), max_to_keep=1
        ).save()
        with pytest.raises(
            ValueError, match=r"must both have a patch, .* '.*ckpt-1' without"
        ):
            train_steps(
                small_world.config("shapes", "BN_PATCH"), str(tmp_path), steps=6
            )

    def test_a_model_dir_of_a_patch_with_more_parts(
        self, small_world, copied, train_steps
    ):
        _, model_dir = copied
        listed = sorted(os.listdir(model_dir))
        config = small_world.config("stripes", "BN_PATCH", name="_less_parts")
        with pytest.raises(
            OtherPatchError,
            match="Received: `binary_mask` \\+ `batch_norm` in '.*ckpt-3', but "
            "`batch_norm` in pipeline.config",
        ):
            train_steps(config, model_dir, steps=6)
        assert sorted(os.listdir(model_dir)) == listed

    def test_options_out_of_range(self, tmp_path):
        config = presets.patch_config("SPOTPATCH")
        config.part.add().binary_mask.lambda_adp = -1.0
        with pytest.raises(ValueError, match="`binary_mask.lambda_adp` must"):
            with loop.patched(config, model_dir=str(tmp_path)):
                raise RuntimeError("trained without a check")

    @pytest.mark.usefixtures("eager_functions")
    def test_nan_stops_and_keeps_the_last_checkpoint(
        self, copied, train_steps, monkeypatch
    ):
        config, model_dir = copied
        before = _tensors(f"{model_dir}/ckpt-3")
        _poison_at_step(monkeypatch, 5)
        with pytest.raises(
            step_guard.NonFiniteError,
            match=r"Received: NaN or infinity in Loss/adaptation_loss at step "
            r"5\. The last checkpoint is kept",
        ):
            train_steps(config, model_dir, steps=8)
        assert tf.train.latest_checkpoint(model_dir) == f"{model_dir}/ckpt-3"
        after = _tensors(f"{model_dir}/ckpt-3")
        for name, value in before.items():
            assert np.isfinite(value).all()
            np.testing.assert_array_equal(after[name], value)


def _poison_at_step(monkeypatch, wanted):
    """One residual scale becomes NaN just before a step."""
    from object_detection import model_lib_v2

    original = model_lib_v2.eager_train_step

    def step(model, *args, global_step, **kwargs):
        if int(global_step) == wanted:
            patch = model.patch.host_patches["backbone/Conv1/kernel"]
            patch.residual_scale.assign(np.nan)
            patch.latent_gate.assign(-1.0)
        return original(model, *args, global_step=global_step, **kwargs)

    monkeypatch.setattr(model_lib_v2, "eager_train_step", step)


def test_puts_everything_back(tmp_path):
    compat.enable()
    from object_detection import model_lib_v2
    from object_detection.builders import model_builder

    def looked_up():
        return (
            model_lib_v2.train_loop,
            model_lib_v2.eager_train_step,
            model_lib_v2.load_fine_tune_checkpoint,
            dict(model_lib_v2.MODEL_BUILD_UTIL_MAP),
            dict(model_builder.META_ARCH_BUILDER_MAP),
        )

    before = looked_up()
    config = presets.patch_config("BN_PATCH")
    with pytest.raises(RuntimeError, match="stop"):
        with loop.patched(config, model_dir=str(tmp_path)):
            during = looked_up()
            raise RuntimeError("stop")
    assert looked_up() == before
    assert all(a != b for a, b in zip(during, before, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("preset", DISTINCT_PRESETS)
def test_every_preset_trains_traced(small_world, train_steps, tmp_path, preset):
    """As the binary runs it: in graphs. Frozen is frozen, all else moves."""
    from object_detection_patch.checkpoints import extract
    from object_detection_patch.patch_file import apply_edits

    config = small_world.config("stripes", preset, name="_traced")
    train_steps(config, str(tmp_path), steps=4)
    trained = extract.extract(config, str(tmp_path))
    after = _tensors(trained.checkpoint_path)
    base = _tensors(small_world.base_checkpoint)
    if preset in ("SPOTPATCH", "WEIGHTTRANS", "PIGGYBACK", "BN_PATCH"):
        for key in _frozen(base):
            np.testing.assert_array_equal(after[key], base[key], err_msg=key)
    if preset in ("PIGGYBACK", "DW_PATCH", "TOWER_PATCH"):
        statistics = [
            k
            for k in base
            if "_feature_extractor" in k
            and ("/moving_mean/" in k or "/moving_variance/" in k)
        ]
        assert len(statistics) > 90
        for key in statistics:
            np.testing.assert_array_equal(after[key], base[key], err_msg=key)
    edited = apply_edits(
        {
            k: v.numpy()
            for k, v in trained.model.patch.hosts.base_tensors().items()
        },
        [
            dataclasses.replace(e, target=e.target.removeprefix("tuned/"))
            for e in trained.patch.edits
            if not e.target.startswith("policy/")
        ],
    )
    assert all(np.isfinite(value).all() for value in edited.values())
    assert trained.patch.metadata["training"]["steps"] == 4
