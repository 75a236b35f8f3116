"""Configs of runs, how often is saved, and what is looked at before."""

from __future__ import annotations

import pathlib

import hypothesis
import pytest
from hypothesis import strategies as st

from object_detection_patch.decathlon.running import training
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.suite import mini, paper, runs
from object_detection_patch.decathlon.suite.suite import Method, Schedule
from object_detection_patch.od_api import pipeline_config
from tests.decathlon.suite.suites_to_test import USUAL, base, suite, task


@pytest.mark.parametrize(
    ("steps", "every"),
    [
        *((1, 1), (4, 4), (99, 99), (300, 300), (1000, 1000), (1500, 750)),
        *((4000, 1000), (26_000, 1000), (100_000, 1000), (2002, 286)),
        # Primes, and a prime's double.
        *((997, 997), (1009, 1009), (10_007, 10_007), (20_014, 10_007)),
    ],
)
def test_checkpoints_are_saved_at_most_as_often_as_worth_it(steps, every):
    assert training._checkpoint_every(steps) == every


@hypothesis.given(st.integers(1, 20_000))
def test_the_last_step_is_always_saved(steps):
    every = training._checkpoint_every(steps)

    assert steps % every == 0
    assert every >= min(steps, 100)


def test_suites_of_ours_can_be_resumed():
    for one in (mini.suite(), paper.suite()):
        for known in (one.source, *one.tasks):
            steps = known.schedule.steps
            assert training._checkpoint_every(steps) <= 1000


@pytest.fixture
def birds(small_world, tmp_path):
    """A task of the small world, and a folder with a base for it."""
    files = small_world.files["stripes"]
    folder = open_folder(tmp_path / "out")
    checkpoint = folder.checkpoint("source")
    checkpoint.mkdir(parents=True)
    text = pathlib.Path(small_world.base_config).read_text(encoding="utf-8")
    (checkpoint / "pipeline.config").write_text(text, encoding="utf-8")
    for name in ("index", "data-00000-of-00001"):
        (checkpoint / f"ckpt-1.{name}").symlink_to(
            f"{small_world.base_checkpoint}.{name}"
        )
    (checkpoint / "checkpoint").write_text(
        'model_checkpoint_path: "ckpt-1"\n', encoding="utf-8"
    )
    return folder, task(
        "birds",
        train_records=str(files.train),
        eval_records=str(files.eval),
        label_map=str(files.label_map),
        schedule=Schedule(steps=6, batch_size=3),
        flip=False,
    )


def _config(birds):
    folder, known = birds
    run = runs.Run(
        "main",
        "SPOTPATCH",
        known,
        1,
        "source",
        Method(rate=0.025, options=USUAL),
    )
    path = str(folder.run_work(run) / "pipeline.config")
    training.write_run_config(folder, run, path)
    return path


def test_a_runs_config_says_what_the_suite_says(birds):
    folder, known = birds
    pipeline = pipeline_config.read_pipeline(_config(birds))

    train = pipeline.train_config
    assert (train.num_steps, train.batch_size) == (6, 3)
    rate = train.optimizer.adam_optimizer.learning_rate
    assert rate.cosine_decay_learning_rate.learning_rate_base == (
        pytest.approx(0.025)
    )
    assert train.fine_tune_checkpoint == str(
        folder.checkpoint("source") / "ckpt-1"
    )
    augmentations = [
        option.WhichOneof("preprocessing_step")
        for option in train.data_augmentation_options
    ]
    assert "random_horizontal_flip" not in augmentations
    for reader, records in (
        (pipeline.train_input_reader, known.train_records),
        (pipeline.eval_input_reader[0], known.eval_records),
    ):
        assert reader.label_map_path == known.label_map
        assert reader.tf_record_input_reader.input_path == [records]
    patch = pipeline_config.patch_of(pipeline)
    assert patch.part[0].binary_mask.lambda_sps == pytest.approx(3e-3)


def test_a_bases_config_has_its_own_schedule(birds, tmp_path):
    folder, known = birds
    path = str(tmp_path / "base.config")
    training.write_base_config(
        folder, suite(), base("b", "birds"), known, "/share.record", path
    )
    pipeline = pipeline_config.read_pipeline(path)

    train = pipeline.train_config
    assert (train.num_steps, train.batch_size) == (4, 2)
    assert pipeline_config.patch_of(pipeline) is None
    reader = pipeline.train_input_reader.tf_record_input_reader
    assert reader.input_path == ["/share.record"]


def test_records_are_looked_at_before_anything_is_trained(
    birds, small_world, tmp_path, monkeypatch
):
    from object_detection import model_lib_v2

    def train_loop(**_):
        raise AssertionError("it has been trained")

    monkeypatch.setattr(model_lib_v2, "train_loop", train_loop)
    config = _config(birds)
    with pytest.raises(AssertionError, match="it has been trained"):
        training.train(config, str(tmp_path / "train"), seed=1)

    # Evaluated at the end alone, they would spoil a whole training.
    written = pathlib.Path(config)
    text = written.read_text(encoding="utf-8")
    digits = str(small_world.files["digits"].eval)
    written.write_text(text.replace(birds[1].eval_records, digits), "utf-8")
    with pytest.raises(ValueError, match="must stand in the label map"):
        training.train(config, str(tmp_path / "train"), seed=1)
