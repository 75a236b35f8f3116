"""What one run gave: a JSON file, written whole, read strictly."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

from object_detection_patch.decathlon.suite.suite import Suite
from object_detection_patch.patch_file.whole_file import write_whole

SCHEMA = 1
"""Number of the layout below; a reader refuses any other."""

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Count = Annotated[int, msgspec.Meta(ge=0)]
_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_Record = TypeVar("_Record")


class RecordError(ValueError):
    """A file that should hold a record and holds something else."""


class _Strict(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    pass


class Accuracy(_Strict, frozen=True):
    """mAP at IoU 0.5 in [0, 1], by both definitions of `mean_ap`."""

    coco: _Share
    pascal: _Share


class Gate(_Strict, frozen=True):
    """A kernel that the task may leave as it is; see `methods`."""

    name: str
    place: str
    open: bool
    weights: _Count


class Footprint(_Strict, frozen=True):
    """Nominal size; see `footprint.py`, whose counts these are.

    What tasks have in common (`joint_svd`) is borne by each in even parts,
    here and in `FileBytes`.

    Args:
      bits_32, bits_8: of the patch, without the class head's last layer.
      class_head_values: numbers of that layer.
      base_parameters: counted parameters of the base.
    """

    bits_32: _Count
    bits_8: _Count
    class_head_values: _Count
    base_parameters: Annotated[int, msgspec.Meta(ge=1)]


class FileBytes(_Strict, frozen=True):
    """A patch file's size, and what it is without the class head's layer."""

    whole: Annotated[int, msgspec.Meta(ge=1)]
    without_class_head: Annotated[int, msgspec.Meta(ge=1)]

    @classmethod
    def by_encoding(
        cls, whole: Mapping[str, int], without_class_head: Mapping[str, int]
    ) -> dict[str, FileBytes]:
        """Name of an encoding -> both sizes."""
        return {
            name: cls(whole=size, without_class_head=without_class_head[name])
            for name, size in whole.items()
        }


class OnPhone(_Strict, frozen=True):
    """A published base with the patch applied, run in LiteRT.

    Args:
      patch_bytes: of the published patch file.
      model_bytes: of the .tflite that it makes.
      accuracy: on the task's evaluation images.
    """

    patch_bytes: Annotated[int, msgspec.Meta(ge=1)]
    model_bytes: Annotated[int, msgspec.Meta(ge=1)]
    accuracy: Accuracy


class BlockShare(_Strict, frozen=True):
    """A block of the backbone, and the share of images that take it tuned."""

    name: str
    share: _Share


class Routing(_Strict, frozen=True):
    """Which blocks the evaluation images take.

    Args:
      blocks: in order of the network.
      histogram: images that take 0, 1, ... all blocks tuned.
      always_tuned: of the same model when every image takes every tuned
        block; None where all images take the same ones anyway.
    """

    blocks: tuple[BlockShare, ...]
    histogram: tuple[_Count, ...]
    always_tuned: Accuracy | None


class TrainingCost(_Strict, frozen=True):
    """One step of a training, counted before it runs (`profiling`).

    Args:
      memory_bytes: parameters, activations that are kept, gradients,
        optimizer, and the largest layer's temporary values.
      kept_bytes: of activations and masks for the backward pass.
      flops: forward and backward.
      parameters: how many values train.
    """

    memory_bytes: _Count
    kept_bytes: _Count
    flops: _Count
    parameters: _Count


class Environment(_Strict, frozen=True):
    """Where a run took place."""

    python: str
    tensorflow: str
    processor: str
    cores: _Count
    package: str


class Outcome(_Strict, frozen=True):
    """What a run gave.

    Args:
      base_fingerprint: of the base that was patched, hexadecimal; in `joint`
        of the base that its training began with, while patches, which
        `footprint` and `file_bytes` weigh, are on the new one.
      accuracy: of the merged float32 model in Keras; of the trained one where
        images choose their blocks, which no merged model lets them.
      gates: of the patch; empty for methods without.
      file_bytes: encoding (`exact`, `half`, `small`, `compact`) -> size;
        records from before `compact` lack it.
      float32, int8: on the phone; None where the suite does without.
      routing: None for a method that routes nothing.
      training: None for joint trainings, and in records from before it.
    """

    base_fingerprint: str
    accuracy: Accuracy
    gates: tuple[Gate, ...]
    footprint: Footprint
    file_bytes: Mapping[str, FileBytes]
    float32: OnPhone | None
    int8: OnPhone | None
    routing: Routing | None = None
    training: TrainingCost | None = None


class RunRecord(_Strict, frozen=True):
    """One run: which, how it was done, and what came of it.

    Args:
      experiment: `main`, `updating`, `sparsity`, `families`, `compact`,
        `joint` or `tuning`.
      variant: the column of `updating` (key of the base), of `sparsity`
        (label of the options) or of `tuning` (the rate); in `families` how the
        patch that it starts from was compressed (`svd`, `joint_svd`), or
        empty; empty in `main`.
      base: key of the base.
      config_sha256: of everything that decides the result but the base's
        weights; see `suite.runs`.
      outcome: None if the run failed.
      error: why it failed, None if it did not; beside an outcome, why there
        is nothing of the phone.
      seconds: phase -> wall time in the process that ended it: a training
        that was interrupted counts from where it was resumed; of a joint
        training an even part.
      peak_bytes: largest resident memory of that process when it was trained
        and measured in Keras; 0 if it died without telling.
      started: UTC, ISO 8601.
    """

    schema: int
    suite: str
    experiment: str
    method: str
    task: str
    seed: _Count
    base: str
    variant: str
    config_sha256: str
    steps: _Count
    batch_size: _Count
    rate: float
    outcome: Outcome | None
    error: str | None
    seconds: Mapping[str, _Seconds]
    peak_bytes: _Count
    environment: Environment
    started: str


class BaseRecord(_Strict, frozen=True):
    """A base of a suite: trained or given, and published.

    Args:
      accuracy: of the Keras model on its own task's evaluation images.
      model_bytes: precision (`float32`, `int8`) -> bytes of base.tflite.
      phone: precision -> what LiteRT finds with it.
    """

    schema: int
    suite: str
    key: str
    task: str
    percent: int
    config_sha256: str
    fingerprint: str
    parameters: _Count
    accuracy: Accuracy
    model_bytes: Mapping[str, int]
    phone: Mapping[str, Accuracy]
    seconds: Mapping[str, _Seconds]
    environment: Environment
    started: str


def write_json(path: str | os.PathLike[str], record: msgspec.Struct) -> None:
    """Writes a record whole, in indented lines that diff well.

    Makes the directory that it is to lie in.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    text = msgspec.json.encode(record)
    write_whole(path, msgspec.json.format(text, indent=1) + b"\n")


def read_run(path: str | os.PathLike[str]) -> RunRecord:
    """The run of a file.

    Raises:
      RecordError: for a file that is half written, of another schema, or no
        record at all.
    """
    return _read(path, RunRecord)


def read_base(path: str | os.PathLike[str]) -> BaseRecord:
    """The base of a file; raises as `read_run` does."""
    return _read(path, BaseRecord)


def read_suite(path: str | os.PathLike[str]) -> Suite:
    """The suite of a file; raises as `read_run` does."""
    return _decode(path, Suite)


def _read(path: str | os.PathLike[str], kind: type[_Record]) -> _Record:
    record = _decode(path, kind)
    schema = getattr(record, "schema", SCHEMA)
    if schema != SCHEMA:
        raise RecordError(
            f"A record must be of schema {SCHEMA}. Received: {schema} in "
            f"{path}, written by another version."
        )
    return record


def _decode(path: str | os.PathLike[str], kind: type[_Record]) -> _Record:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise RecordError(
            f"A {kind.__name__} is read from a file. Received: {error}."
        ) from error
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(
            f"{path} must hold a whole {kind.__name__} as JSON. Received: "
            f"{len(data)} bytes that do not ({error}). A record that a copy "
            "cut short may be removed and made again; a file of your own "
            "wants mending."
        ) from error
