"""A trained int8 task: what a phone makes of it detects as well as the model
that the converter makes of the merged checkpoint."""

from __future__ import annotations

import os

import numpy as np
import pytest
from ai_edge_litert import interpreter as litert

from object_detection_patch import recipes, tflite
from object_detection_patch.checkpoints import extract, merge, ordinary
from object_detection_patch.decathlon.evaluated import measure
from object_detection_patch.export import release, runtime
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.normalisation import of_model
from object_detection_patch.od_api import evaluation, export_tflite
from object_detection_patch.patch_file import read_patch, write_patch
from tfrecords_tools.synthetic import dataset

# The converter warns of what it does not keep.
pytestmark = pytest.mark.filterwarnings("ignore")

_STEPS = 200


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """More of the small world's stripes: 8 images tell no half points."""
    return dataset.write_demo_datasets(
        tmp_path_factory.mktemp("data"),
        images=200,
        eval_images=400,
        size=96,
        seed=2,
    )["stripes"]


@pytest.fixture
def trained_patch(small_world, images, train_steps, tmp_path):
    """A patch that keeps most kernels, so that the base's rounding counts."""
    text = recipes.pipeline_text(
        recipes.MINI_96,
        recipes.TaskData(
            num_classes=images.num_classes,
            train_records=str(images.train),
            eval_records=str(images.eval),
            label_map=str(images.label_map),
            flip=False,
            crop=False,
        ),
        preset="SPOTPATCH",
        fine_tune_checkpoint=small_world.base_checkpoint,
        num_steps=_STEPS,
        batch_size=8,
    )
    config = tmp_path / "task.config"
    config.write_text(text, encoding="utf-8")
    model_dir = str(tmp_path / "train")
    train_steps(str(config), model_dir, steps=_STEPS, checkpoint_every_n=_STEPS)
    path = tmp_path / "task.patch"
    write_patch(path, extract.extract(str(config), model_dir).patch)
    return path


def _direct(base, patch, folder, inputs):
    """The merged model through the OD API's exporter and the converter."""
    pipeline = merge.task_pipeline(
        str(base / "checkpoint" / "pipeline.config"), patch, str(folder)
    )
    model = merge.merged_model(
        pipeline, str(base / "checkpoint" / "ckpt-0"), patch
    )
    items = [(i.id, i.name, i.display_name) for i in patch.label_map]
    ordinary.write_model(str(folder), model, pipeline, items)
    saved_model = export_tflite.export_saved_model(
        pipeline, str(folder), os.path.join(folder, "out")
    )
    return export_tflite.convert(
        saved_model, "int8", lambda: (image[None] for image in inputs)
    )


def _accuracy(model, pipeline, normalisation, files):
    """mAP@0.5 of any file of the converter, metadata or not."""
    interpreter = litert.Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    (image_input,) = interpreter.get_input_details()
    # Boxes, classes, scores and count, whatever the file's own order is.
    *outputs, _ = Graph(model).subgraph.operators[-1].outputs
    resize = evaluation.resizer(pipeline)
    found = []
    for example in evaluation.decoded_records(
        [str(files.eval)], str(files.label_map)
    ).as_numpy_iterator():
        image = normalisation.apply(resize(example["image"]))
        interpreter.set_tensor(
            image_input["index"], image[None].astype(np.float32)
        )
        interpreter.invoke()
        boxes, classes, scores = (
            interpreter.get_tensor(int(index))[0] for index in outputs
        )
        found.append(
            evaluation.evaluated_image(
                example, boxes=boxes, scores=scores, classes=classes
            )
        )
    return measure(found, definition="coco").value


@pytest.mark.slow
def test_a_patched_base_detects_as_well_as_direct_quantisation(
    export_base, small_world, images, trained_patch, tmp_path
):
    base = export_base(
        "int8", calibration_records=str(small_world.files["shapes"].train)
    )
    published = tmp_path / "released.patch"
    config = str(base / "checkpoint" / "pipeline.config")
    (result,) = release.publish(
        patch=str(trained_patch),
        bases=[str(base / "base.tflite")],
        output=str(published),
        encoding="exact",
        records=release.TaskRecords(
            pipeline_config_path=config,
            checkpoint_dir=str(base / "checkpoint"),
            calibration=str(images.train),
            evaluation=str(images.eval),
        ),
    ).results
    output = tmp_path / "task.tflite"
    assert tflite.apply(base / "base.tflite", published, output).verified
    model = output.read_bytes()
    patch = read_patch(trained_patch)
    pipeline = merge.task_pipeline(config, patch, str(tmp_path))
    normalisation = of_model(model)
    inputs = runtime.inputs(pipeline, [str(images.train)], normalisation, 100)
    folder = tmp_path / "merged"
    folder.mkdir()
    direct = _direct(base, patch, folder, inputs)
    ours = _accuracy(model, pipeline, normalisation, images)
    theirs = _accuracy(direct, pipeline, normalisation, images)
    print(f"mAP@0.5 patched {ours:.4f}, direct {theirs:.4f}")
    assert result.accuracy == pytest.approx(ours, abs=1e-6)
    assert theirs > 0.2
    assert abs(ours - theirs) < 0.005
