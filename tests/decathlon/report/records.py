"""Made-up records of runs, bases and conversions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite import runs as runs_lib

BASE_PARAMETERS = 2_095_512
KERNELS = 71
_MEBIBYTE = 2**20
_STARTED = "2026-01-02T03:04:05Z"
_ENVIRONMENT = record.Environment(
    python="3.12.3",
    tensorflow="2.20.0",
    processor="made up",
    cores=2,
    package="0.0.0",
)


def accuracy(coco: float, pascal: float | None = None) -> record.Accuracy:
    """mAP in [0, 1]; both definitions alike unless told."""
    return record.Accuracy(coco=coco, pascal=coco if pascal is None else pascal)


def gates(
    opened: int, kernels: int = KERNELS, weights: int = 1000
) -> tuple[record.Gate, ...]:
    """The first kernels open; kernel number i has `weights` + i weights."""
    return tuple(
        record.Gate(
            name=f"kernel_{index}",
            place=("backbone", "fpn", "tower")[index * 3 // kernels],
            open=index < opened,
            weights=weights + index,
        )
        for index in range(kernels)
    )


def footprint(
    share: float, share_8: float | None = None, class_head_values: int = 10_000
) -> record.Footprint:
    """A patch of a share of the base's bits, rounded to whole bits."""
    share_8 = share if share_8 is None else share_8
    return record.Footprint(
        bits_32=round(share * 32 * BASE_PARAMETERS),
        bits_8=round(share_8 * 8 * BASE_PARAMETERS),
        class_head_values=class_head_values,
        base_parameters=BASE_PARAMETERS,
    )


def sizes(whole: int, class_head: int = 40_000) -> record.FileBytes:
    """A file's bytes, of which at most half are the class head's."""
    head = min(class_head, whole // 2)
    return record.FileBytes(whole=whole, without_class_head=whole - head)


def outcome(
    coco: float,
    pascal: float | None = None,
    *,
    share: float = 0.05,
    share_8: float | None = None,
    opened: tuple[record.Gate, ...] = (),
    file_bytes: int = 100_000,
    patch_bytes: int | None = None,
    float32: float | None = None,
    int8: float | None = None,
    on_phone: bool = True,
) -> record.Outcome:
    """What a run gave.

    Args:
      coco, pascal: mAP in [0, 1].
      share, share_8: footprint of 32 and 8 bits.
      file_bytes: of the `small` file; `half` is twice, `exact` four times
        as large.
      patch_bytes: of both published patches; `file_bytes` + 500 if None.
      float32, int8: mAP in LiteRT; `coco` if None.
      on_phone: whether anything is published.
    """
    published = file_bytes + 500 if patch_bytes is None else patch_bytes

    def phone(value: float | None, model_bytes: int) -> record.OnPhone | None:
        if not on_phone:
            return None
        return record.OnPhone(
            patch_bytes=published,
            model_bytes=model_bytes,
            accuracy=accuracy(coco if value is None else value),
        )

    return record.Outcome(
        base_fingerprint="ab" * 32,
        accuracy=accuracy(coco, pascal),
        gates=opened,
        footprint=footprint(share, share_8),
        file_bytes={
            "exact": sizes(4 * file_bytes),
            "half": sizes(2 * file_bytes),
            "small": sizes(file_bytes),
        },
        float32=phone(float32, 10 * _MEBIBYTE),
        int8=phone(int8, 3 * _MEBIBYTE),
    )


def run(
    method: str,
    task: str,
    outcome: record.Outcome | None,
    *,
    seed: int = 1,
    experiment: str = runs_lib.MAIN,
    variant: str = "",
    base: str = "base",
    seconds: Mapping[str, float] | None = None,
    peak_bytes: int = 2**30,
) -> record.RunRecord:
    """A run; one without outcome has failed."""
    return record.RunRecord(
        schema=record.SCHEMA,
        suite="mini",
        experiment=experiment,
        method=method,
        task=task,
        seed=seed,
        base=base,
        variant=variant,
        config_sha256="cd" * 32,
        steps=300,
        batch_size=16,
        rate=1e-3,
        outcome=outcome,
        error=None if outcome else "ValueError: Received: nothing | at all.",
        seconds={"train": 60.0, "evaluate": 5.0}
        if seconds is None
        else seconds,
        peak_bytes=peak_bytes,
        environment=_ENVIRONMENT,
        started=_STARTED,
    )


def base(
    key: str = "base",
    task: str = "oid",
    *,
    percent: int = 100,
    coco: float = 0.5,
    phone: bool = True,
) -> record.BaseRecord:
    """A base of 9 MiB, 2.5 MiB in int8."""
    model_bytes = {"float32": 9 * _MEBIBYTE, "int8": 5 * _MEBIBYTE // 2}
    accuracies = {"float32": accuracy(coco), "int8": accuracy(coco * 0.99)}
    return record.BaseRecord(
        schema=record.SCHEMA,
        suite="mini",
        key=key,
        task=task,
        percent=percent,
        config_sha256="ef" * 32,
        fingerprint="ab" * 32,
        parameters=BASE_PARAMETERS,
        accuracy=accuracy(coco),
        model_bytes=model_bytes if phone else {},
        phone=accuracies if phone else {},
        seconds={"train": 300.0, "publish": 40.0},
        environment=_ENVIRONMENT,
        started=_STARTED,
    )


def conversion(key: str, split: str, images: int) -> dict[str, Any]:
    """The keys of a converter's report that say how much was written."""
    return {
        "dataset": key,
        "title": f"The {key} data set",
        "split": split,
        "expected_images": 10 * images,
        "order": "as listed",
        "options": {"num_shards": 1},
        "shards": [f"{key}_{split}.record-00000-of-00001"],
        "images_by_shard": [images],
        "bytes_by_shard": [4000 * images],
        "counts": {
            "images": {"annotated": images, "written": images},
            "boxes": {"annotated": 2 * images, "kept": 2 * images},
            "classes": {"this": images, "that": images},
        },
        "identity": "12" * 32,
    }
