"""Profiles of whole SSDs: every layer found, methods apart as expected."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

from object_detection_patch import cli
from object_detection_patch.od_api import pipeline_config
from object_detection_patch.profiling import costs, ssd
from object_detection_patch.training import patched_model

_METHODS = ("FINE_TUNING", "BN_PATCH", "SPOTPATCH")
_SIZE = (96, 96)


def _rows(model, batch_size=2):
    network = ssd.network_of(model, batch_size, _SIZE)
    return {row.name: row for row in costs.by_layer(network, slots=2)}


@pytest.fixture(scope="module")
def profiled(small_world):
    """Method -> (model, its costs by layer), for 2 images of 96 pixels."""
    found = {}
    for method in _METHODS:
        path = small_world.config("shapes", method, name="_profile")
        pipeline = pipeline_config.read_pipeline(path)
        model = patched_model.build_patched(
            pipeline.model, pipeline_config.patch_of(pipeline), is_training=True
        )
        found[method] = (model, _rows(model))
    return found


def _size(variables):
    return sum(int(np.prod(v.shape)) for v in variables)


@pytest.mark.parametrize("method", _METHODS)
def test_every_parameter_is_found(profiled, method):
    """The detector's own variables, and of the patch those that compute."""
    model, rows = profiled[method]
    total = costs.in_sum(rows.values())
    trained = _size(model.trainable_variables)
    assert total.trained_parameters == trained
    assert total.gradient_bytes == 4 * trained
    assert total.optimizer_bytes == 8 * trained

    hosts = model.patch.hosts
    own = [
        variable
        for patch in model.patch.host_patches.values()
        for variable in patch.trainable_weights
    ]
    base = (hosts.base_tensors() | hosts.head_tensors()).values()
    assert total.parameters == _size(base) + _size(own)


@pytest.mark.parametrize("method", _METHODS)
def test_every_layer_with_weights_has_a_row(profiled, method):
    model, rows = profiled[method]
    hosts = [*model.patch.hosts, *model.patch.hosts.head_kernels]
    assert {host.layer.name for host in hosts} <= set(rows)


@pytest.mark.parametrize("method", _METHODS)
def test_the_first_convolution_counted_by_hand(profiled, method):
    """Of 2 images: 48 x 48 places, 3 x 3 x 3 values to 16 channels."""
    row = profiled[method][1]["Conv1"]
    forward = 2 * 48 * 48 * 16 * (2 * 27 - 1)
    to_kernel = 27 * 16 * (2 * 2 * 48 * 48 - 1)
    backward = 0 if method == "BN_PATCH" else to_kernel
    # A mask is a few operations on each of 432 weights.
    more = 10 * 432 if method == "SPOTPATCH" else 0
    assert 0 <= row.forward_flops - forward <= more
    assert 0 <= row.backward_flops - backward <= more
    images = 4 * 2 * 96 * 96 * 3
    assert row.kept_bytes >= (0 if method == "BN_PATCH" else images)
    assert (row.kept_bytes > 0) == (method != "BN_PATCH")


@pytest.mark.parametrize("method", _METHODS)
def test_normalisations_keep_maps_and_relu6_two_bits(profiled, method):
    rows = profiled[method][1]
    assert rows["bn_Conv1"].kept_bytes == 4 * 2 * 48 * 48 * 16
    assert rows["Conv1_relu"].kept_bytes == 2 * 48 * 48 * 16 * 2 // 8


def test_methods_stand_in_the_expected_order(profiled):
    fine, norms, spot = (
        costs.in_sum(profiled[method][1].values()) for method in _METHODS
    )
    assert norms.kept_bytes < fine.kept_bytes <= spot.kept_bytes
    assert norms.backward_flops < fine.backward_flops < spot.backward_flops
    assert norms.optimizer_bytes < fine.optimizer_bytes
    assert norms.forward_flops == fine.forward_flops < spot.forward_flops


def test_kept_bytes_grow_with_the_batch_and_parameters_do_not(profiled):
    model, two = profiled["BN_PATCH"]
    one = costs.in_sum(_rows(model, batch_size=1).values())
    two = costs.in_sum(two.values())
    # Masks are whole bytes.
    assert two.kept_bytes == pytest.approx(2 * one.kept_bytes, abs=200)
    assert two.parameter_bytes == one.parameter_bytes


def test_the_verb_prints_a_table_json_and_a_picture(
    small_world, tmp_path, capsys
):
    path = small_world.config("shapes", None, name="_verb")
    picture = tmp_path / "memory.png"
    arguments = ["profile", f"--pipeline_config_path={path}"]
    assert cli.main([*arguments, "--json", f"--picture={picture}"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["method"] == "no patch"
    assert (printed["batch_size"], printed["image_size"]) == (2, [96, 96])
    for field in ("forward_flops", "kept_bytes", "optimizer_bytes"):
        layers = sum(row[field] for row in printed["layers"])
        assert printed["sum"][field] == layers > 0
    largest = max(row["temporary_bytes"] for row in printed["layers"])
    assert printed["sum"]["temporary_bytes"] == largest
    with Image.open(picture) as image:
        assert image.size[0] > 800


def test_an_image_size_that_varies_is_refused(small_world, tmp_path, capsys):
    path = small_world.config("shapes", "BN_PATCH", name="_resizer")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    other = tmp_path / "other.config"
    other.write_text(
        re.sub(
            r"fixed_shape_resizer \{.*?\}",
            "keep_aspect_ratio_resizer { min_dimension: 96 }",
            text,
            flags=re.DOTALL,
        ),
        encoding="utf-8",
    )
    assert cli.main(["profile", f"--pipeline_config_path={other}"]) == 2
    assert (
        "must be a `fixed_shape_resizer`. Received: keep_aspect_ratio_resizer"
        in capsys.readouterr().err
    )
