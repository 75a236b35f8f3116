"""What the loop looks up is replaced for a while, and put back."""

import types

import pytest
import tensorflow as tf

from object_detection_patch.od_api import compat, train_loop

compat.enable()
from object_detection import model_lib_v2  # noqa: E402


def test_restoring_with_gives_model_path_and_type():
    original = model_lib_v2.load_fine_tune_checkpoint
    seen = []
    with train_loop.restoring_with(lambda *given: seen.append(given)):
        model_lib_v2.load_fine_tune_checkpoint(
            "model", "path", "detection", "V2", object(), False
        )
        # Newer copies of the OD API pass more, by name.
        model_lib_v2.load_fine_tune_checkpoint(
            "model", "other", "full", "V2", input_dataset=[], new_argument=1
        )
    assert seen == [
        ("model", "path", "detection"),
        ("model", "other", "full"),
    ]
    assert model_lib_v2.load_fine_tune_checkpoint is original


def test_saving_config_asks_the_loop_for_it(monkeypatch):
    seen = []
    monkeypatch.setattr(
        model_lib_v2, "train_loop", lambda **given: seen.append(given)
    )
    with train_loop.saving_config():
        model_lib_v2.train_loop(model_dir="d")
        model_lib_v2.train_loop(model_dir="d", save_final_config=False)
    model_lib_v2.train_loop(model_dir="d")
    assert seen == [
        {"model_dir": "d", "save_final_config": True},
        {"model_dir": "d", "save_final_config": False},
        {"model_dir": "d"},
    ]


def test_missing_devices_are_refused_before_the_loop_waits(monkeypatch):
    seen = []
    monkeypatch.setattr(
        model_lib_v2, "train_loop", lambda **given: seen.append(given)
    )
    with train_loop.on_existing_devices():
        with tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
            model_lib_v2.train_loop(model_dir="d")
        missing = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:97"])
        with missing.scope():
            with pytest.raises(ValueError, match="must exist. .*:97"):
                model_lib_v2.train_loop(model_dir="d")
        model_lib_v2.train_loop(model_dir="no strategy")
    assert seen == [{"model_dir": "d"}, {"model_dir": "no strategy"}]


def test_config_is_saved_when_asked(monkeypatch):
    from object_detection.utils import config_util

    seen = []
    monkeypatch.setattr(
        config_util, "save_pipeline_config", lambda *given: seen.append(given)
    )
    monkeypatch.setattr(
        model_lib_v2,
        "train_loop",
        lambda **unused: config_util.save_pipeline_config("config", "dir"),
    )
    with train_loop.saving_config() as save:
        model_lib_v2.train_loop()
        assert seen == []
        save()
        save()
    assert seen == [("config", "dir")]
    with train_loop.saving_config():
        model_lib_v2.train_loop()
    assert len(seen) == 1
    config_util.save_pipeline_config("as before", "dir")
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("name", "context"),
    [
        (
            "load_fine_tune_checkpoint",
            lambda: train_loop.restoring_with(lambda *unused: None),
        ),
        ("train_loop", train_loop.saving_config),
        ("train_loop", train_loop.on_existing_devices),
    ],
)
def test_puts_back_after_an_error(name, context):
    original = getattr(model_lib_v2, name)
    with pytest.raises(RuntimeError, match="stop"):
        with context():
            assert getattr(model_lib_v2, name) is not original
            raise RuntimeError("stop")
    assert getattr(model_lib_v2, name) is original


_OPTIMIZER = """
  adam_optimizer {
    learning_rate { constant_learning_rate { learning_rate: 0.01 } }
  }
  use_moving_average: false
"""


def _traced_step(variable):
    """A training step of one variable, and how often it was traced."""
    from google.protobuf import text_format
    from object_detection.builders import optimizer_builder
    from object_detection.protos import optimizer_pb2

    optimizer, _ = optimizer_builder.build(
        text_format.Parse(_OPTIMIZER, optimizer_pb2.Optimizer()),
        global_step=tf.Variable(0, dtype=tf.int64),
    )
    traces = []

    @tf.function
    def step():
        traces.append(1)
        optimizer.apply_gradients([(2.0 * variable, variable)])

    return step, traces


def test_slots_made_early_spare_the_first_step_a_second_trace():
    values = {}
    for early in (False, True):
        variable = tf.Variable([1.0, -2.0])
        with train_loop.making_slots() as make_slots:
            step, traces = _traced_step(variable)
            if early:
                make_slots(
                    types.SimpleNamespace(trainable_variables=[variable])
                )
        step()
        step()
        assert len(traces) == (1 if early else 2)
        values[early] = variable.numpy()

    assert values[True].tolist() == values[False].tolist()


def test_slots_builder_is_put_back_after_an_error():
    from object_detection.builders import optimizer_builder

    original = optimizer_builder.build
    with pytest.raises(RuntimeError, match="stop"):
        with train_loop.making_slots():
            assert optimizer_builder.build is not original
            raise RuntimeError("stop")
    assert optimizer_builder.build is original
