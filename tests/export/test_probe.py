"""Random models, of which the OD API's parts are stood in for."""

from __future__ import annotations

import os
import types

import numpy as np
import pytest
import tensorflow as tf
import tiny_detector

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.export import probe as probe_lib
from object_detection_patch.od_api import compat

compat.enable()
from object_detection.protos import pipeline_pb2  # noqa: E402

_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
# Stable name -> shape. Two kernels and two norms are of one shape, as most of
# a tower are.
_KERNELS = {
    "backbone/conv/kernel": (3, 3, 32, 64),
    "backbone/deep/depthwise_kernel": (3, 3, 512, 1),
    "tower/a/pointwise_kernel": (1, 1, 64, 64),
    "tower/b/pointwise_kernel": (1, 1, 64, 64),
}
_HEADS = {"class_head/kernel": (3, 3, 8, 42), "class_head/bias": (42,)}
_DEVIATIONS = {
    "backbone/conv/kernel": 288**-0.5,
    "backbone/deep/depthwise_kernel": 1 / 3,
    "tower/a/pointwise_kernel": 1 / 8,
    "tower/b/pointwise_kernel": 1 / 8,
    "class_head/kernel": 72**-0.5,
}


class _Model(tf.Module):
    """Variables as the base's, with their hosts."""

    def _variable(self, name, shape):
        # As an attribute, it gets into the checkpoint.
        variable = tf.Variable(tf.zeros(shape))
        setattr(self, name.replace("/", "_"), variable)
        return variable

    def hosts(self):
        return hosts_lib.Hosts(
            tuple(
                hosts_lib.HostKernel(
                    name, "", "", None, "", self._variable(name, shape)
                )
                for name, shape in _KERNELS.items()
            ),
            tuple(
                hosts_lib.HostBatchNorm(
                    name,
                    "tower",
                    types.SimpleNamespace(
                        **{
                            key: self._variable(f"{name}/{key}", (64,))
                            for key in _NORM
                        }
                    ),
                )
                for name in ("tower/BatchNorm/0", "tower/BatchNorm/1")
            ),
            (
                hosts_lib.HostBias(
                    "fpn/bias", "fpn", None, self._variable("fpn/bias", (64,))
                ),
            ),
            tuple(
                hosts_lib.HeadTensor(
                    name, "class_head", None, self._variable(name, shape), True
                )
                for name, shape in _HEADS.items()
            ),
        )


@pytest.fixture
def calls(monkeypatch):
    """What the probe asks of the OD API and of the converter."""
    seen = {}

    def build_model(config, *, is_training):
        seen["built"] = (config.ssd.num_classes, is_training)
        return _Model()

    def export(config, folder, output, **options):
        reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(folder))
        seen["checkpoint"] = {
            name.split("/")[1]: reader.get_tensor(name)
            for name in reader.get_variable_to_shape_map()
            if name.startswith("model/") and name.endswith("VARIABLE_VALUE")
        }
        seen["exported"] = (config.model.ssd.num_classes, options)
        seen["folder"] = folder
        assert os.path.dirname(output) == folder
        return output

    def convert(saved_model, precision, calibration):
        assert saved_model.startswith(seen["folder"])
        seen["images"] = [list(calibration()) for _ in range(2)]
        return tiny_detector.make(precision).data

    for module, name, stand_in in (
        (probe_lib.base_model, "build_model", build_model),
        (probe_lib.host_layers, "find_ssd_hosts", _Model.hosts),
        (probe_lib.export_tflite, "export_saved_model", export),
        (probe_lib.export_tflite, "convert", convert),
    ):
        monkeypatch.setattr(module, name, stand_in)
    return seen


def _pipeline():
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    pipeline.model.ssd.num_classes = 8
    size = pipeline.model.ssd.image_resizer.fixed_shape_resizer
    size.height, size.width = 6, 10
    return pipeline


def _probe(pipeline=None, *, seed=0, precision="int8", **options):
    return probe_lib.Probe(
        pipeline or _pipeline(),
        classes=13,
        precision=precision,
        max_detections=7,
        seed=seed,
        **options,
    )


def _channels(name, value):
    """The channels of a tensor as rows: what a converter may fold apart."""
    return value.reshape(-1, value.shape[-1]).T if "kernel" in name else [value]


@pytest.mark.parametrize("seed", [0, 1])
def test_nothing_is_zero_or_twice_there(calls, seed):
    values = _probe(seed=seed).values
    rows = [
        np.asarray(row).tobytes()
        for name, value in values.items()
        for row in _channels(name, value)
    ]
    assert len(set(rows)) == len(rows)
    for name, value in values.items():
        assert np.isfinite(value).all(), name
        assert np.count_nonzero(value) == value.size, name
        if value.ndim == 1:
            assert len(np.unique(value)) == value.size, name


def test_ranges_keep_activations_finite(calls):
    values = _probe().values
    for name, value in values.items():
        if name.endswith(("gamma", "moving_variance")):
            low, high = 0.5, 2
        elif name.endswith(("beta", "moving_mean", "bias")):
            low, high = 0.1, 0.5
        else:
            deviation = _DEVIATIONS[name]
            assert value.std() == pytest.approx(deviation, rel=0.05), name
            assert abs(value.mean()) < deviation / 10, name
            continue
        assert low <= value.min() and value.max() <= high, name
        # Spread over the range, so that channels are told apart.
        assert np.ptp(value) > 0.8 * (high - low), name


def test_values_are_those_of_every_variable(calls):
    probe = _probe()
    norms = [f"tower/BatchNorm/{n}/{key}" for n in range(2) for key in _NORM]
    assert set(probe.values) == {*_KERNELS, *_HEADS, *norms, "fpn/bias"}
    variables = probe.hosts.base_tensors() | probe.hosts.head_tensors()
    for name, value in probe.values.items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(variables[name].numpy(), value)


def test_what_is_exported_has_these_values(calls):
    probe = _probe()
    saved = {
        name.replace("/", "_"): value for name, value in probe.values.items()
    }
    assert set(calls["checkpoint"]) == set(saved)
    for name, value in saved.items():
        np.testing.assert_array_equal(calls["checkpoint"][name], value)
    assert not os.path.exists(calls["folder"])


def test_the_seed_decides(calls):
    first, again, other = (_probe(seed=seed).values for seed in (3, 3, 4))
    for name, value in first.items():
        np.testing.assert_array_equal(again[name], value)
        assert not (other[name] == value).any()


def test_the_config_is_copied_and_gets_the_classes(calls):
    pipeline = _pipeline()
    probe = _probe(pipeline)
    assert probe.classes == 13
    assert calls["built"] == (13, False)
    assert calls["exported"][0] == 13
    assert pipeline == _pipeline()


@pytest.mark.parametrize("regular", [False, True])
def test_options_reach_the_exporter(calls, regular):
    _probe(regular_nms=regular)
    options = {"max_detections": 7, "regular_nms": regular}
    assert calls["exported"][1] == options


def test_calibration_sees_the_same_noise_each_time(calls):
    _probe()
    first, again = calls["images"]
    assert len(first) > 1
    for image, other in zip(first, again, strict=True):
        assert (image.shape, image.dtype) == ((1, 6, 10, 3), np.float32)
        assert -1 <= image.min() < -0.9 and 0.9 < image.max() <= 1
        np.testing.assert_array_equal(image, other)
    assert not (first[0] == first[1]).any()


@pytest.mark.parametrize("precision", tiny_detector.PRECISIONS)
def test_the_graph_is_the_converters(calls, precision):
    detector = tiny_detector.make(precision)
    graph = _probe(precision=precision).graph
    names = [tensor.name.decode() for tensor in graph.subgraph.tensors]
    assert names == list(detector.tensors)
    wanted = {"float32": 6, "float16": 12, "int8": 9}
    assert len(graph.codes()) == wanted[precision]
