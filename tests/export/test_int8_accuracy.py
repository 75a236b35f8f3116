"""An int8 task of a trained base detects as well as a direct int8 export.

Direct is what the converter makes of the merged checkpoint.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from ai_edge_litert import interpreter as litert

from object_detection_patch import recipes, tflite
from object_detection_patch.checkpoints import merge, ordinary
from object_detection_patch.decathlon.evaluated import measure
from object_detection_patch.export import base as base_lib
from object_detection_patch.export import release, restored, runtime
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.normalisation import of_model
from object_detection_patch.od_api import (
    compat,
    evaluation,
    export_tflite,
    extractors,
    pipeline_config,
)
from object_detection_patch.patch_file import (
    AddSigned,
    LabelMapItem,
    Patch,
    Replace,
    ScaleOffset,
    read_patch,
    write_patch,
)
from tfrecords_tools.synthetic import dataset

# The converter warns of what it does not keep.
pytestmark = pytest.mark.filterwarnings("ignore")

# 300 steps of 16 images find over half of what there is.
_STEPS = 300


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Drawn stripes; on 400 of them, 1.5 points would be chance."""
    return dataset.write_demo_datasets(
        tmp_path_factory.mktemp("data"),
        images=200,
        eval_images=2000,
        size=96,
        seed=2,
    )["stripes"]


@pytest.fixture
def trained(images, train_steps, tmp_path):
    """Config and model directory of a base that has learned to detect."""
    compat.enable()
    extractors.register()
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
        preset=None,
        fine_tune_checkpoint=None,
        num_steps=_STEPS,
        batch_size=16,
    )
    config = tmp_path / "base.config"
    config.write_text(text, encoding="utf-8")
    model_dir = str(tmp_path / "train")
    train_steps(str(config), model_dir, steps=_STEPS, checkpoint_every_n=_STEPS)
    return str(config), model_dir


@pytest.fixture
def base(trained, images, tmp_path):
    """The directory of the trained base, published in int8."""
    config, model_dir = trained
    folder = tmp_path / "published"
    base_lib.export_base(
        pipeline_config_path=config,
        checkpoint_dir=model_dir,
        output_dir=str(folder),
        precision="int8",
        calibration_records=str(images.train),
        max_classes=20,
    )
    return folder


def _task(base, folder):
    """A patch that changes every third kernel, and all norms, a little.

    So what it detects depends on the base's rounded kernels, those that it
    keeps and those that it changes.
    """
    config = str(base / "checkpoint" / "pipeline.config")
    found = restored.restore(
        pipeline_config.read_pipeline(config), str(base / "checkpoint")
    )
    random = np.random.default_rng(0)
    tensors = found.tensors()
    edits = [
        Replace(name, tensors[name]) for name in found.hosts.head_tensors()
    ]
    for host in found.hosts.kernels[::3]:
        kernel = host.variable.numpy()
        mask = random.random(kernel.shape) < 0.5
        edits.append(AddSigned(host.name, mask, float(kernel.std()) / 20))
    for norm in found.hosts.batch_norms:
        gamma, beta = norm.layer.gamma.numpy(), norm.layer.beta.numpy()
        factor = random.uniform(0.98, 1.02, gamma.shape)
        edits.append(ScaleOffset(norm.name, gamma * factor, beta))
    sidecar = tflite.read_sidecar(base / "base.odpatch")
    labels = tuple(LabelMapItem(*item) for item in found.items)
    path = folder / "task.patch"
    write_patch(
        path, Patch("TEST", sidecar.base_fingerprint, tuple(edits), labels)
    )
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
@pytest.mark.timeout(3600)
def test_a_patched_base_detects_as_well_as_direct_quantisation(
    base, images, tmp_path
):
    task = _task(base, tmp_path)
    published = tmp_path / "released.patch"
    config = str(base / "checkpoint" / "pipeline.config")
    (result,) = release.publish(
        patch=str(task),
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
    patch = read_patch(task)
    pipeline = merge.task_pipeline(config, patch, str(tmp_path))
    normalisation = of_model(model)
    inputs = runtime.inputs(pipeline, [str(images.train)], normalisation, 100)
    folder = tmp_path / "merged"
    folder.mkdir()
    direct = _direct(base, patch, folder, inputs)
    ours = _accuracy(model, pipeline, normalisation, images)
    theirs = _accuracy(direct, pipeline, normalisation, images)
    assert result.accuracy == pytest.approx(ours, abs=1e-6)
    assert theirs > 0.3
    assert abs(ours - theirs) < 0.005, f"{ours:.4f} and {theirs:.4f}"
