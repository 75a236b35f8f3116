"""A small base, published once a session, and patches for it."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    AddSigned,
    AffineMask,
    KeepMasked,
    LabelMapItem,
    Patch,
    Replace,
    ScaleOffset,
    write_patch,
)

_TESTS = pathlib.Path(__file__).parents[1]
# tiny_detector.py and tiny_model.py here; tiny_base.py and slow_apply.py there.
for _folder in (_TESTS / "export", _TESTS / "tflite"):
    sys.path.insert(0, str(_folder))


@pytest.fixture(scope="session")
def export_base(small_world, tmp_path_factory) -> Any:
    """(precision, options) -> the directory of a base, exported once each."""
    from object_detection_patch.export import base

    made: dict[Any, pathlib.Path] = {}

    def make(precision: str, **options: Any) -> pathlib.Path:
        key = (precision, *sorted(options.items()))
        if key not in made:
            folder = tmp_path_factory.mktemp("exported") / precision
            exported = base.export_base(
                pipeline_config_path=small_world.base_config,
                checkpoint_dir=small_world.base_checkpoint,
                output_dir=str(folder),
                precision=precision,
                max_classes=20,
                **options,
            )
            made[key] = folder
            (folder / "report.txt").write_text(base.report(exported))
        return made[key]

    return make


@pytest.fixture(scope="session")
def write_task(small_world, tmp_path_factory) -> Any:
    """(directory of a base, classes) -> a patch file with every edit."""
    from object_detection_patch import hosts as hosts_lib
    from object_detection_patch.od_api import host_layers

    def make(base: pathlib.Path, classes: int) -> pathlib.Path:
        model, fingerprint = _restored(base)
        hosts = host_layers.find_ssd_hosts(model)
        edits = _edits(hosts, classes, model.num_classes)
        labels = tuple(
            LabelMapItem(number, f"class {number}", "")
            for number in range(1, classes + 1)
        )
        assert fingerprint == hosts_lib.fingerprint(
            {name: v.numpy() for name, v in hosts.base_tensors().items()}
        )
        path = tmp_path_factory.mktemp("task") / "task.patch"
        patch = Patch("TEST", fingerprint, tuple(edits), labels)
        write_patch(path, patch)
        return path

    return make


def _restored(base: pathlib.Path) -> tuple[Any, str]:
    """The model of a published checkpoint, and what its sidecar says it is."""
    from object_detection_patch.od_api import (
        base_model,
        host_layers,
        pipeline_config,
    )
    from object_detection_patch.tflite import read_sidecar

    checkpoint = base / "checkpoint"
    pipeline = pipeline_config.read_pipeline(
        str(checkpoint / "pipeline.config")
    )
    model = base_model.build_model(pipeline.model, is_training=False)
    base_model.restore_base(
        model,
        host_layers.find_ssd_hosts(model),
        str(checkpoint / "ckpt-0"),
        checkpoint_type="full",
    )
    return model, read_sidecar(base / "base.odpatch").base_fingerprint


def _edits(hosts: Any, classes: int, base_classes: int) -> list[Any]:
    """Each kind of edit on some kernels; all BatchNorms, biases and heads."""
    random = np.random.default_rng(classes)
    edits: list[Any] = []
    for number, host in enumerate(hosts.kernels):
        kernel = host.variable.numpy()
        mask = random.random(kernel.shape) < 0.5
        scale = float(kernel.std()) / 5
        kind = number % 6
        if kind in (0, 1):
            edits.append(AddSigned(host.name, mask, scale))
        elif kind == 2:
            edits.append(AffineMask(host.name, mask, 0.9, scale / 2, -scale))
        elif kind == 3 and number > 40:
            edits.append(
                KeepMasked(host.name, random.random(kernel.shape) < 0.9)
            )
        elif kind == 4:
            noise = random.normal(0, scale, kernel.shape)
            edits.append(Replace(host.name, kernel + noise))
    for norm in hosts.batch_norms:
        gamma, beta = norm.layer.gamma.numpy(), norm.layer.beta.numpy()
        sign = np.where(random.random(gamma.shape) < 0.05, -1, 1)
        edits.append(
            ScaleOffset(
                norm.name,
                sign * gamma * random.uniform(0.8, 1.2, gamma.shape),
                beta + random.normal(0, 0.05, beta.shape),
            )
        )
    for bias in hosts.biases:
        values = bias.variable.numpy()
        edits.append(Replace(bias.name, values + 0.1))
    for head in hosts.heads:
        shape = list(head.variable.shape)
        if not head.counted:
            anchors = shape[-1] // (base_classes + 1)
            shape[-1] = anchors * (classes + 1)
        drawn = random.normal(0, 0.2, shape)
        edits.append(Replace(head.name, drawn))
    return edits
