"""Base + patch = the training's model, as an ordinary OD API checkpoint."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import cli
from object_detection_patch.checkpoints import extract, merge, ordinary
from object_detection_patch.od_api import (
    base_model,
    evaluation,
    label_map,
    pipeline_config,
)
from object_detection_patch.patch_file import (
    FingerprintError,
    PatchFileError,
    from_bytes,
    to_bytes,
)
from tests.distinct_presets import (
    DISTINCT_PRESETS,
    ROUTED_PRESETS,
    typical_first,
)


@pytest.fixture(scope="module")
def spotpatch(small_world, checkpoint_of, base_dir, tmp_path_factory):
    """(TrainedPatch, merged model, merged directory) of SPOTPATCH."""
    trained = extract.extract(*checkpoint_of("SPOTPATCH"))
    output = str(tmp_path_factory.mktemp("merge") / "merged")
    model = merge.merge(
        base_config=small_world.base_config,
        base_checkpoint=base_dir,
        patch=from_bytes(to_bytes(trained.patch)),
        output_dir=output,
    )
    return trained, model, output


def _stock_model(output_dir):
    """The merged checkpoint as the OD API alone reads it."""
    from object_detection.builders import model_builder

    pipeline = pipeline_config.read_pipeline(f"{output_dir}/pipeline.config")
    assert pipeline_config.patch_of(pipeline) is None
    model = model_builder.build(pipeline.model, is_training=False)
    base_model.force_build(model)
    status = tf.train.Checkpoint(model=model).restore(f"{output_dir}/ckpt-0")
    status.assert_existing_objects_matched().expect_partial()
    return model


@pytest.mark.parametrize(
    "preset",
    typical_first(
        [name for name in DISTINCT_PRESETS if name not in ROUTED_PRESETS]
    ),
)
def test_raw_outputs_are_the_training_checkpoints(
    small_world, checkpoint_of, base_dir, tmp_path, preset
):
    trained = extract.extract(*checkpoint_of(preset))
    merge.merge(
        base_config=small_world.base_config,
        base_checkpoint=base_dir,
        patch=from_bytes(to_bytes(trained.patch)),
        output_dir=str(tmp_path / "merged"),
    )
    expected = small_world.raw_outputs(trained.model)
    found = small_world.raw_outputs(_stock_model(tmp_path / "merged"))
    for key, value in expected.items():
        assert np.ptp(value) > 0.1, "a model that says something"
        # The random base amplifies the last bit of float32 some 15 times.
        largest = max(1.0, np.abs(value).max())
        np.testing.assert_allclose(
            found[key], value, rtol=0, atol=1e-5 * largest, err_msg=key
        )


def test_a_patch_that_routes_images_is_refused(
    small_world, checkpoint_of, base_dir, tmp_path
):
    trained = extract.extract(*checkpoint_of("ROUTED_SPOTPATCH"))
    with pytest.raises(PatchFileError, match="tuned/.*export-base --routing"):
        merge.merge(
            base_config=small_world.base_config,
            base_checkpoint=base_dir,
            patch=trained.patch,
            output_dir=str(tmp_path / "merged"),
        )
    assert not (tmp_path / "merged").exists()


def test_after_the_od_apis_loop_too(small_world, trained, base_dir, tmp_path):
    read = extract.extract(*trained)
    merge.merge(
        base_config=small_world.base_config,
        base_checkpoint=base_dir,
        patch=read.patch,
        output_dir=str(tmp_path / "merged"),
    )
    found = small_world.raw_outputs(_stock_model(tmp_path / "merged"))
    for key, value in small_world.raw_outputs(read.model).items():
        np.testing.assert_allclose(found[key], value, atol=1e-5, err_msg=key)


def test_detections_and_so_map_are_equal(small_world, spotpatch):
    trained, merged, _ = spotpatch
    files = small_world.files["stripes"]

    def detections(model):
        return list(
            evaluation.detect(
                model,
                [str(files.eval)],
                label_map_path=str(files.label_map),
                batch_size=4,
            )
        )

    for one, other in zip(
        detections(trained.model), detections(merged), strict=True
    ):
        assert one.source_id == other.source_id
        assert len(one.scores) > 10
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
        # Detections of about one score may stand in either order.
        apart = np.diff(one.scores, prepend=2, append=-2) < -1e-5
        alone = apart[:-1] & apart[1:]
        assert alone.sum() > 10
        np.testing.assert_allclose(
            one.boxes[alone], other.boxes[alone], atol=1e-4
        )
        np.testing.assert_array_equal(one.classes[alone], other.classes[alone])


def test_writes_an_ordinary_model_directory(small_world, spotpatch):
    _, _, output = spotpatch
    assert sorted(os.listdir(output)) == [
        "checkpoint",
        "ckpt-0.data-00000-of-00001",
        "ckpt-0.index",
        "label_map.pbtxt",
        "pipeline.config",
    ]
    text = pathlib.Path(output, "pipeline.config").read_text()
    assert "object_detection_patch" not in text
    assert tf.train.latest_checkpoint(output) == f"{output}/ckpt-0"
    stored = dict(tf.train.list_variables(f"{output}/ckpt-0"))
    base = dict(tf.train.list_variables(small_world.base_checkpoint))
    assert {k for k in base if k.startswith("model/")} == {
        k for k in stored if k.startswith("model/")
    }
    assert label_map.read_label_map(
        f"{output}/label_map.pbtxt"
    ) == label_map.read_label_map(str(small_world.files["stripes"].label_map))
    pipeline = pipeline_config.read_pipeline(f"{output}/pipeline.config")
    label_map_path = f"{output}/label_map.pbtxt"
    assert pipeline.train_input_reader.label_map_path == label_map_path
    assert pipeline.train_config.fine_tune_checkpoint == f"{output}/ckpt-0"
    assert pipeline.train_config.fine_tune_checkpoint_version == 2
    for reader in (pipeline.train_input_reader, pipeline.eval_input_reader[0]):
        records = list(reader.tf_record_input_reader.input_path)
        assert records == ["PATH_TO_RECORDS_OF_THIS_TASK"]
    assert os.stat(output).st_mode & 0o777 == 0o755


class TestRefusals:
    def _merge(self, small_world, patch, output, **changed):
        fields = {
            "base_config": small_world.base_config,
            "base_checkpoint": small_world.base_checkpoint,
        } | changed
        merge.merge(patch=patch, output_dir=str(output), **fields)

    def test_another_base_named_with_its_own_fingerprint(
        self, small_world, spotpatch, tmp_path
    ):
        other = small_world.unpatched_model()
        path = tf.train.Checkpoint(model=other).save(str(tmp_path / "b/ckpt"))
        patch = spotpatch[0].patch
        with pytest.raises(
            FingerprintError,
            match=rf"a patch for base {patch.base_fingerprint}, but "
            rf"'{re.escape(path)}' is base [0-9a-f]{{64}}\.",
        ) as caught:
            self._merge(
                small_world, patch, tmp_path / "out", base_checkpoint=path
            )
        assert str(caught.value).count(patch.base_fingerprint) == 1
        assert os.listdir(tmp_path) == ["b"]

    def test_a_filled_directory(self, small_world, spotpatch, tmp_path):
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "notes").write_text("mine")
        with pytest.raises(ValueError, match="must be new or empty"):
            self._merge(small_world, spotpatch[0].patch, tmp_path / "model")
        assert (tmp_path / "model" / "notes").read_text() == "mine"

    def test_a_file_in_its_place(self, small_world, spotpatch, tmp_path):
        (tmp_path / "model").write_text("mine")
        with pytest.raises(ValueError, match="must be new or empty"):
            self._merge(small_world, spotpatch[0].patch, tmp_path / "model")

    def test_a_missing_base(self, small_world, spotpatch, tmp_path):
        with pytest.raises(ValueError, match="holds no checkpoint"):
            self._merge(
                small_world,
                spotpatch[0].patch,
                tmp_path / "out",
                base_checkpoint=str(tmp_path),
            )
        assert os.listdir(tmp_path) == []

    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [
            ("height: 96", "resize_method: AREA height: 96", "image_resizer"),
            ("anchor_scale: 4.0", "anchor_scale: 3.0", "anchor_generator"),
            ("SIGMOID", "SOFTMAX", "post_processing"),
            ("epsilon: 0.001", "epsilon: 0.01", "box_predictor"),
        ],
    )
    def test_a_config_of_another_detector(
        self, small_world, spotpatch, tmp_path, old, new, field
    ):
        """Tensors, and so the fingerprint, are the same."""
        text = pathlib.Path(small_world.base_config).read_text()
        assert old in text
        config = tmp_path / "base.config"
        config.write_text(text.replace(old, new))
        with pytest.raises(
            ValueError, match=rf"base.config with another \S*.*{field}"
        ):
            self._merge(
                small_world,
                spotpatch[0].patch,
                tmp_path / "out",
                base_config=str(config),
            )
        assert os.listdir(tmp_path) == ["base.config"]

    def test_the_detector_has_the_patchs_input_size(
        self, small_world, spotpatch, tmp_path
    ):
        text = pathlib.Path(small_world.base_config).read_text()
        config = tmp_path / "base.config"
        config.write_text(text.replace("height: 96 width: 96", "height: 128"))
        self._merge(
            small_world,
            spotpatch[0].patch,
            tmp_path / "out",
            base_config=str(config),
        )
        written = (tmp_path / "out" / "pipeline.config").read_text()
        assert re.search(r"height: 96\s+width: 96", written)

    def test_what_only_training_reads_may_differ(
        self, small_world, spotpatch, tmp_path
    ):
        text = pathlib.Path(small_world.base_config).read_text()
        config = tmp_path / "base.config"
        config.write_text(
            text.replace("weight: 0.00004", "weight: 0.1")
            .replace("alpha: 0.25", "alpha: 0.5")
            .replace("stddev: 0.03", "stddev: 0.3")
        )
        self._merge(
            small_world,
            spotpatch[0].patch,
            tmp_path / "out",
            base_config=str(config),
        )

    def test_a_patch_without_its_heads(self, small_world, spotpatch, tmp_path):
        import dataclasses

        patch = spotpatch[0].patch
        kept = tuple(
            e for e in patch.edits if not e.target.startswith("box_head/")
        )
        with pytest.raises(
            PatchFileError, match=r"every tensor of its heads.*without \['box_"
        ):
            self._merge(
                small_world,
                dataclasses.replace(patch, edits=kept),
                tmp_path / "out",
            )
        assert os.listdir(tmp_path) == []

    def test_a_failed_write_leaves_nothing(
        self, small_world, spotpatch, tmp_path, monkeypatch
    ):
        def full(path, data):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(ordinary.whole_file, "write_whole", full)
        with pytest.raises(OSError, match="No space left"):
            self._merge(small_world, spotpatch[0].patch, tmp_path / "out")
        assert os.listdir(tmp_path) == []


def test_by_the_binary(small_world, checkpoint_of, base_dir, tmp_path, capsys):
    config, model_dir = checkpoint_of("BN_PATCH")
    patch = tmp_path / "task.patch"
    for arguments in (
        [
            "extract",
            f"--pipeline_config_path={config}",
            f"--checkpoint_dir={model_dir}",
            f"--output={patch}",
            "--value_type=float16",
            "--compression=zlib",
        ],
        [
            "merge",
            f"--base_config={small_world.base_config}",
            f"--base_checkpoint={base_dir}",
            f"--patch={patch}",
            f"--output_dir={tmp_path / 'merged'}",
        ],
    ):
        assert cli.main(arguments) == 0
    printed = capsys.readouterr().out
    assert re.search(r"merged: ckpt-0 with \d+ edits of BN_PATCH", printed)
    expected = small_world.raw_outputs(extract.extract(config, model_dir).model)
    found = small_world.raw_outputs(_stock_model(tmp_path / "merged"))
    for key, value in expected.items():
        # Half precision has 11 bits.
        error = np.abs(found[key] - value).max() / np.abs(value).max()
        assert 0 < error < 2e-2


_KILLED = """
import os, signal, sys
from object_detection_patch.checkpoints import merge, ordinary
from object_detection_patch.patch_file import read_patch

def die(*unused):
    os.kill(os.getpid(), signal.SIGKILL)

config, checkpoint, patch, output, where = sys.argv[1:]
owner, name = where.rsplit(".", 1)
setattr({"whole_file": ordinary.whole_file, "os": os}[owner], name, die)
merge.merge(base_config=config, base_checkpoint=checkpoint,
            patch=read_patch(patch), output_dir=output)
"""


@pytest.mark.parametrize("where", ["whole_file.write_whole", "os.rename"])
def test_kill_9_leaves_no_half_model(small_world, spotpatch, tmp_path, where):
    patch = tmp_path / "task.patch"
    patch.write_bytes(to_bytes(spotpatch[0].patch))
    output = tmp_path / "out" / "merged"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(_KILLED),
            small_world.base_config,
            small_world.base_checkpoint,
            str(patch),
            str(output),
            where,
        ],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-3000:]
    (left,) = output.parent.iterdir()
    assert left.name.startswith(".od-patch-")
    assert list(left.glob("ckpt-0*")), "killed in the middle of the writing"
    # What was killed is in nobody's way.
    merge.merge(
        base_config=small_world.base_config,
        base_checkpoint=small_world.base_checkpoint,
        patch=spotpatch[0].patch,
        output_dir=str(output),
    )
    assert (output / "ckpt-0.index").exists()


def _direct(model, images):
    base_model.set_training(model, False)
    return model.postprocess(*_predicted(model, images))


def _predicted(model, images):
    inputs, shapes = model.preprocess(tf.cast(images, tf.float32))
    return model.predict(inputs, shapes), shapes


def _run_program(name, *flags):
    """One of the OD API's programs, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "object_detection_patch.run_od_api", name]
        + list(flags),
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_the_od_apis_exporter_takes_it(small_world, spotpatch, tmp_path):
    _, model, output = spotpatch
    _run_program(
        "exporter_main_v2",
        "--input_type=image_tensor",
        f"--pipeline_config_path={output}/pipeline.config",
        f"--trained_checkpoint_dir={output}",
        f"--output_directory={tmp_path}",
    )
    saved = tf.saved_model.load(str(tmp_path / "saved_model"))
    image = tf.cast(small_world.images(1), tf.uint8)
    found = saved.signatures["serving_default"](image)
    expected = _direct(model, image)
    assert float(expected["detection_scores"][0, 9]) > 0
    for key, shift in (("boxes", 0), ("scores", 0), ("classes", 1)):
        np.testing.assert_allclose(
            found[f"detection_{key}"],
            expected[f"detection_{key}"] + shift,
            atol=1e-4,
        )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_the_od_apis_tflite_exporter_takes_it(small_world, spotpatch, tmp_path):
    _, model, output = spotpatch
    _run_program(
        "export_tflite_graph_tf2",
        f"--pipeline_config_path={output}/pipeline.config",
        f"--trained_checkpoint_dir={output}",
        f"--output_directory={tmp_path}",
    )
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(tmp_path / "saved_model")
    )
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    images, _ = model.preprocess(tf.constant(small_world.images(1)))
    interpreter.set_tensor(given["index"], images.numpy())
    interpreter.invoke()
    outputs = [
        interpreter.get_tensor(detail["index"])
        for detail in interpreter.get_output_details()
    ]
    (scores,) = [
        o
        for o in outputs
        if o.shape == (1, 10) and np.all(np.diff(o[0]) <= 0) and 0 < o.max() < 1
    ]
    expected = _direct(model, small_world.images(1))
    # Fast NMS keeps one class an anchor; the best detection is the same.
    np.testing.assert_allclose(
        scores[0, 0], expected["detection_scores"][0, 0], atol=1e-4
    )
