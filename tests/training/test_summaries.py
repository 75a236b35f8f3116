"""The numbers that TensorBoard shows, against the paper's arithmetic."""

import pytest
import tensorflow as tf

from object_detection_patch.training import cost, summaries


class _Recorded(dict):
    """Takes the place of tf.summary.scalar."""

    def __call__(self, name, value, *, step):
        self[name] = (float(value), step)


@pytest.fixture
def recorded(monkeypatch):
    found = _Recorded()
    monkeypatch.setattr(tf.summary, "scalar", found)
    return found


def test_share_and_footprint_of_the_open_gates(small_world, recorded):
    model = small_world.patched_model(small_world.config("shapes", "SPOTPATCH"))
    writer = summaries.PatchStateWriter()
    writer.prepare(model.patch)
    hosts = model.patch.hosts
    opened = [host for index, host in enumerate(hosts.kernels) if index % 3]
    for host in hosts.kernels:
        latent = 1.0 if host in opened else -1.0
        model.patch.host_patches[host.name].latent_gate.assign(latent)
    writer(model, 5)
    base = cost.base_size(hosts)
    # Masks at one bit, one float a gate, BatchNorm, box head and what counts
    # of the class head at 32 bits.
    bits = sum(host.size + 32 for host in opened) + 32 * (
        base.batch_norm + base.box_head + base.class_head_counted
    )
    share, step = recorded["patch/patched_layers_percent"]
    assert step == 5
    assert share == pytest.approx(100 * len(opened) / 71)
    footprint, _ = recorded["patch/nominal_footprint_percent"]
    assert footprint == pytest.approx(100 * bits / (32 * base.total), rel=1e-5)


def test_silent_without_gates_or_preparation(small_world, recorded):
    plain = small_world.patched_model(small_world.config("shapes", "BN_PATCH"))
    writer = summaries.PatchStateWriter()
    writer.prepare(plain.patch)
    writer(plain, 1)
    gated = small_world.patched_model(small_world.config("shapes", "SPOTPATCH"))
    summaries.PatchStateWriter()(gated, 1)
    assert recorded == {}
