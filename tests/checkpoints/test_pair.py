"""Two checkpoints to compare: found, and refused when they do not pair."""

import os
import pathlib
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.checkpoints import pair
from object_detection_patch.od_api import host_layers


def _copy(base_dir, folder):
    shutil.copytree(base_dir, folder)
    return str(folder)


@pytest.fixture(scope="module")
def stored_model(small_world):
    """The stock model with the base's values, to change and save."""
    model = small_world.unpatched_model()
    status = tf.train.Checkpoint(model=model).restore(
        small_world.base_checkpoint
    )
    status.assert_existing_objects_matched().expect_partial()
    return model


def _saved_with_mean(model, value, folder):
    """A checkpoint in which one moving mean has another first number."""
    mean = next(v for v in model.variables if "moving_mean" in v.name)
    before = mean.numpy()
    mean.assign(np.concatenate([[value], before[1:]]))
    path = tf.train.Checkpoint(model=model).save(str(folder / "ckpt"))
    mean.assign(before)
    return path


@pytest.fixture(scope="module")
def base(small_world, base_dir):
    return pair.find("base", base_dir, small_world.base_config)


class TestFind:
    def test_newest_of_a_directory_or_a_prefix(self, small_world, base_dir):
        for given in (base_dir, small_world.base_checkpoint):
            found = pair.find("base", given, small_world.base_config)
            assert found.checkpoint == small_world.base_checkpoint
            assert found.config == small_world.base_config
            assert found.pipeline.model.ssd.num_classes > 0

    @pytest.mark.parametrize("place", ["", ".."])
    def test_config_beside_or_above(
        self, small_world, base_dir, tmp_path, place
    ):
        folder = _copy(base_dir, tmp_path / "run" / "train")
        config = os.path.normpath(f"{folder}/{place}/pipeline.config")
        shutil.copy(small_world.base_config, config)
        assert pair.find("tuned", folder, None).config == config

    def test_config_beside_a_prefix_without_a_folder(
        self, small_world, base_dir, tmp_path, monkeypatch
    ):
        folder = _copy(base_dir, tmp_path / "train")
        shutil.copy(small_world.base_config, f"{folder}/pipeline.config")
        monkeypatch.chdir(folder)
        found = pair.find("tuned", "ckpt-1", None)
        assert found.config == f"{folder}/pipeline.config"

    @pytest.mark.parametrize("role", ["base", "tuned"])
    def test_no_config_names_the_flag(self, base_dir, tmp_path, role):
        folder = _copy(base_dir, tmp_path / "run" / "train")
        with pytest.raises(
            ValueError,
            match=rf"`--{role}_config` names another place\. Received: "
            r"'.*/train/ckpt-1', but there is neither .*train/pipeline.config "
            r"nor .*run/pipeline.config\.",
        ):
            pair.find(role, folder, None)

    def test_a_config_that_is_no_file(self, base_dir, tmp_path):
        with pytest.raises(
            ValueError, match=r"`--tuned_config` must name a .* is no file\."
        ):
            pair.find("tuned", base_dir, str(tmp_path))

    def test_no_checkpoint(self, tmp_path):
        with pytest.raises(
            ValueError, match="`--tuned_checkpoint` must be.*holds no checkpoin"
        ):
            pair.find("tuned", str(tmp_path), None)

    def test_a_name_based_checkpoint(self, small_world, tmp_path):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            variable = tf.compat.v1.get_variable("v", [2])
            session.run(variable.initializer)
            path = tf.compat.v1.train.Saver().save(
                session, str(tmp_path / "model.ckpt")
            )
        with pytest.raises(
            ValueError, match="`--base_checkpoint` must be.*is name-based"
        ):
            pair.find("base", path, small_world.base_config)

    def test_a_checkpoint_of_a_patchs_training(self, checkpoint_of):
        config, model_dir = checkpoint_of("BN_PATCH")
        with pytest.raises(
            ValueError,
            match=r"`--tuned_checkpoint` must be an ordinary.*saved while a "
            "patch was trained; `od-patch extract`",
        ):
            pair.find("tuned", model_dir, config)

    def test_a_config_with_a_patch(self, small_world, base_dir):
        config = small_world.config("stripes", "BN_PATCH", name="_of_patch")
        with pytest.raises(ValueError, match="both have a patch, or neither"):
            pair.find("tuned", base_dir, config)


class TestRefuseUnlike:
    def _other(self, small_world, tmp_path, old, new):
        text = pathlib.Path(small_world.base_config).read_text()
        assert old in text
        config = tmp_path / "other.config"
        config.write_text(text.replace(old, new))
        return pair.find("tuned", small_world.base_checkpoint, str(config))

    def test_another_architecture(self, small_world, base, tmp_path):
        tuned = self._other(small_world, tmp_path, "width: 96", "width: 128")
        with pytest.raises(
            ValueError,
            match=r"`--tuned_config` must describe one detector.*"
            r"other.config with another image_resizer \(model.ssd\)",
        ):
            pair.refuse_unlike(base, tuned)

    def test_the_same_values(self, small_world, base, tmp_path):
        """What only training reads may differ, and changes nothing."""
        tuned = self._other(
            small_world, tmp_path, "weight: 0.00004", "weight: 0.1"
        )
        with pytest.raises(
            ValueError,
            match="`--tuned_checkpoint` must differ from `--base_checkpoint`",
        ):
            pair.refuse_unlike(base, tuned)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    @pytest.mark.parametrize("role", ["base", "tuned"])
    def test_not_finite(
        self, small_world, base, stored_model, tmp_path, role, bad
    ):
        path = _saved_with_mean(stored_model, bad, tmp_path)
        spoilt = pair.find(role, path, small_world.base_config)
        both = (spoilt, base) if role == "base" else (base, spoilt)
        with pytest.raises(
            ValueError,
            match=rf"`--{role}_checkpoint` must hold finite numbers\. Received"
            rf": '{re.escape(path)}' with NaN or Inf in model/.*moving_mean",
        ):
            pair.refuse_unlike(*both)

    def test_one_number_is_difference_enough(
        self, small_world, base, stored_model, tmp_path
    ):
        path = _saved_with_mean(stored_model, 0.5, tmp_path)
        tuned = pair.find("tuned", path, small_world.base_config)
        pair.refuse_unlike(base, tuned)

    def test_an_optimizer_is_no_part_of_the_model(
        self, small_world, base, stored_model, tmp_path
    ):
        """Neither its numbers nor that it is there makes a difference."""
        path = tf.train.Checkpoint(
            model=stored_model,
            optimizer=tf.train.Checkpoint(m=tf.Variable(np.nan)),
        ).save(str(tmp_path / "ckpt"))
        tuned = pair.find("tuned", path, small_world.base_config)
        with pytest.raises(ValueError, match="there is nothing to ship"):
            pair.refuse_unlike(base, tuned)


def test_reads_every_value(base, stored_model):
    detector = pair.read(base, base.pipeline.model)
    hosts = host_layers.find_ssd_hosts(stored_model)
    tensors = detector.base_tensors()
    assert tensors.keys() == hosts.base_tensors().keys()
    for name, variable in hosts.base_tensors().items():
        np.testing.assert_array_equal(tensors[name], variable.numpy())


def test_refuses_a_checkpoint_that_lacks_variables(
    small_world, base, stored_model, tmp_path
):
    part = tf.train.Checkpoint(
        _feature_extractor=stored_model.feature_extractor
    )
    path = tf.train.Checkpoint(model=part).save(str(tmp_path / "ckpt"))
    source = pair.find("base", path, small_world.base_config)
    with pytest.raises(
        ValueError,
        match=r"`--base_checkpoint` must hold every variable of the "
        r"detector that .*\(`--base_config`\) describes\..*which lacks "
        r"\d+ of \d+: tower/",
    ):
        pair.read(source, base.pipeline.model)


def test_refuses_tuned_heads_of_other_classes(small_world, base_dir):
    config = small_world.config("stripes", None)
    source = pair.find("tuned", base_dir, config)
    with pytest.raises(
        ValueError,
        match="`--tuned_checkpoint` must hold.*or another number of classes",
    ):
        pair.read(source, source.pipeline.model)
