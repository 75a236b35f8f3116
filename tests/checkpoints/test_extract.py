"""Training checkpoint -> patch: all that ships, from the right checkpoint."""

import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import cli
from object_detection_patch import hosts as hosts_lib
from object_detection_patch.checkpoints import extract
from object_detection_patch.methods import OtherPatchError
from object_detection_patch.od_api import host_layers
from object_detection_patch.patch_file import AddSigned, read_patch
from tests.distinct_presets import DISTINCT_PRESETS, typical_first


def _base_tensors(small_world):
    """Stable name -> array of the base, read without any patch code."""
    model = small_world.unpatched_model()
    status = tf.train.Checkpoint(model=model).restore(
        small_world.base_checkpoint
    )
    status.assert_existing_objects_matched().expect_partial()
    hosts = host_layers.find_ssd_hosts(model)
    return {name: v.numpy() for name, v in hosts.base_tensors().items()}


@pytest.mark.parametrize("preset", typical_first(DISTINCT_PRESETS))
def test_what_every_patch_holds(small_world, checkpoint_of, preset):
    config, model_dir = checkpoint_of(preset)
    patch = extract.extract(config, model_dir).patch
    base = _base_tensors(small_world)
    assert patch.method == preset
    if preset != "FINE_TUNING":
        assert patch.base_fingerprint == hosts_lib.fingerprint(base)
    files = small_world.files["stripes"]
    assert [item.id for item in patch.label_map] == list(
        range(1, files.num_classes + 1)
    )
    text = files.label_map.read_text()
    assert [item.name for item in patch.label_map] == re.findall(
        r"^\s*name: ['\"](.*)['\"]", text, flags=re.MULTILINE
    )
    training = patch.metadata["training"]
    assert (training["steps"], training["planned_steps"]) == (4, 4)
    assert training["batch_size"] == 2
    assert training["image_size"] == [96, 96]
    targets = [edit.target for edit in patch.edits]
    assert len(set(targets)) == len(targets)
    heads = [t for t in targets if t.startswith(("box_head/", "class_head/"))]
    assert len(heads) == 6


def test_closed_gates_do_not_ship(checkpoint_of):
    config, model_dir = checkpoint_of("SPOTPATCH")
    trained = extract.extract(config, model_dir)
    reader = tf.train.load_checkpoint(model_dir)
    latents = {
        key: reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if "latent_gate" in key
    }
    opened = sum(value > 0 for value in latents.values())
    assert 0 < opened < len(latents) == 71
    masks = [e for e in trained.patch.edits if isinstance(e, AddSigned)]
    assert len(masks) == opened
    assert f"{opened} of 71 gates are open." in extract.report(
        trained, model_dir + "/checkpoint"
    )


def test_binary_reads_what_the_loop_trained(trained, tmp_path, capsys):
    config, model_dir = trained
    output = tmp_path / "task.patch"
    arguments = [
        "extract",
        f"--pipeline_config_path={config}",
        f"--checkpoint_dir={model_dir}",
        f"--output={output}",
    ]
    assert cli.main(arguments) == 0
    printed = capsys.readouterr().out
    assert (
        f"{output}: {output.stat().st_size:,} bytes, SPOTPATCH for" in printed
    )
    assert "(step 4)" in printed
    patch = read_patch(str(output))
    reader = tf.train.load_checkpoint(model_dir)
    stored = reader.get_tensor(
        "model/patch/fingerprint_bytes/.ATTRIBUTES/VARIABLE_VALUE"
    )
    assert patch.base_fingerprint == bytes(stored.astype("uint8")).hex()
    # Masks are the signs of the newest latents.
    latents = {
        key.split("/.ATT")[0]: reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if "/latent_mask/" in key and ".OPTIMIZER" not in key
    }
    masks = [edit for edit in patch.edits if isinstance(edit, AddSigned)]
    assert len(masks) == 71
    for edit in masks:
        (latent,) = [
            value
            for key, value in latents.items()
            if key.replace(".S", "/").endswith(f"/{edit.target}/latent_mask")
        ]
        same = np.array_equal(edit.mask, latent > 0)
        complement = np.array_equal(edit.mask, latent <= 0)
        assert same or complement


def test_an_older_checkpoint_by_its_prefix(trained):
    config, model_dir = trained
    older = extract.extract(config, f"{model_dir}/ckpt-2")
    assert older.patch.metadata["training"]["steps"] == 2
    assert older.checkpoint_path == f"{model_dir}/ckpt-2"
    assert (
        "Note: the config plans 4 steps; this checkpoint is of step 2"
        in extract.report(older, older.checkpoint_path + ".index")
    )


class TestRefusals:
    def test_untrained(self, trained):
        config, model_dir = trained
        with pytest.raises(
            ValueError,
            match=r"from a trained checkpoint\. Received: '.*ckpt-1', saved "
            "before the first step",
        ):
            extract.extract(config, f"{model_dir}/ckpt-1")

    def test_before_the_grid_begins(self, small_world, tmp_path):
        config = small_world.config(
            "stripes",
            "COMPACT",
            name="_late",
            patch_options="  grid { begin_step: 3 }\n",
        )
        model = small_world.patched_model(config, is_training=True)
        step = tf.Variable(1, dtype=tf.int64)
        checkpoint = tf.train.Checkpoint(model=model, step=step)
        paths = []
        for done in (1, 2):
            model.patch.follow(step)
            step.assign(done + 1)
            paths.append(checkpoint.save(str(tmp_path / "ckpt")))

        with pytest.raises(ValueError, match=r"begin_step.*ckpt-1', saved be"):
            extract.extract(config, paths[0])
        assert extract.extract(config, paths[1]).patch.method == "COMPACT"

    def test_no_checkpoint(self, trained, tmp_path):
        with pytest.raises(ValueError, match="which holds no checkpoint"):
            extract.extract(trained[0], str(tmp_path))

    @pytest.mark.parametrize("preset", ["WEIGHTTRANS", "PIGGYBACK"])
    def test_another_method(self, small_world, trained, preset):
        config = small_world.config("stripes", preset, name="_other")
        with pytest.raises(
            ValueError,
            match="must hold every variable of the model that pipeline.config "
            "describes, patch included|must agree on the parts of the patch",
        ):
            extract.extract(config, trained[1])

    def test_a_checkpoint_of_more_than_the_config(self, small_world, trained):
        """SPOTPATCH's checkpoint holds all that BN_PATCH asks for."""
        config = small_world.config("stripes", "BN_PATCH", name="_less")
        with pytest.raises(
            OtherPatchError,
            match="Received: `binary_mask` \\+ `batch_norm` in '.*', but "
            "`batch_norm` in pipeline.config",
        ):
            extract.extract(config, trained[1])

    def test_equal_variables_of_another_method(
        self, small_world, checkpoint_of
    ):
        """BN_DW_PATCH trains depthwise kernels and adds no variable."""
        _, model_dir = checkpoint_of("BN_DW_PATCH")
        config = small_world.config("stripes", "BN_PATCH", name="_fewer")
        with pytest.raises(
            OtherPatchError, match="`batch_norm` \\+ `depthwise` in "
        ):
            extract.extract(config, model_dir)

    def test_other_classes(self, small_world, trained, tmp_path):
        text = pathlib.Path(
            small_world.config("digits", "SPOTPATCH")
        ).read_text()
        config = tmp_path / "digits.config"
        config.write_text(text)
        with pytest.raises(ValueError, match="A training checkpoint must hold"):
            extract.extract(str(config), trained[1])

    def test_a_stock_checkpoint(self, small_world, trained, base_dir):
        with pytest.raises(ValueError, match="must hold every variable"):
            extract.extract(trained[0], base_dir)

    def test_a_config_without_a_patch(self, small_world, trained):
        with pytest.raises(ValueError, match="needs a config with a patch"):
            extract.extract(small_world.base_config, trained[1])

    def test_a_label_map_of_other_size(self, small_world, trained, tmp_path):
        wrong = tmp_path / "wrong.config"
        wrong.write_text(
            pathlib.Path(trained[0])
            .read_text()
            .replace(
                str(small_world.files["stripes"].label_map),
                str(small_world.files["digits"].label_map),
            )
        )
        with pytest.raises(
            ValueError, match=r"classes \d+, but id \d+ in .*digits_label_map"
        ):
            extract.extract(str(wrong), trained[1])

    def test_by_the_binary_writes_nothing(self, trained, tmp_path, capsys):
        output = tmp_path / "task.patch"
        arguments = [
            "extract",
            f"--pipeline_config_path={trained[0]}",
            f"--checkpoint_dir={tmp_path}",
            f"--output={output}",
        ]
        assert cli.main(arguments) == 2
        assert capsys.readouterr().err.startswith("od-patch: A checkpoint must")
        assert not output.exists()
