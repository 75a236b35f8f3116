"""Weights of a device become a patch, or are refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch import cli
from object_detection_patch.od_api import pipeline_config
from object_detection_patch.on_device import names, trained, training_model
from object_detection_patch.patch_file import (
    FingerprintError,
    Replace,
    read_patch,
)
from object_detection_patch.training import trainable

_KERNEL = "backbone/block_16_project/kernel"


@pytest.fixture(scope="module")
def model(config):
    pipeline = pipeline_config.read_pipeline(config)
    return training_model.restored(pipeline, config)


@pytest.fixture
def arrays(model):
    """What a device would give after seven steps."""
    hosts = model.patch.hosts
    tensors = hosts.base_tensors() | hosts.head_tensors()
    named = names.signature_names(trainable.moving_names(model, hosts))
    random = np.random.default_rng(0)
    found = {
        name: random.uniform(0.5, 1.5, tensors[stable].shape).astype("float32")
        for stable, name in named.items()
    }
    digest = bytes.fromhex(model.patch.base_fingerprint)
    found[names.FINGERPRINT] = np.array(list(digest), np.int32)
    found[names.STEPS] = np.int32(7)
    return found


@pytest.fixture
def weights(arrays, tmp_path):
    """Writes arrays, changed as it is told."""

    def write(**changes):
        path = tmp_path / "weights.npz"
        kept = arrays | changes
        np.savez(path, **{k: v for k, v in kept.items() if v is not None})
        return str(path)

    return write


def _name(stable):
    return names.signature_names([stable])[stable]


def test_the_patch_holds_what_the_device_learned(
    config, arrays, weights, tmp_path, capsys
):
    output = tmp_path / "task.patch"
    words = ("extract-trained", f"--pipeline_config_path={config}")
    words += (f"--weights={weights()}", f"--output={output}")
    assert cli.main(words) == 0, capsys.readouterr().err
    assert "mobile_tl for 8 classes, after 7 steps" in capsys.readouterr().out
    patch = read_patch(output)
    replaced = {e.target: e for e in patch.edits if isinstance(e, Replace)}
    assert _KERNEL in replaced
    for target, edit in replaced.items():
        np.testing.assert_array_equal(edit.values, arrays[_name(target)])
    assert patch.metadata["training"]["steps"] == 7


def test_another_base_is_refused(config, weights):
    other = np.arange(32, dtype=np.int32)
    with pytest.raises(FingerprintError, match="is of base 000102"):
        trained.extract_trained(config, weights(**{names.FINGERPRINT: other}))


def test_no_training_is_refused(config, weights):
    with pytest.raises(ValueError, match="after 0 steps"):
        trained.extract_trained(config, weights(steps=np.int32(0)))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            np.full((1, 1), 2, "float32"),
            r"must be float32 of .* \(1, 1\)",
        ),
        (np.float64(1), "Received: float64 of shape"),
        (None, rf"lacks 1 \({_name(_KERNEL)}\)"),
    ],
)
def test_a_tensor_of_another_form_is_refused(model, arrays, value, message):
    arrays[_name(_KERNEL)] = value
    if value is None:
        del arrays[_name(_KERNEL)]
    before = [variable.numpy() for variable in model.variables]
    with pytest.raises(ValueError, match=message):
        trained.assign(model, arrays, "weights.npz")
    for variable, old in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, old)


def test_a_tensor_too_many_is_refused(model, arrays):
    arrays["surplus"] = np.zeros(3, "float32")
    with pytest.raises(ValueError, match=r"1 others \(surplus\)"):
        trained.assign(model, arrays, "weights.npz")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_training_that_diverged_is_refused(model, arrays, value):
    arrays[_name(_KERNEL)].flat[3] = value
    with pytest.raises(ValueError, match="use a lower learning rate"):
        trained.assign(model, arrays, "weights.npz")


@pytest.mark.parametrize("field", ["grid", "fake_quantize"])
def test_rounding_beside_it_is_refused(config, field):
    pipeline = pipeline_config.read_pipeline(config)
    patch = pipeline_config.patch_of(pipeline)
    getattr(patch, field).SetInParent()
    with pytest.raises(ValueError, match=f"Received: mobile_tl with {field}"):
        training_model.require_mobile_tl(pipeline, config)


def test_frozen_heads_beside_it_are_refused(config):
    pipeline = pipeline_config.read_pipeline(config)
    pipeline_config.patch_of(pipeline).freeze_heads = True
    with pytest.raises(
        ValueError, match="Received: mobile_tl with freeze_heads"
    ):
        training_model.require_mobile_tl(pipeline, config)


def test_configs_of_other_patches_are_refused(small_world, capsys, tmp_path):
    config = small_world.config("shapes", "SPOTPATCH", name="_not_on_device")
    words = ("export-trainable", f"--pipeline_config_path={config}")
    assert cli.main((*words, f"--output={tmp_path / 'x.tflite'}")) == 2
    error = capsys.readouterr().err
    assert "Devices train the patch" in error
    assert f"Received: SPOTPATCH ({config})" in error
