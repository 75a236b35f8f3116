"""Distillation brings outputs nearer, and moves nothing that it should not."""

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.checkpoints import diff, differences, distill, pair
from object_detection_patch.patch_file import (
    AddSigned,
    Replace,
    ScaleOffset,
    apply_edits,
)


def _noise(hosts):
    """Kernels and BatchNorms as far away as a fine-tuning takes them."""
    generator = np.random.default_rng(6)
    for kernel in hosts.kernels:
        spread = 0.3 * np.std(kernel.variable.numpy())
        noise = generator.normal(0, spread, kernel.variable.shape)
        kernel.variable.assign_add(noise.astype("float32"))
    for norm in hosts.batch_norms:
        factor = generator.uniform(0.8, 1.25, norm.layer.gamma.shape)
        norm.layer.gamma.assign(norm.layer.gamma * factor.astype("float32"))
    for head in hosts.heads:
        noise = generator.normal(0, 0.1, head.variable.shape)
        head.variable.assign_add(noise.astype("float32"))


@pytest.fixture(scope="module")
def tuned_dir(tuned_of):
    return tuned_of("to_distill", _noise)


@pytest.fixture(scope="module")
def detectors(small_world, base_dir, tuned_dir):
    """(base, tuned, the base's tensors, edits), each test on the same."""
    base_source = pair.find("base", base_dir, small_world.base_config)
    tuned_source = pair.find("tuned", tuned_dir, None)
    model_config = tuned_source.pipeline.model
    base = pair.read(base_source, model_config)
    tuned = pair.read(tuned_source, model_config)
    values = base.base_tensors()
    edits = differences.find_edits(tuned.hosts, values, tuned.base_tensors())
    return base, tuned, values, edits


@pytest.fixture
def from_the_base(detectors):
    """As `detectors`, with the base's values in its model."""
    base, tuned, values, edits = detectors
    distill.write(base, values, [])
    return base, tuned, edits


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(distill, "BATCH_SIZE", 2)
    monkeypatch.setattr(distill, "MEASURED_IMAGES", 4)


def _records(small_world):
    return str(small_world.files["stripes"].eval)


def test_a_few_steps_bring_outputs_nearer(
    small_world,
    from_the_base,
    detectors,
    small_batches,
    eager_functions,
    monkeypatch,
):
    base, tuned, edits = from_the_base
    # As many steps as a quick test has time for, so large ones.
    monkeypatch.setattr(distill, "_RATE", 0.05)
    done = distill.distill(
        base, tuned, edits, records=_records(small_world), steps=8
    )
    assert done.helped and done.steps == 8
    # 0.76 to 0.82 in six orders of the images.
    assert done.after.total < 0.9 * done.before.total
    assert done.before.images == done.after.images == 4
    _same_but_for_numbers(edits, done.edits)
    _measured_on(base, tuned, detectors[2], done)


def _same_but_for_numbers(edits, trained):
    assert [edit.target for edit in trained] == [edit.target for edit in edits]
    moved = 0
    for before, after in zip(edits, trained, strict=True):
        assert type(before) is type(after)
        if isinstance(before, AddSigned):
            np.testing.assert_array_equal(before.mask, after.mask)
            moved += before.scale != after.scale
        elif isinstance(before, ScaleOffset):
            moved += not np.array_equal(before.scale, after.scale)
        else:
            assert before == after
    assert moved > len(edits) / 2


def _measured_on(base, tuned, values, done):
    """`after` is what the edits as they ship give, told independently."""
    names = base.hosts.base_tensors() | base.hosts.head_tensors()
    for name, value in apply_edits(values, done.edits).items():
        np.testing.assert_array_equal(names[name].numpy(), value)
    mask = next(e for e in done.edits if isinstance(e, AddSigned))
    signs = np.where(mask.mask, -1, 1).astype("float32")
    np.testing.assert_allclose(
        names[mask.target].numpy(),
        values[mask.target] + np.float32(mask.scale) * signs,
        rtol=1e-6,
    )


def test_no_steps_only_measure(small_world, from_the_base, small_batches):
    base, tuned, edits = from_the_base
    done = distill.distill(
        base, tuned, edits, records=_records(small_world), steps=0
    )
    assert done.after is None and not done.helped
    assert done.edits == tuple(edits)
    assert done.before.total > 0.01


def test_nothing_is_trained_where_only_heads_ship(
    small_world, from_the_base, small_batches
):
    base, tuned, edits = from_the_base
    heads = [edit for edit in edits if isinstance(edit, Replace)]
    done = distill.distill(
        base, tuned, heads, records=_records(small_world), steps=5
    )
    assert (done.steps, done.after, done.edits) == (0, None, tuple(heads))


def test_what_does_not_help_does_not_ship(
    small_world, from_the_base, small_batches, monkeypatch
):
    base, tuned, edits = from_the_base
    worse = tuple(edit for edit in edits if not isinstance(edit, ScaleOffset))
    monkeypatch.setattr(distill, "_train", lambda *unused: worse)
    done = distill.distill(
        base, tuned, edits, records=_records(small_world), steps=3
    )
    assert done.after.total > done.before.total
    assert done.edits == tuple(edits) and not done.helped


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_outputs_that_are_not_finite_are_refused(loss):
    with pytest.raises(
        ValueError,
        match=rf"Received: a difference of {loss} at step 7; without `--dist",
    ):
        distill._refuse_divergence(loss, 7)


def test_a_scale_that_comes_to_nothing_is_left_out():
    kernel = tf.Variable(np.ones((1, 1, 2, 2), np.float32))
    edit = AddSigned("fpn/c/kernel", np.zeros((1, 1, 2, 2), bool), 0.5)
    moved = distill._Moved(kernel, np.full((1, 1, 2, 2), 0.5), ())
    moved.amount.assign(-1.0)
    assert distill._read(edit, {"fpn/c/kernel": moved}) is None
    moved.amount.assign(-3.0)
    assert distill._read(edit, {"fpn/c/kernel": moved}).scale == -1.0


def test_the_gradient_of_a_scale_is_that_of_its_kernel_along_the_signs():
    kernel = tf.Variable(np.zeros((1, 1, 2, 2), np.float32))
    step = np.array([[[[1.0, -1.0], [-1.0, 1.0]]]], np.float32)
    moved = distill._Moved(kernel, step, ())
    weights = np.array([[[[3.0, 5.0], [7.0, 11.0]]]], np.float32)
    assert float(moved.gradient(tf.constant(weights))) == 3 - 5 - 7 + 11
    moved.amount.assign(2.0)
    moved.write()
    np.testing.assert_array_equal(kernel.numpy(), 2 * step)


@pytest.mark.slow
def test_by_diff_in_one_graph(small_world, base_dir, tuned_dir):
    done = diff.diff(
        base_dir,
        tuned_dir,
        base_config=small_world.base_config,
        distill_records=_records(small_world),
        distill_steps=60,
    )
    distilled = done.distilled
    assert distilled.after.total < 0.75 * distilled.before.total
    assert done.patch.edits == distilled.edits
    assert done.patch.metadata["diff"]["distill_steps"] == 60
