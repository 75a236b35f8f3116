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
from object_detection_patch.methods.binary_mask import BinaryMaskKernel
from object_detection_patch.od_api import host_layers, pipeline_config
from object_detection_patch.patch_file import (
    COMPACT,
    AddSigned,
    read_patch,
    to_bytes,
)
from object_detection_patch.training import file_plan
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


@pytest.mark.parametrize(
    ("preset", "options", "usual"),
    [
        ("COMPACT", "", "compact"),
        # It would round heads that are on no grid.
        ("COMPACT", "  grid { head_bits: 0 }\n", "exact"),
        ("SPOTPATCH", "", "exact"),
    ],
)
def test_numbers_of_a_grid_are_stored_on_it(
    checkpoint_of, tmp_path, preset, options, usual
):
    run = checkpoint_of(preset, options)
    written = {}
    for encoding in (None, usual, "half"):
        output = tmp_path / f"{encoding}.patch"
        asked = [f"--encoding={encoding}"] if encoding else []
        assert _extracted(run, output, *asked) == 0
        written[encoding] = output.read_bytes()
    assert written[None] == written[usual] != written["half"]


def test_an_older_checkpoint_by_its_prefix(trained):
    config, model_dir = trained
    older = extract.extract(config, f"{model_dir}/ckpt-2")
    assert older.patch.metadata["training"]["steps"] == 2
    assert older.checkpoint_path == f"{model_dir}/ckpt-2"
    assert (
        "Note: the config plans 4 steps; this checkpoint is of step 2"
        in extract.report(older, older.checkpoint_path + ".index")
    )


def _target(small_world, share):
    """A target with room for this share of all masks' bytes."""
    config = small_world.config(
        "stripes",
        "COMPACT",
        name="_wide",
        patch_options="  target_file_bytes: 1000000\n",
    )
    model = small_world.patched_model(config)
    file_plan.plan(model, pipeline_config.read_pipeline(config))
    plan = model.patch.budget.plan
    return plan.fixed + int(share * plan.costs.sum())


def _bounded(small_world, name, options=""):
    """Config with a target, and its model with latents of any order."""
    target = _target(small_world, 0.3)
    config = small_world.config(
        "stripes",
        "COMPACT",
        name=name,
        patch_options=f"  target_file_bytes: {target} {options}\n",
    )
    model = small_world.patched_model(config, is_training=True)
    file_plan.plan(model, pipeline_config.read_pipeline(config))
    random = np.random.default_rng(6)
    for patch in model.patch.host_patches.values():
        if isinstance(patch, BinaryMaskKernel):
            patch.latent_gate.assign(random.uniform(-0.2, 1.0))
    return config, model


@pytest.fixture(scope="module")
def bounded_run(small_world, train_steps, tmp_path_factory):
    """Config, model directory and target of a training of the OD API's loop."""
    target = _target(small_world, 0.3)
    config = small_world.config(
        "stripes",
        "COMPACT",
        name="_bounded",
        patch_options=f"  target_file_bytes: {target}\n",
    )
    model_dir = str(tmp_path_factory.mktemp("bounded") / "train")
    tf.config.run_functions_eagerly(True)
    try:
        train_steps(config, model_dir, steps=4, record_summaries=True)
    finally:
        tf.config.run_functions_eagerly(False)
    return config, model_dir, target


def _extracted(run, output, *options):
    return cli.main(
        [
            "extract",
            f"--pipeline_config_path={run[0]}",
            f"--checkpoint_dir={run[1]}",
            f"--output={output}",
            *options,
        ]
    )


def test_the_binary_keeps_the_target(bounded_run, tmp_path, capsys):
    output = tmp_path / "task.patch"
    target = bounded_run[2]
    assert _extracted(bounded_run, output) == 0
    size = output.stat().st_size

    # As close as masks of whole kernels and noise in the rest allow.
    assert 0.9 * target < size <= target
    printed = capsys.readouterr().out
    assert f"{size:,} bytes of at most {target:,}, COMPACT for" in printed
    found = read_patch(str(output))
    masks = [edit for edit in found.edits if isinstance(edit, AddSigned)]
    assert 0 < len(masks) < 71
    assert f"{len(masks)} of 71 gates are open." in printed


def test_the_binary_refuses_numbers_that_take_more(
    bounded_run, tmp_path, capsys
):
    output = tmp_path / "task.patch"
    assert _extracted(bounded_run, output, "--encoding=exact") == 2
    assert "leave out `--encoding`" in capsys.readouterr().err
    assert not output.exists()


def test_the_loop_shows_the_bytes_of_the_open_gates(bounded_run):
    from tensorflow.core.util import event_pb2

    (path,) = pathlib.Path(bounded_run[1]).glob("**/events.out.tfevents.*")
    found = {}
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        event = event_pb2.Event.FromString(record)
        for value in event.summary.value:
            if value.tag == "patch/most_file_bytes":
                found[event.step] = float(tf.make_ndarray(value.tensor))

    assert len(found) == 4
    assert min(found.values()) > 0.9 * bounded_run[2]
    # Three quarters of four steps; two thirds of those close nothing.
    assert min(found[0], found[1]) > bounded_run[2] >= max(found[2], found[3])
    assert found[0] == found[1]


def test_a_resumed_training_chooses_the_same_gates(small_world, tmp_path):
    steps = "target_begin_step: 1 target_step: 6"
    _, straight = _bounded(small_world, "_straight", steps)
    _, resumed = _bounded(small_world, "_straight", steps)
    for step in range(3):
        straight.patch.follow(step)
    path = tf.train.Checkpoint(model=straight).save(str(tmp_path / "ckpt"))
    middle = straight.patch.budget.allowed.numpy()
    assert not middle.all()
    tf.train.Checkpoint(model=resumed).restore(path).expect_partial()

    np.testing.assert_array_equal(resumed.patch.budget.allowed, middle)
    assert straight.patch.gates() == resumed.patch.gates()
    for step in range(3, 7):
        for model in (straight, resumed):
            model.patch.follow(step)
        np.testing.assert_array_equal(
            resumed.patch.budget.allowed, straight.patch.budget.allowed
        )
    budget = straight.patch.budget
    last = budget.allowed.numpy()
    assert np.dot(last, budget.plan.costs) <= budget.plan.capacity
    assert np.dot(middle, budget.plan.costs) > budget.plan.capacity


class TestRefusals:
    def test_untrained(self, trained):
        config, model_dir = trained
        with pytest.raises(
            ValueError,
            match=r"from a trained checkpoint\. Received: '.*ckpt-1', saved "
            "before the first step",
        ):
            extract.extract(config, f"{model_dir}/ckpt-1")

    @pytest.mark.parametrize("damaged", ["data-00000-of-00001", "index"])
    def test_a_checkpoint_cut_short(self, trained, tmp_path, damaged):
        config, model_dir = trained
        last = tf.train.latest_checkpoint(model_dir)
        for end in ("data-00000-of-00001", "index"):
            content = pathlib.Path(f"{last}.{end}").read_bytes()
            if end == damaged:
                content = content[: len(content) // 2]
            (tmp_path / f"cut-1.{end}").write_bytes(content)

        with pytest.raises(ValueError, match=r"must be whole.*cut-1': "):
            extract.extract(config, str(tmp_path / "cut-1"))

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

    def test_before_the_target_is_kept(self, small_world, tmp_path):
        config, model = _bounded(small_world, "_early", "target_step: 3")
        step = tf.Variable(0, dtype=tf.int64)
        checkpoint = tf.train.Checkpoint(model=model, step=step)
        paths = []
        for done in (1, 2, 3):
            model.patch.follow(step)
            step.assign(done)
            paths.append(checkpoint.save(str(tmp_path / "ckpt")))
        target = model.patch.budget.target.file_bytes

        with pytest.raises(
            ValueError, match=rf"`target_step`.* {target:,} .*ckpt-1', which"
        ):
            extract.extract(config, paths[0])
        found = extract.extract(config, paths[2]).patch
        assert len(to_bytes(found, encoding=COMPACT)) <= target

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
