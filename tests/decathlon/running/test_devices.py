"""What a training is distributed over, by what the machine has."""

from __future__ import annotations

import contextlib
import types

import pytest
import tensorflow as tf

from object_detection_patch.decathlon.running.devices import strategy_scope


@pytest.mark.parametrize(("gpus", "mirrored"), [(0, 0), (1, 0), (2, 1), (8, 1)])
def test_several_gpus_train_together(monkeypatch, gpus, mirrored):
    made = []

    def strategy():
        made.append("mirrored")
        return types.SimpleNamespace(scope=lambda: contextlib.nullcontext("M"))

    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind: ["GPU"] * gpus
    )
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", strategy)
    with strategy_scope(None) as scope:
        assert scope == ("M" if mirrored else None)
    assert len(made) == mirrored


def test_a_tpu_is_connected_to_by_its_name(monkeypatch):
    calls = []

    def note(name, result=None):
        return lambda value: calls.append((name, value)) or result or value

    strategy = types.SimpleNamespace(scope=lambda: contextlib.nullcontext("T"))
    resolver = note("resolver", "found")
    monkeypatch.setattr(
        tf.distribute.cluster_resolver, "TPUClusterResolver", resolver
    )
    monkeypatch.setattr(
        tf.config, "experimental_connect_to_cluster", note("connect")
    )
    monkeypatch.setattr(
        tf.tpu.experimental, "initialize_tpu_system", note("initialise")
    )
    monkeypatch.setattr(tf.distribute, "TPUStrategy", note("use", strategy))

    with strategy_scope("local") as scope:
        assert scope == "T"
    assert calls == [
        ("resolver", "local"),
        ("connect", "found"),
        ("initialise", "found"),
        ("use", "found"),
    ]
