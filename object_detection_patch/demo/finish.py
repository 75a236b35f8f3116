"""After a training: extract, merge, evaluate, and keep detections to draw.

Run as a process of its own for each job:
    python -m object_detection_patch.demo.finish --config ... (see --help)
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.checkpoints import extract, merge
from object_detection_patch.decathlon.evaluated import measure
from object_detection_patch.demo import drawn
from object_detection_patch.od_api import (
    base_model,
    evaluation,
    label_map,
    pipeline_config,
)
from object_detection_patch.patch_file import (
    COMPACT,
    HALF,
    Patch,
    read_patch,
    write_patch,
)
from object_detection_patch.training import cost


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.patch:
        result, model = _finish_patch(options)
    else:
        result, model = _finish_base(options)
    pipeline = pipeline_config.read_pipeline(options.config)
    evaluated = evaluate(model, pipeline)
    result["map"] = {
        name: measure(evaluated, definition=name).value
        for name in ("coco", "pascal")
    }
    items, map_path = label_map.common_label_map(pipeline)
    names = [name for _, _, name in items]
    drawn.save(options.drawn, evaluated[: drawn.IMAGES], names)
    for records, path in (also.split(":") for also in options.also):
        foreign = evaluation.detect(
            model,
            [records],
            label_map_path=map_path,
            limit=drawn.IMAGES,
        )
        drawn.save(path, foreign, names)
    with open(options.result, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2)
    return 0


def evaluate(model: Any, pipeline: Any) -> list[evaluation.EvaluatedImage]:
    """Detections of `model` on its config's evaluation records."""
    reader = pipeline.eval_input_reader[0]
    return list(
        evaluation.detect(
            model,
            reader.tf_record_input_reader.input_path,
            label_map_path=reader.label_map_path,
        )
    )


def _finish_patch(options: argparse.Namespace) -> tuple[dict[str, Any], Any]:
    trained = extract.extract(options.config, options.checkpoint_dir)
    method = trained.model.patch
    write_patch(
        options.patch,
        trained.patch,
        encoding=COMPACT if method.grid_bits() else HALF,
    )
    merged = merge.merge(
        base_config=options.base_config,
        base_checkpoint=options.base_checkpoint,
        patch=read_patch(options.patch),
        output_dir=options.merged,
    )
    base = cost.base_size(method.hosts)
    footprint = cost.patch_footprint(method)
    result = {
        "method": trained.patch.method,
        "base_fingerprint": trained.patch.base_fingerprint,
        "file_bytes": os.path.getsize(options.patch),
        "model_bytes": 4 * (base.total + footprint.class_head_values),
        "nominal_fraction": footprint.fraction(base, bits=32),
        "base_parameters": base.total,
        "largest_output_difference": output_difference(
            trained.model, _merged_unrounded(options, trained.patch)
        ),
        "gates": [
            {
                "name": gate.host,
                "place": gate.place,
                "open": gate.is_open,
                "weights": gate.weights,
            }
            for gate in method.gates()
        ],
    }
    return result, merged


def _merged_unrounded(options: argparse.Namespace, patch: Patch) -> Any:
    """The merged model of the patch as trained, before float16 rounds it."""
    return merge.merged_model(
        merge.task_pipeline(options.base_config, patch, options.merged),
        extract.find_checkpoint(options.base_checkpoint),
        patch,
    )


def _finish_base(options: argparse.Namespace) -> tuple[dict[str, Any], Any]:
    pipeline = pipeline_config.read_pipeline(options.config)
    model = base_model.build_model(pipeline.model, is_training=False)
    extract.restore_all(model, extract.find_checkpoint(options.checkpoint_dir))
    return {"method": "BASE"}, model


def output_difference(model: Any, other: Any, *, seed: int = 0) -> float:
    """Largest difference of raw outputs on two random images.

    In units of the largest raw output, or of 1 if all are smaller: a class
    score of 30 before the sigmoid has steps of 2e-6 in float32, and a graph
    and an eager run of one model already differ by a few of those.
    """
    images = np.random.default_rng(seed).uniform(0, 255, (2, 96, 96, 3))
    outputs = []
    for one in (model, other):
        base_model.set_training(one, False)
        resized, shapes = one.preprocess(tf.constant(images, tf.float32))
        outputs.append(one.predict(resized, shapes))
    keys = ("box_encodings", "class_predictions_with_background")
    return max(
        float(
            np.abs(outputs[0][key] - outputs[1][key]).max()
            / max(1.0, np.abs(outputs[0][key]).max())
        )
        for key in keys
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--checkpoint_dir", required=True)
    parser.add_argument("--result", required=True)
    parser.add_argument("--drawn", required=True)
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="RECORDS:NPZ",
        help="draw detections on these records too",
    )
    parser.add_argument("--patch", help="absent for the base")
    parser.add_argument("--merged")
    parser.add_argument("--base_config")
    parser.add_argument("--base_checkpoint")
    return parser


if __name__ == "__main__":
    sys.exit(main())
