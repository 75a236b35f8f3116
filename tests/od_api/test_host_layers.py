"""Hosts are found in every SSD with a Keras extractor, by stable names."""

import collections
import pathlib

import numpy as np
import object_detection
import pytest
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch import recipes
from object_detection_patch.od_api import (
    base_model,
    compat,
    host_layers,
    pipeline_config,
)
from object_detection_patch.training import cost

compat.enable()
_CONFIGS = pathlib.Path(object_detection.__file__).parent / "configs" / "tf2"


def _stock(name: str, extractor: str):
    pipeline = pipeline_config.read_pipeline(str(_CONFIGS / name))
    pipeline.model.ssd.feature_extractor.type = extractor
    return pipeline.model


def _built(model_config):
    model = base_model.build_model(model_config, is_training=False)
    return model, host_layers.find_ssd_hosts(model)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """The paper's base at 320 pixels, 37 classes."""
    task = recipes.TaskData(37, "r", "r", "l")
    path = tmp_path_factory.mktemp("narrow") / "pipeline.config"
    path.write_text(
        recipes.pipeline_text(
            recipes.NARROW_320,
            task,
            preset=None,
            fine_tune_checkpoint=None,
            num_steps=1,
            batch_size=1,
        )
    )
    config = pipeline_config.read_pipeline(str(path)).model
    return config, *_built(config)


def _sizes(hosts):
    return collections.Counter(
        {
            place: sum(1 for host in hosts.kernels if host.place == place)
            for place in hosts_lib.PLACES
        }
    )


class TestTheNarrowBase:
    """Every number is of footprint.md's table."""

    def test_has_71_kernels_in_their_places(self, narrow):
        _, _, hosts = narrow
        assert len(hosts.kernels) == 71
        assert _sizes(hosts) == {
            "backbone": 52,
            "fpn": 3 + 4 * 2 // 2 + 4,
            "tower": 8,
            "box_head": 0,
            "class_head": 0,
        }

    def test_has_the_papers_parameters(self, narrow):
        _, _, hosts = narrow
        size = cost.base_size(hosts)
        assert size.kernels == 2_051_520
        assert size.batch_norm == 38_208
        assert size.biases == 384
        assert size.box_head == 9 * 128 + 128 * 24 + 24 == 4_248
        assert size.class_head_counted == 9 * 128
        assert size.total == 2_095_512
        assert f"{size.total * 4 / 2**20:.2f}" == "7.99"
        depthwise = [
            host.size
            for host in hosts.kernels
            if host.kind == hosts_lib.DEPTHWISE
            or host.attribute == "depthwise_kernel"
        ]
        assert sum(depthwise) == 73_440

    def test_last_convolution_has_256_filters(self, narrow):
        _, _, hosts = narrow
        by_name = {host.name: host for host in hosts.kernels}
        assert by_name["backbone/Conv_1/kernel"].variable.shape[-1] == 256

    def test_every_tensor_but_the_anchors_is_found_once(self, narrow):
        _, model, hosts = narrow
        found = hosts.base_tensors() | hosts.head_tensors()
        assert {id(v) for v in found.values()} == {
            id(v) for v in model.variables
        }
        assert len(found) == len(model.variables)

    def test_uncounted_is_the_class_heads_last_layer(self, narrow):
        _, _, hosts = narrow
        uncounted = {h.name: h.size for h in hosts.heads if not h.counted}
        assert sorted(uncounted.values()) == [6 * 38, 6 * 38 * 128]
        assert all(name.startswith("class_head/") for name in uncounted)

    def test_names_do_not_depend_on_models_built_before(self, narrow):
        config, _, hosts = narrow
        _built(
            _stock(
                "ssd_mobilenet_v2_320x320_coco17_tpu-8.config",
                "ssd_mobilenet_v2_keras",
            )
        )
        _, again = _built(config)
        assert list(again.base_tensors()) == list(hosts.base_tensors())
        assert list(again.head_tensors()) == list(hosts.head_tensors())
        for name, variable in again.base_tensors().items():
            assert variable.shape == hosts.base_tensors()[name].shape

    def test_names_are_in_network_order(self, narrow):
        _, _, hosts = narrow
        names = [host.name for host in hosts.kernels]
        assert names[0] == "backbone/Conv1/kernel"
        assert names.index("backbone/block_1_expand/kernel") < names.index(
            "backbone/block_16_project/kernel"
        )
        assert hosts.kernels[-1].place == "tower"


@pytest.mark.parametrize(
    ("file", "extractor", "kernels", "weights"),
    [
        (
            "ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8.config",
            "ssd_mobilenet_v2_fpn_keras",
            {"backbone": 52, "fpn": 11, "tower": 8},
            # The narrow one's, with 1280 instead of 256 filters in Conv_1
            # and in the lateral convolution that reads them.
            2_051_520 + (1280 - 256) * (320 + 128),
        ),
        (
            "ssd_mobilenet_v2_fpnlite_640x640_coco17_tpu-8.config",
            "ssd_mobilenet_v2_fpn_keras",
            {"backbone": 52, "fpn": 11, "tower": 8},
            None,
        ),
        (
            "ssd_mobilenet_v1_fpn_640x640_coco17_tpu-8.config",
            "ssd_mobilenet_v1_fpn_keras",
            {"backbone": 27, "fpn": 3 + 2 + 2, "tower": 8},
            None,
        ),
        (
            "ssd_resnet50_v1_fpn_640x640_coco17_tpu-8.config",
            "ssd_resnet50_v1_fpn_keras",
            {"backbone": 53, "fpn": 3 + 2 + 2, "tower": 8},
            None,
        ),
        (
            "ssd_mobilenet_v2_320x320_coco17_tpu-8.config",
            "ssd_mobilenet_v2_keras",
            {"backbone": 52, "fpn": 8, "tower": 0},
            None,
        ),
    ],
)
def test_finds_the_hosts_of_other_ssds(file, extractor, kernels, weights):
    model, hosts = _built(_stock(file, extractor))
    assert +_sizes(hosts) == +collections.Counter(kernels)
    found = hosts.base_tensors() | hosts.head_tensors()
    assert len({id(v) for v in found.values()}) == len(found)
    assert {id(v) for v in found.values()} == {id(v) for v in model.variables}
    by_rank = [
        v
        for v in model.variables
        if len(v.shape) == 4
        and id(v) not in {id(h.variable) for h in hosts.heads}
    ]
    assert len(hosts.kernels) == len(by_rank)
    assert cost.base_size(hosts).kernels == sum(
        int(np.prod(v.shape)) for v in by_rank
    )
    if weights is not None:
        assert cost.base_size(hosts).kernels == weights
    # Biases of the lateral convolutions only; 128 or 256 each.
    assert {host.place for host in hosts.biases} <= {"fpn"}


class _Slim:
    is_keras_model = False


def test_refuses_an_extractor_without_keras():
    class Model:
        feature_extractor = _Slim()

    with pytest.raises(
        ValueError,
        match=r"needs an SSD with a Keras feature extractor \(a type that "
        r"ends in `_keras`; .* Received: Model with _Slim\.",
    ):
        host_layers.find_ssd_hosts(Model())


def test_refuses_an_unbuilt_model(small_world):
    from object_detection.builders import model_builder

    config = pipeline_config.read_pipeline(small_world.base_config).model
    model = model_builder.build(config, is_training=False)
    with pytest.raises(ValueError, match="needs a built base model"):
        host_layers.find_ssd_hosts(model)


def test_kernels_stay_where_the_layer_keeps_them(small_world):
    model = small_world.unpatched_model()
    for host in host_layers.find_ssd_hosts(model).kernels:
        assert getattr(host.layer, host.attribute) is host.variable
        assert isinstance(host.variable, tf.Variable)
