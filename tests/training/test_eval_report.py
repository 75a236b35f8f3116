"""What evaluations write to TensorBoard, read back from event files."""

import logging
import pathlib
import re
import types

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import cli
from object_detection_patch.decathlon import mean_ap
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import presets
from object_detection_patch.od_api import (
    eval_loop,
    evaluation,
    label_map,
    pipeline_config,
    repeatable,
)
from object_detection_patch.patch_file import (
    COMPACT,
    HALF,
    SMALL,
    AddSigned,
    Patch,
    describe,
    read_patch,
    write_patch,
)
from object_detection_patch.training import (
    eval_figures,
    eval_report,
    loop,
)

_REFERENCE = 0.3
_ENCODINGS = ("exact", "half", "small", "compact")
_HEAD = ("class_head/ClassPredictor/pointwise_kernel",)
_HEAD += ("class_head/ClassPredictor/bias",)
# Of a patch that routes blocks.
_ROUTES = {"tuned_blocks", "contested_blocks", "routes"}
# Of one that a target bounds.
_TARGET = "target_file_bytes"
_DOCS = pathlib.Path(__file__).parents[2] / "docs/gpu_and_tpu.md"


def _events(folder):
    """Tag -> value of an event file, images as their PNG strings."""
    from tensorflow.core.util import event_pb2

    (path,) = folder.glob("events.out.tfevents.*")
    return {
        value.tag: tf.make_ndarray(value.tensor)
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
        for value in event_pb2.Event.FromString(record).summary.value
    }


def _of_patch(events):
    return {
        tag.removeprefix("patch/"): value.item()
        for tag, value in events.items()
        if tag.startswith("patch/") and tag != "patch/gates"
    }


def _write_found(records, images, names, output):
    """Records whose objects are what a model finds, the second difficult.

    Args:
      images: what it finds, in the order of the records.
      names: of the classes, from 1.
    """
    with tf.io.TFRecordWriter(str(output)) as writer:
        stored = tf.data.TFRecordDataset(records).as_numpy_iterator()
        for record, image in zip(stored, images, strict=True):
            example = tf.train.Example.FromString(record)
            feature = example.features.feature
            for key in [k for k in feature if k.startswith("image/object/")]:
                del feature[key]
            chosen = [0, 3, 7]
            for column, key in enumerate(("ymin", "xmin", "ymax", "xmax")):
                feature[f"image/object/bbox/{key}"].float_list.value[:] = (
                    image.boxes[chosen, column]
                )
            classes = image.classes[chosen].tolist()
            feature["image/object/class/label"].int64_list.value[:] = classes
            feature["image/object/class/text"].bytes_list.value[:] = [
                names[number - 1].encode() for number in classes
            ]
            feature["image/object/difficult"].int64_list.value[:] = [0, 1, 0]
            writer.write(example.SerializeToString())


def _lively(small_world, config):
    """SPOTPATCH with heads that find things and every third gate closed."""
    keras.utils.set_random_seed(2)
    model = small_world.patched_model(config)
    generator = np.random.default_rng(2)
    for head in model.patch.hosts.heads:
        if not head.name.endswith("/bias"):
            value = generator.normal(0, 0.1, head.variable.shape)
            head.variable.assign(value.astype("float32"))
    for index, patch in enumerate(model.patch.host_patches.values()):
        if hasattr(patch, "latent_gate") and index % 3 == 0:
            patch.latent_gate.assign(-0.1)
    return model


def _evaluate(config, checkpoint_dir, model_dir):
    """What the binary does with --checkpoint_dir, for one checkpoint."""
    from object_detection import model_lib_v2

    patch = pipeline_config.patch_of(pipeline_config.read_pipeline(config))
    with (
        repeatable.repeatable(3),
        eval_loop.in_inference_mode(),
        loop.patched(patch, model_dir=checkpoint_dir),
    ):
        model_lib_v2.eval_continuously(
            pipeline_config_path=config,
            model_dir=model_dir,
            checkpoint_dir=checkpoint_dir,
            wait_interval=0,
            timeout=1,
        )


@pytest.fixture(scope="module")
def eager():
    """Tracing takes longer than four images do."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def evaluated(small_world, eager, tmp_path_factory):
    """One checkpoint, evaluated in the OD API's loop.

    `detected` is what the decathlon's own reader and forward pass give of the
    same images; `events` are those of the event file.
    """
    folder = tmp_path_factory.mktemp("evaluated")
    config = small_world.config(
        "stripes",
        "SPOTPATCH",
        name="_reporting",
        patch_options=f"  reporting {{ fine_tuning_map: {_REFERENCE} }}\n",
    )
    model = _lively(small_world, config)
    step = tf.Variable(4, dtype=tf.int64)
    tf.train.Checkpoint(model=model, step=step).save(f"{folder}/train/ckpt")
    files = small_world.files["stripes"]

    def detected(records):
        return list(
            evaluation.detect(
                model, [records], label_map_path=str(files.label_map)
            )
        )

    items = label_map.read_label_map(str(files.label_map))
    records = str(folder / "found.record")
    _write_found(
        sorted(tf.io.gfile.glob(str(files.eval))),
        detected(str(files.eval)),
        [name for _, name, _ in items],
        records,
    )
    text = pathlib.Path(config).read_text().replace(str(files.eval), records)
    pathlib.Path(config).write_text(text)
    _evaluate(config, f"{folder}/train", str(folder))
    return types.SimpleNamespace(
        config=config,
        model_dir=f"{folder}/train",
        events=_events(folder),
        detected=detected(records),
    )


@pytest.fixture(scope="module")
def figures(evaluated):
    return _of_patch(evaluated.events)


@pytest.fixture(scope="module")
def extracted(evaluated, tmp_path_factory):
    """The file that `od-patch extract` writes from the same checkpoint."""
    path = tmp_path_factory.mktemp("extracted") / "task.patch"
    arguments = [
        "extract",
        f"--pipeline_config_path={evaluated.config}",
        f"--checkpoint_dir={evaluated.model_dir}",
        f"--output={path}",
    ]
    assert cli.main(arguments) == 0
    return path


class TestInTheLoop:
    def test_bytes_are_those_of_the_files(self, figures, extracted, tmp_path):
        assert figures["file_bytes/exact"] == extracted.stat().st_size
        patch = read_patch(extracted)
        for name, encoding in (("half", HALF), ("compact", COMPACT)):
            write_patch(tmp_path / name, patch, encoding=encoding)
            size = (tmp_path / name).stat().st_size
            assert figures[f"file_bytes/{name}"] == size

    def test_bytes_without_the_class_head(self, figures, extracted, tmp_path):
        patch = read_patch(extracted)
        write_patch(tmp_path / "small", patch, encoding=SMALL)
        for name, path in (("exact", extracted), ("small", tmp_path / "small")):
            rows = describe(path)["layers"]
            sections = [row["bytes"] for row in rows if row["name"] in _HEAD]
            assert len(sections) == 2
            whole = figures[f"file_bytes/{name}"]
            rest = figures[f"file_bytes_without_class_head/{name}"]
            # Beside the two sections, two entries of the compressed header.
            assert 0 < whole - rest - sum(sections) < 60

    def test_nominal_footprint_is_the_papers_count(self, figures, extracted):
        patch = read_patch(extracted)
        masks = [e for e in patch.edits if isinstance(e, AddSigned)]
        floats = len(masks)
        for edit in patch.edits:
            if hasattr(edit, "offset"):
                floats += 2 * len(edit.offset)
            elif hasattr(edit, "values") and edit.target not in _HEAD:
                floats += edit.values.size
        ones = sum(mask.mask.size for mask in masks)
        base = patch.metadata["base_parameters"]
        assert figures["nominal_footprint_percent"] == pytest.approx(
            100 * (ones + 32 * floats) / (32 * base)
        )
        assert figures["nominal_footprint_8_bits_percent"] == pytest.approx(
            100 * (ones + 8 * floats) / (8 * base)
        )

    def test_gates_are_those_of_the_checkpoint(self, evaluated, figures):
        reader = tf.train.load_checkpoint(evaluated.model_dir)
        shapes = reader.get_variable_to_shape_map()
        prefix = "model/patch/host_patches/"
        gates = {}
        for key in shapes:
            if key.endswith("/latent_gate/.ATTRIBUTES/VARIABLE_VALUE"):
                host = key.removeprefix(prefix).rsplit("/", 3)[0]
                mask = key.replace("/latent_gate/", "/latent_mask/")
                place = host.split(".S")[0]
                is_open = reader.get_tensor(key) > 0
                gates[host] = (place, is_open, np.prod(shapes[mask]))
        assert len(gates) == 71
        assert {place for place, _, _ in gates.values()} == {
            "backbone",
            "fpn",
            "tower",
        }
        for suffix, places in {
            "": ("backbone", "fpn", "tower"),
            "/backbone": ("backbone",),
            "/fpn": ("fpn",),
            "/tower": ("tower",),
        }.items():
            here = [g for g in gates.values() if g[0] in places]
            opened = [weights for _, is_open, weights in here if is_open]
            assert figures[f"patched_layers_percent{suffix}"] == pytest.approx(
                100 * len(opened) / len(here)
            )
            assert figures[f"patched_weights_percent{suffix}"] == pytest.approx(
                100 * sum(opened) / sum(weights for _, _, weights in here)
            )
        width, height, picture = evaluated.events["patch/gates"]
        decoded = tf.io.decode_png(picture).numpy()
        assert decoded.shape[:2] == (int(height), int(width))
        assert len(np.unique(decoded)) > 10, "a picture of something"

    def test_map_is_the_decathlons(self, evaluated, figures):
        """Against another reader, forward pass and unit of the boxes."""
        images = evaluated.detected
        found = [
            mean_ap.Detections(image.boxes, image.scores, image.classes)
            for image in images
        ]
        true = [
            mean_ap.GroundTruth(
                image.true_boxes, image.true_classes, difficult=image.difficult
            )
            for image in images
        ]
        assert [image.difficult.sum() for image in images] == [1, 1, 1, 1]
        for definition in ("coco", "pascal"):
            honoured, ordinary = (
                mean_ap.mean_average_precision(
                    found, true, definition=definition, honour=honour
                ).value
                for honour in (mean_ap.FLAGS, ())
            )
            shown = figures[f"map_{definition}"]
            assert shown == pytest.approx(honoured, abs=1e-4)
            assert abs(shown - ordinary) > 1e-2, "flags that matter"
            if definition == "coco":
                # The OD API's own metric counts difficult boxes as objects.
                stock = evaluated.events["DetectionBoxes_Precision/mAP@.50IOU"]
                assert stock == pytest.approx(ordinary, abs=1e-4)

    def test_what_the_map_costs(self, figures, extracted):
        patch = read_patch(extracted)
        reached = figures["map_coco"]
        assert reached > 0
        megabytes = patch.metadata["nominal_bits"] / 8e6
        assert figures["map_per_nominal_megabyte"] == pytest.approx(
            reached / megabytes
        )
        assert figures["map_per_file_kilobyte"] == pytest.approx(
            reached / (figures["file_bytes/small"] / 1000)
        )

    def test_score_is_the_papers(self, figures):
        baseline = 2 * _REFERENCE - 1
        gain = max(figures["map_coco"] - baseline, 0) / (1 - baseline)
        assert figures["score"] == pytest.approx(10_000 * gain**2)
        assert figures["score_per_footprint"] == pytest.approx(
            figures["score"] / (figures["nominal_footprint_percent"] / 100)
        )

    def test_the_docs_list_every_tag(self, evaluated):
        written = {tag for tag in evaluated.events if tag.startswith("patch/")}
        section = _DOCS.read_text().split("## TensorBoard\n")[1]
        listed = set()
        for row in re.findall(r"^\| (`patch/.*)$", section, re.MULTILINE):
            first, *others = re.findall(r"`(/?[a-z0-9_/]+)`", row)
            listed.add(first)
            stem = first if "also by place" in row else first.rpartition("/")[0]
            listed |= {stem + name for name in others if name.startswith("/")}
        places = ("/backbone", "/fpn", "/tower")
        listed |= {f"patch/patched_weights_percent{place}" for place in places}
        elsewhere = {f"patch/{name}" for name in (*_ROUTES, _TARGET)}
        assert written | elsewhere == listed


def _image(**changes):
    """Two objects, the first found; fields may be replaced."""
    fields = {
        "true_boxes": np.float32([[0, 0, 8, 8], [20, 20, 40, 40]]),
        "true_classes": np.array([1, 1]),
        "difficult": np.array([False, False]),
        "is_crowd": np.array([False, False]),
        "group_of": np.array([False, False]),
        "boxes": np.float32([[0, 0, 8, 8]]),
        "scores": np.float32([0.9]),
        "classes": np.array([1]),
    }
    return eval_loop.ComparedImage(**(fields | changes))


@pytest.fixture(scope="module")
def batch_norms(small_world):
    """(model, pipeline) of BN_PATCH, which has no gates."""
    config = small_world.config("shapes", "BN_PATCH")
    return (
        small_world.patched_model(config),
        pipeline_config.read_pipeline(config),
    )


@pytest.fixture
def report(batch_norms, tmp_path):
    """Function: images, and what to report -> the figures written."""

    def write(images, **reporting):
        model, pipeline = batch_norms
        patch = presets.patch_config("BN_PATCH")
        for name, value in reporting.items():
            setattr(patch.reporting, name, value)
        writer = tf.summary.create_file_writer(str(tmp_path))
        with writer.as_default():
            eval_report.write_patch_report(
                patch, eval_loop.Evaluation(model, pipeline, 7, images)
            )
        writer.close()
        return _of_patch(_events(tmp_path))

    return write


def test_what_images_choose_is_shown(small_world, tmp_path, caplog):
    config = small_world.config("shapes", "SPOTTUNE", name="_chosen")
    model = small_world.patched_model(config)
    (router,) = model.patch.model_patches
    blocks = len(router.blocks)
    # Two images take all blocks tuned, two none but the first.
    first = np.eye(1, blocks, dtype=bool)
    seen = [np.ones((2, blocks), bool), np.tile(first, (2, 1))]
    pipeline = pipeline_config.read_pipeline(config)
    writer = tf.summary.create_file_writer(str(tmp_path))
    with (
        writer.as_default(),
        caplog.at_level(logging.INFO, eval_report.__name__),
    ):
        eval_report.write_patch_report(
            presets.patch_config("SPOTTUNE"),
            eval_loop.Evaluation(model, pipeline, 7, [_image()], seen),
        )
    writer.close()
    found = _events(tmp_path)
    mean = (blocks + 1) / 2
    assert found["patch/tuned_blocks"].item() == pytest.approx(mean)
    assert found["patch/contested_blocks"].item() == blocks - 1
    assert tf.io.decode_png(found["patch/routes"][2]).shape[-1] == 3
    assert f"{mean:.1f} tuned blocks an image" in caplog.text


_SIZES = {"nominal_footprint_percent", "nominal_footprint_8_bits_percent"}
_SIZES |= {f"file_bytes/{encoding}" for encoding in _ENCODINGS}
_SIZES |= {
    f"file_bytes_without_class_head/{encoding}" for encoding in _ENCODINGS
}
_MAPS = {"map_coco", "map_pascal", "map_per_nominal_megabyte"}
_MAPS |= {"map_per_file_kilobyte"}


def test_a_file_is_shown_beside_its_target():
    patch = Patch("X", "0" * 64, (), ())
    plain = eval_figures.file_figures(patch, frozenset())
    assert eval_figures.file_figures(patch, frozenset(), 60_000) == plain | {
        "target_file_bytes": 60_000
    }
    assert "target_file_bytes" not in plain


class TestOneReport:
    def test_without_gates_and_reference(self, report, caplog):
        with caplog.at_level(logging.INFO, eval_report.__name__):
            figures = report([_image()])
        assert set(figures) == _SIZES | _MAPS
        # One of two found, none wrong: 51 of COCO's 101 recalls are reached.
        assert figures["map_coco"] == pytest.approx(51 / 101)
        assert figures["map_pascal"] == pytest.approx(0.5)
        (line,) = caplog.messages
        footprint = figures["nominal_footprint_percent"]
        assert line.startswith("BN_PATCH on base ")
        assert (
            ", step 7: mAP@0.5 0.505 (Pascal 0.500), nominal footprint "
            f"{footprint:.2f} % of the base" in line
        )
        assert f"{figures['file_bytes/small']:,.0f} bytes small" in line
        assert "gates" not in line and "Score" not in line

    @pytest.mark.parametrize("flag", ["difficult", "is_crowd", "group_of"])
    def test_flagged_boxes_count_neither_way(self, report, flag):
        missed = _image(**{flag: np.array([False, True])})
        figures = report([missed])
        assert figures["map_coco"] == pytest.approx(1.0)
        assert figures["map_pascal"] == pytest.approx(1.0)

    def test_a_reference_gives_a_score(self, report, caplog):
        with caplog.at_level(logging.INFO, eval_report.__name__):
            figures = report([_image()], fine_tuning_map=51 / 101)
        # Fine-tuning itself scores 2500.
        assert figures["score"] == pytest.approx(2500, rel=1e-5)
        assert "Score 2500, Score/Footprint " in caplog.messages[-1]

    def test_nothing_to_be_found(self, report, caplog):
        hidden = _image(difficult=np.array([True, True]))
        figures = report([hidden], fine_tuning_map=0.5)
        assert set(figures) == _SIZES
        assert "no figures of the mAP: mAP needs at least" in caplog.text

    def test_a_patch_that_no_file_may_hold(self, batch_norms, report, caplog):
        gamma = batch_norms[0].patch.hosts.batch_norms[0].layer.gamma
        before = gamma.numpy()
        gamma.assign(np.full_like(before, np.nan))
        try:
            figures = report([_image()], fine_tuning_map=0.5)
        finally:
            gamma.assign(before)
        assert set(figures) == {
            "nominal_footprint_percent",
            "nominal_footprint_8_bits_percent",
            "map_coco",
            "map_pascal",
            "map_per_nominal_megabyte",
            "score",
            "score_per_footprint",
        }
        assert "no figures of the patch file: The numbers of an" in caplog.text

    def test_warns_where_the_reader_may_have_cut_boxes(self, report, caplog):
        corners = np.arange(100, dtype=np.float32)
        crowded = _image(
            true_boxes=np.stack(
                [corners, corners, corners + 1, corners + 1], 1
            ),
            true_classes=np.ones(100, int),
            **dict.fromkeys(
                ("difficult", "is_crowd", "group_of"), np.zeros(100, bool)
            ),
        )
        report([_image(), crowded])
        assert "1 images have 100 boxes or more" in caplog.text


class TestReference:
    @pytest.mark.parametrize("value", [1.0, 71.0, -0.1, float("nan")])
    def test_refused_before_anything_is_built(self, tmp_path, value):
        config = presets.patch_config("SPOTPATCH")
        config.reporting.fine_tuning_map = value
        with pytest.raises(
            ValueError,
            match=r"`reporting\.fine_tuning_map` must lie in \[0, 1\): .*"
            rf"Received: {value:g} \(pipeline\.config",
        ):
            with loop.patched(config, model_dir=str(tmp_path)):
                raise RuntimeError("trained without a check")

    @pytest.mark.parametrize("value", [None, 0.0, 0.71])
    def test_accepted(self, value):
        config = presets.patch_config("SPOTPATCH")
        config.reporting.SetInParent()
        if value is not None:
            config.reporting.fine_tuning_map = value
        eval_report.check(config)
