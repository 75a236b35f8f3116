"""A base of a suite: trained, published for phones, measured."""

from __future__ import annotations

import shutil
from typing import Any

import msgspec
from google.protobuf import text_format

from object_detection_patch.checkpoints import extract, ordinary
from object_detection_patch.decathlon.running import (
    accuracy,
    data,
    datasets,
    plan,
    training,
)
from object_detection_patch.decathlon.running import record as records
from object_detection_patch.decathlon.running.folder import (
    PRECISIONS,
    Folder,
    FolderError,
    empty_unless,
)
from object_detection_patch.decathlon.running.phases import (
    Phases,
    environment,
)
from object_detection_patch.decathlon.suite import kept
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.suite import (
    Base,
    GivenBase,
    Suite,
    SuiteTask,
    kept_fingerprint,
)
from object_detection_patch.export import base as export
from object_detection_patch.export.exported_base import MODEL_FILE
from object_detection_patch.od_api import (
    base_model,
    host_layers,
    label_map,
    pipeline_config,
)
from object_detection_patch.patch_file import whole_folder
from object_detection_patch.training import cost

# Of every base: equal numbers of detections make Keras and LiteRT comparable.
MAX_DETECTIONS = 100
_SEED = 1


def make_base(
    folder: Folder, suite: Suite, key: str, *, tpu: str | None = None
) -> None:
    """Trains a base if need be, publishes and measures it, writes its record.

    One that comes with the package was, when it was made: its data need not
    be there. `publish_base` publishes it again, once phones are to run it.

    Args:
      tpu: see `devices`.

    Raises:
      FolderError: if data are missing, or the directory has results on a
        base of this key with other weights.
      ValueError: for whatever does not fit.
    """
    base = runs_lib.base_of(suite, key)
    task = _task_of(suite, base)
    if kept_fingerprint(base):
        _take_kept(folder, suite, base)
        return
    datasets.require_records(folder, suite, task)
    empty_unless(folder.base_work(key), runs_lib.base_sha256(suite, key))
    phases = Phases()
    with phases.phase("train"):
        config, checkpoint = _trained(folder, suite, base, tpu)
    model, pipeline = _all_published(
        folder, suite, key, config, checkpoint, phases
    )
    _keep_checkpoint(folder, key, model, pipeline)
    _measure(folder, suite, base, model, pipeline, phases)


def _take_kept(folder: Folder, suite: Suite, base: Base) -> None:
    given = kept.kept_base(kept_fingerprint(base))
    made = records.read_base(given.record)
    work = folder.base_work(base.key)
    empty_unless(work, runs_lib.base_sha256(suite, base.key))
    phases = Phases()
    with phases.phase("restore"):
        task = runs_lib.task_of(suite, base.task)
        config = str(work / "pipeline.config")
        training.write_base_config(
            folder,
            suite,
            base,
            task,
            folder.path(task.train_records),
            config,
            given.label_map,
        )
        model, pipeline = _restored(config, given.checkpoint)
        found = host_layers.find_ssd_hosts(model).fingerprint()
        if found != kept_fingerprint(base):
            raise FolderError(
                "The base that comes with the package must be the one that "
                f"the suite names, {kept_fingerprint(base)}. Received: "
                f"{found} in {given.folder}; install the package again."
            )
        plan.refuse_results_of_others(folder, base.key, found)
        _keep_checkpoint(folder, base.key, model, pipeline)
    _draw_tasks(folder, suite, base, model)
    if folder.base_record(base.key).exists():
        return  # It may hold what phones measured.
    records.write_json(
        folder.base_record(base.key),
        msgspec.structs.replace(
            made,
            suite=suite.name,
            key=base.key,
            config_sha256=runs_lib.base_sha256(suite, base.key),
            model_bytes={},
            phone={},
            seconds=phases.seconds,
            environment=environment(),
            started=phases.started,
        ),
    )


def publish_base(folder: Folder, suite: Suite) -> None:
    """Publishes the suite's kept base for phones, and measures it there.

    Raises:
      FolderError: if it is not made, its data are missing, or publishing
        gives other weights.
    """
    key = suite.base.key
    held = plan.require_base(folder, suite, key)
    task = _task_of(suite, suite.base)
    datasets.require_records(folder, suite, task)
    checkpoint = str(folder.checkpoint(key))
    config = str(folder.checkpoint(key) / "pipeline.config")
    phases = Phases()
    _, pipeline = _all_published(folder, suite, key, config, checkpoint, phases)
    with phases.phase("evaluate on phone"):
        phone, sizes = _on_phone(folder, suite, key, task, pipeline)
    records.write_json(
        folder.base_record(key),
        msgspec.structs.replace(
            held,
            phone=phone,
            model_bytes=sizes,
            seconds={**held.seconds, **phases.seconds},
        ),
    )


def draw_in(folder: Folder, suite: Suite, task: SuiteTask) -> None:
    """Draws what the suite's own base, made already, finds in a task's images.

    `make_base` does so where the data were there before the base.
    """
    key = suite.base.key
    checkpoint = folder.checkpoint(key)
    model, _ = _restored(str(checkpoint / "pipeline.config"), str(checkpoint))
    _draw_in(folder, key, task, model)


def _draw_in(folder: Folder, key: str, task: SuiteTask, model: Any) -> None:
    labels = str(folder.checkpoint(key) / ordinary.LABEL_MAP_FILE)
    picture = folder.drawn_by_base(key, task.key)
    accuracy.draw_foreign(folder, task, model, labels, picture)


def _restored(config: str, checkpoint: str) -> tuple[Any, Any]:
    """A model without a patch, and its pipeline."""
    pipeline = pipeline_config.without_patch(
        pipeline_config.read_pipeline(config)
    )
    model = base_model.build_model(pipeline.model, is_training=False)
    extract.restore_all(model, extract.find_checkpoint(checkpoint))
    return model, pipeline


def _keep_checkpoint(
    folder: Folder, key: str, model: Any, pipeline: Any
) -> None:
    """Writes what tasks are trained on: equal to the published one."""
    target = folder.checkpoint(key)
    shutil.rmtree(target, ignore_errors=True)
    items, _ = label_map.common_label_map(pipeline)
    ordinary.point_at(pipeline, str(target))
    with whole_folder.whole_directory(str(target)) as partial:
        ordinary.write_model(partial, model, pipeline, items)


def _trained(
    folder: Folder, suite: Suite, base: Base | GivenBase, tpu: str | None
) -> tuple[str, str]:
    """Config and checkpoint of a base that is yet to be published."""
    if isinstance(base, GivenBase):
        return _given(folder, base, suite.source)
    work = folder.base_work(base.key)
    task = runs_lib.task_of(suite, base.task)
    train_records = folder.path(task.train_records)
    if base.percent < 100:
        share = str(work / f"train_{base.percent}_percent.record")
        data.write_share(train_records, base.percent, share)
        train_records = share
    config = str(work / "pipeline.config")
    training.write_base_config(folder, suite, base, task, train_records, config)
    training.train(config, str(work / "train"), seed=_SEED, tpu=tpu)
    return config, str(work / "train")


def _given(
    folder: Folder, base: GivenBase, source: SuiteTask
) -> tuple[str, str]:
    """The base's config with the source's label map, and its checkpoint."""
    datasets.require_given(folder, base)
    given, checkpoint = folder.given(base)
    pipeline = pipeline_config.read_pipeline(given)
    path = folder.path(source.label_map)
    label_map.check_num_classes(
        label_map.read_label_map(path), pipeline.model.ssd.num_classes, path
    )
    for reader in (pipeline.train_input_reader, *pipeline.eval_input_reader):
        # A public config says PATH_TO_BE_CONFIGURED there.
        reader.label_map_path = path
    config = str(folder.base_work(base.key) / "pipeline.config")
    training.write_text(config, text_format.MessageToString(pipeline))
    return config, checkpoint


def _all_published(
    folder: Folder,
    suite: Suite,
    key: str,
    config: str,
    checkpoint: str,
    phases: Phases,
) -> tuple[Any, Any]:
    """Publishes every precision that phones want of a base.

    Returns:
      The model that is then the base, and its pipeline.

    Raises:
      FolderError: if the directory has results on other weights.
    """
    task = _task_of(suite, runs_lib.base_of(suite, key))
    for precision in _precisions(suite, key):
        with phases.phase(f"publish {precision}"):
            config, checkpoint = _published(
                folder, key, task, precision, config, checkpoint
            )
    model, pipeline = _restored(config, checkpoint)
    # Before runs could train on it.
    plan.refuse_results_of_others(
        folder, key, host_layers.find_ssd_hosts(model).fingerprint()
    )
    return model, pipeline


def _published(
    folder: Folder,
    key: str,
    task: SuiteTask,
    precision: str,
    config: str,
    checkpoint: str,
) -> tuple[str, str]:
    """Publishes one precision; what the next one is to be published from."""
    output = folder.published(key, precision)
    if not (output / MODEL_FILE).exists():
        export.export_base(
            pipeline_config_path=config,
            checkpoint_dir=checkpoint,
            output_dir=str(output),
            precision=precision,
            calibration_records=folder.path(task.train_records),
            max_detections=MAX_DETECTIONS,
            # As the OD API's evaluation does: then LiteRT and Keras differ
            # by rounding alone.
            regular_nms=True,
        )
    return (
        str(output / "checkpoint" / "pipeline.config"),
        str(output / "checkpoint"),
    )


def _measure(
    folder: Folder,
    suite: Suite,
    base: Base | GivenBase,
    model: Any,
    pipeline: Any,
    phases: Phases,
) -> None:
    task = _task_of(suite, base)
    work = folder.base_work(base.key)
    hosts = host_layers.find_ssd_hosts(model)
    with phases.phase("evaluate"):
        found = accuracy.in_keras(folder, task, model, work / "drawn.npz")
        phone, sizes = _on_phone(folder, suite, base.key, task, pipeline)
    _draw_tasks(folder, suite, base, model)
    records.write_json(
        folder.base_record(base.key),
        records.BaseRecord(
            schema=records.SCHEMA,
            suite=suite.name,
            key=base.key,
            task=task.key,
            percent=base.percent if isinstance(base, Base) else 100,
            config_sha256=runs_lib.base_sha256(suite, base.key),
            fingerprint=hosts.fingerprint(),
            parameters=cost.base_size(hosts).total,
            accuracy=found,
            model_bytes=sizes,
            phone=phone,
            seconds=phases.seconds,
            environment=environment(),
            started=phases.started,
        ),
    )


def _on_phone(
    folder: Folder, suite: Suite, key: str, task: SuiteTask, pipeline: Any
) -> tuple[dict[str, records.Accuracy], dict[str, int]]:
    phone, sizes = {}, {}
    for precision in _precisions(suite, key):
        model = (folder.published(key, precision) / MODEL_FILE).read_bytes()
        phone[precision] = accuracy.in_litert(folder, task, model, pipeline)
        sizes[precision] = len(model)
    return phone, sizes


def _precisions(suite: Suite, key: str) -> tuple[str, ...]:
    """The phone runs patches of the suite's own base, and no others."""
    return PRECISIONS if suite.phone and key == suite.base.key else ()


def _draw_tasks(
    folder: Folder,
    suite: Suite,
    base: Base | GivenBase,
    model: Any,
) -> None:
    """What the suite's own base finds in each task's images that are there."""
    if base.key != suite.base.key:
        return
    for task in suite.tasks:
        if not datasets.has_records(folder, task):
            print(f"{task.key} has no records yet, nothing is drawn in it.")
            continue
        _draw_in(folder, base.key, task, model)


def _task_of(suite: Suite, base: Base | GivenBase) -> SuiteTask:
    if isinstance(base, Base):
        return runs_lib.task_of(suite, base.task)
    return suite.source
