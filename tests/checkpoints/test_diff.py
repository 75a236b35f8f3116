"""Base and tuned checkpoint -> patch: what it holds and how near it comes."""

import os
import re

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.checkpoints import diff, extract, merge
from object_detection_patch.checkpoints.distill import Distilled
from object_detection_patch.checkpoints.raw_outputs import OutputDifference
from object_detection_patch.od_api import host_layers, label_map
from object_detection_patch.patch_file import (
    AddSigned,
    Replace,
    ScaleOffset,
    from_bytes,
    to_bytes,
    write_patch,
)

_SAME_KERNEL = "backbone/Conv1/kernel"
_SAME_NORM = "backbone/bn_Conv1"
_STEP = 0.01


def _disturb(hosts, generator, kernel_change):
    """Moves all but one kernel and one BatchNorm."""
    for kernel in hosts.kernels:
        if kernel.name != _SAME_KERNEL:
            kernel.variable.assign_add(kernel_change(kernel.variable.shape))
    for norm in hosts.batch_norms:
        for variable in norm.tensors().values():
            if norm.name != _SAME_NORM:
                factor = generator.uniform(0.8, 1.25, variable.shape)
                variable.assign(variable * factor.astype("float32"))
    others = [bias.variable for bias in hosts.biases]
    others += [head.variable for head in hosts.heads]
    for variable in others:
        noise = generator.normal(0, 0.02, variable.shape)
        variable.assign_add(noise.astype("float32"))


def _one_step(hosts):
    """Every weight one step up or down: a patch can say that exactly."""
    generator = np.random.default_rng(4)
    _disturb(
        hosts,
        generator,
        lambda shape: generator.choice([-_STEP, _STEP], shape).astype("f4"),
    )


def _noise(hosts):
    generator = np.random.default_rng(5)
    _disturb(
        hosts,
        generator,
        lambda shape: generator.normal(0, 0.02, shape).astype("float32"),
    )


@pytest.fixture(scope="module")
def tuned(tuned_of):
    return tuned_of("noise", _noise)


@pytest.fixture(scope="module")
def diffed(small_world, base_dir, tuned):
    return diff.diff(base_dir, tuned, base_config=small_world.base_config)


@pytest.fixture(scope="module")
def tensors(small_world, tuned):
    """(base's, tuned's) arrays by stable name, read without code of ours."""
    found = []
    for config, path in (
        (small_world.base_config, small_world.base_checkpoint),
        (f"{tuned}/pipeline.config", f"{tuned}/ckpt-1"),
    ):
        model = small_world.unpatched_model(config)
        status = tf.train.Checkpoint(model=model).restore(path)
        status.assert_existing_objects_matched().expect_partial()
        hosts = host_layers.find_ssd_hosts(model)
        named = hosts.base_tensors() | hosts.head_tensors()
        found.append({name: v.numpy() for name, v in named.items()})
    return found


def test_what_the_patch_holds(small_world, diffed, tensors):
    base, tuned = tensors
    patch = diffed.patch
    edits = {edit.target: edit for edit in patch.edits}
    heads = {name for name in base if "_head/" in name}
    kernels = {name for name in base.keys() - heads if name.endswith("kernel")}
    norms = {name.rpartition("/")[0] for name in base if "/gamma" in name}
    biases = {name for name in base.keys() - heads if name.endswith("/bias")}
    assert len(kernels) == 71 and biases and heads
    assert edits.keys() == (kernels | norms | biases | heads) - {
        _SAME_KERNEL,
        _SAME_NORM,
    }
    for name in kernels - {_SAME_KERNEL}:
        change = tuned[name].astype(np.float64) - base[name]
        assert isinstance(edits[name], AddSigned)
        np.testing.assert_array_equal(edits[name].mask, change < 0)
        assert edits[name].scale == pytest.approx(np.abs(change).mean())
    for name in biases | heads:
        assert edits[name] == Replace(name, tuned[name])
    assert all(
        isinstance(edits[name], ScaleOffset) for name in norms - {_SAME_NORM}
    )
    assert patch.method == "DIFF"
    assert patch.base_fingerprint == hosts_lib.fingerprint(
        {name: value for name, value in base.items() if name not in heads}
    )
    items = label_map.read_label_map(
        str(small_world.files["stripes"].label_map)
    )
    assert [(i.id, i.name, i.display_name) for i in patch.label_map] == items
    assert from_bytes(to_bytes(patch)) == patch


def test_the_error_of_each_layer(diffed, tensors):
    base, tuned = tensors
    left = total = 0.0
    for layer in diffed.layers:
        change = (tuned[layer.name] - base[layer.name]).astype(np.float64)
        squares = (change**2).sum()
        rest = squares - change.size * np.abs(change).mean() ** 2
        assert layer.weights == change.size
        assert layer.change == pytest.approx(np.sqrt(squares), rel=1e-5)
        assert layer.error**2 == pytest.approx(rest, rel=1e-4, abs=1e-12)
        left, total = left + rest, total + squares
    assert len(diffed.layers) == 71
    assert diffed.patch.metadata["diff"] == {
        "relative_error": pytest.approx(np.sqrt(left / total), rel=1e-4),
        "distill_steps": 0,
    }
    # Of normal noise a sign leaves sqrt(1 - 2 / pi).
    assert np.sqrt(left / total) == pytest.approx(0.603, abs=0.01)


def test_metadata_is_that_of_an_extracted_patch(diffed, checkpoint_of):
    """SPOTPATCH counts the same base, kernels and uncounted head."""
    expected = extract.extract(*checkpoint_of("SPOTPATCH")).patch.metadata
    found = diffed.patch.metadata
    for key in ("architecture", "base_parameters", "uncounted", "gateable"):
        assert found[key] == expected[key], key
    for key in ("extractor", "image_size"):
        assert found["training"][key] == expected["training"][key]
    assert 0.05 < found["nominal_bits"] / 32 / found["base_parameters"] < 0.12


def test_one_step_a_weight_is_exact(small_world, base_dir, tuned_of, tmp_path):
    """With masks that say all, the merged detector is the tuned one."""
    folder = tuned_of("one_step", _one_step)
    result = diff.diff(
        base_dir, f"{folder}/ckpt-1", base_config=small_world.base_config
    )
    assert result.patch.metadata["diff"]["relative_error"] < 1e-4
    merged = merge.merge(
        base_config=small_world.base_config,
        base_checkpoint=base_dir,
        patch=from_bytes(to_bytes(result.patch)),
        output_dir=str(tmp_path / "merged"),
    )
    model = small_world.unpatched_model(f"{folder}/pipeline.config")
    tf.train.Checkpoint(model=model).restore(
        f"{folder}/ckpt-1"
    ).expect_partial()
    found = small_world.raw_outputs(merged)
    for key, value in small_world.raw_outputs(model).items():
        assert np.ptp(value) > 0.1, "a model that says something"
        largest = max(1.0, np.abs(value).max())
        np.testing.assert_allclose(
            found[key], value, atol=3e-5 * largest, err_msg=key
        )


def test_the_report_of_a_plain_diff(diffed, tmp_path):
    output = str(tmp_path / "task.patch")
    write_patch(output, diffed.patch)
    text = diff.report(diffed, output)
    assert text.startswith(f"{output}: {os.path.getsize(output):,} bytes, DIFF")
    assert re.search(rf"^{_SAME_KERNEL} +\d+  unchanged$", text, re.MULTILINE)
    rows = re.findall(r"^[a-z]+/\S+kernel +[\d,]+  0\.\d{3}$", text, re.M)
    assert len(rows) == 70
    total = diffed.patch.metadata["diff"]["relative_error"]
    assert re.search(rf"^all +[\d,]+  {total:.3f}$", text, re.MULTILINE)
    assert "BatchNorms (folded), biases and heads are exact.\n" in text
    assert "see `--distill_records`" in text


@pytest.mark.parametrize("after", [0.1, 0.5, float("nan")])
def test_the_report_of_a_distillation(diffed, tmp_path, after):
    import dataclasses

    output = str(tmp_path / "task.patch")
    write_patch(output, diffed.patch)
    distilled = Distilled(
        diffed.patch.edits,
        50,
        OutputDifference(0.3, 0.2, 32),
        OutputDifference(after, after, 32),
    )
    text = diff.report(dataclasses.replace(diffed, distilled=distilled), output)
    assert "on 32 images: boxes 0.300, classes 0.200." in text
    assert f"After 50 steps of distillation: boxes {after:.3f}" in text
    assert ("but for what distillation changed" in text) == (after == 0.1)
    assert ("no nearer: the numbers from before ship" in text) == (after != 0.1)


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"distill_steps": 5}, "`--distill_steps` needs the images"),
            (
                {"distill_steps": -1, "distill_records": "x"},
                r"must be 0 or more\. Received: -1",
            ),
        ],
    )
    def test_steps(self, tmp_path, fields, message):
        with pytest.raises(ValueError, match=message):
            diff.diff(str(tmp_path), str(tmp_path), **fields)

    def test_a_label_map_that_is_gone(self, small_world, base_dir, tuned):
        with pytest.raises(
            ValueError, match=r"or from `--label_map`\..*which does not exist"
        ):
            diff.diff(
                base_dir,
                tuned,
                base_config=small_world.base_config,
                label_map="/no/such/map.pbtxt",
            )

    def test_a_label_map_of_other_size(self, small_world, base_dir, tuned):
        digits = str(small_world.files["digits"].label_map)
        with pytest.raises(
            ValueError, match=r"or from `--label_map`\..*but id \d+ in .*digits"
        ):
            diff.diff(
                base_dir,
                tuned,
                base_config=small_world.base_config,
                label_map=digits,
            )

    def test_a_config_without_a_label_map(
        self, small_world, base_dir, tuned, tmp_path
    ):
        with open(f"{tuned}/pipeline.config", encoding="utf-8") as file:
            text = file.read()
        config = tmp_path / "pipeline.config"
        config.write_text(re.sub(r"label_map_path: '.*'", "", text))
        with pytest.raises(
            ValueError, match="ships the label map.*set `label_map_path`"
        ):
            diff.diff(
                base_dir,
                tuned,
                base_config=small_world.base_config,
                tuned_config=str(config),
            )

    def test_itself(self, small_world, base_dir):
        with pytest.raises(ValueError, match="there is nothing to ship"):
            diff.diff(
                base_dir,
                base_dir,
                base_config=small_world.base_config,
                tuned_config=small_world.base_config,
            )
