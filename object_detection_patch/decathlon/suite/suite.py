"""A suite: what is trained on what, and how; a JSON file or one of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import msgspec

FINE_TUNING = "FINE_TUNING"
"""The method that every score is relative to."""

_Key = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_]*\Z")]
_Label = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*\Z")]
_Count = Annotated[int, msgspec.Meta(ge=1)]
_Rate = Annotated[float, msgspec.Meta(gt=0)]

Private: TypeAlias = Literal["batch_norm", "depthwise", "both", "none"]
"""What a task keeps to itself beside its heads; see `multi_task.tasks`."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is written in a suite's file: every key known, types checked."""


class Schedule(_Strict, frozen=True, kw_only=True):
    """Batches of one training."""

    steps: _Count
    batch_size: _Count


class SuiteTask(_Strict, frozen=True, kw_only=True):
    """One data set.

    Args:
      key: short name, in run ids and file names.
      name: the data set's own name.
      train_records, eval_records: TFRecord files or patterns, `label_map` a
        file; relative paths are seen from the suite's data directory.
      train_images, eval_images: how many there are.
      schedule: of every method's training; a base may have another.
      flip, crop: augmentations that training may draw.
      honoured_flags: flags of boxes that take them out of the mAP's count;
        see `decathlon.tasks`.
      distance: how far the task is from the source by design, any ordered
        numbers; None where nobody designed it.
    """

    key: _Key
    name: str
    train_records: str
    eval_records: str
    label_map: str
    train_images: _Count
    eval_images: _Count
    schedule: Schedule
    flip: bool = True
    crop: bool = True
    honoured_flags: tuple[str, ...] = ()
    distance: int | None = None


class Method(_Strict, frozen=True, kw_only=True):
    """How a preset is trained in this suite.

    Args:
      rate: Adam's peak learning rate.
      options: text proto of further fields of the patch.
    """

    rate: _Rate
    options: str = ""


class Base(_Strict, frozen=True, kw_only=True, tag_field="kind", tag="trained"):
    """A base model to train: on a share of a task's training images.

    Args:
      key: in run ids and file names.
      task: key of the source or of a task.
      percent: of the training images, from 1 to 100.
      fingerprint: of the base that comes with the package and is taken
        instead of training; see `kept`.
    """

    key: _Key
    task: _Key
    schedule: Schedule
    rate: _Rate
    percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 100
    fingerprint: str | msgspec.UnsetType = msgspec.UNSET


class GivenBase(
    _Strict, frozen=True, kw_only=True, tag_field="kind", tag="given"
):
    """A base model that exists: pipeline.config and checkpoint."""

    key: _Key
    pipeline_config: str
    checkpoint: str


def kept_fingerprint(base: Base | GivenBase) -> str:
    """Of a base that comes with the package; empty for any other."""
    if isinstance(base, Base) and isinstance(base.fingerprint, str):
        return base.fingerprint
    return ""


class Updating(_Strict, frozen=True, kw_only=True):
    """Model updating (SpotPatch, Table 3): bases of parts of one task."""

    task: _Key
    bases: tuple[Base, ...]


class Sparsity(_Strict, frozen=True, kw_only=True):
    """Ablation of lambda_sps (SpotPatch, Table 5) for one method.

    Args:
      method: key of the suite's methods.
      options: label of a column, in run ids and file names -> text proto that
        takes the place of the method's own options. One of them may be the
        method's own: then the runs of the main experiment serve for it.
    """

    method: str
    options: Mapping[_Label, str]


class Tuning(_Strict, frozen=True, kw_only=True):
    """How the rates of the methods are chosen, without evaluation images.

    Args:
      tasks: keys of tasks, whose training images are split.
      percent: of them that are held out to choose on; the method is trained
        on the others.
      rates: method -> rates to try.
    """

    tasks: tuple[_Key, ...]
    percent: Annotated[int, msgspec.Meta(ge=1, le=50)]
    rates: Mapping[str, tuple[_Rate, ...]]


class Family(Method, frozen=True, kw_only=True):
    """A method of another family, and what it is given on some tasks.

    Args:
      options_of: key of a task -> text proto in place of `options`.
    """

    options_of: Mapping[_Key, str] = {}


class Compressed(Family, frozen=True, kw_only=True):
    """PARALLEL_ADAPTERS cut to products of low rank, and trained on.

    Args:
      share: rank of a product, as a share of its adapter's channels.
    """

    share: Annotated[float, msgspec.Meta(gt=0, le=1)]


class Families(_Strict, frozen=True, kw_only=True):
    """Further methods, compared with the suite's own on some of its tasks.

    Args:
      tasks: keys of tasks.
      methods: preset -> how it is trained.
      rates: method -> rates to try, as in `tuning`.
      tuned_on: keys of tasks of the suite's `tuning`, whose split is used.
      variants: method -> label, in run ids and file names -> options in place
        of the method's own.
      compressed: `svd` (each task by itself) or `joint_svd` (all tasks
        together) -> how PARALLEL_ADAPTERS are cut and trained on.
    """

    tasks: tuple[_Key, ...]
    methods: Mapping[str, Family]
    rates: Mapping[str, tuple[_Rate, ...]] = {}
    tuned_on: tuple[_Key, ...] = ()
    variants: Mapping[str, Mapping[_Label, str]] = {}
    compressed: Mapping[str, Compressed] = {}


class Compact(_Strict, frozen=True, kw_only=True):
    """The preset COMPACT on some tasks, and what its pieces are worth.

    Args:
      tasks: keys of tasks.
      rate: as in `Method`.
      options: label, in run ids and file names -> text proto of further
        fields of the patch.
      on_all_tasks: labels of those that the suite's other tasks have too.
    """

    tasks: tuple[_Key, ...]
    rate: _Rate
    options: Mapping[_Label, str]
    on_all_tasks: tuple[_Label, ...] = ()


class Joint(_Strict, frozen=True, kw_only=True):
    """One base that several tasks train together (K for the Price of 1).

    All of them take as many steps as the one with the most, in batches of
    their own.

    Args:
      tasks: keys of tasks.
      private: what each task keeps to itself -> Adam's peak learning rate, of
        what is shared too.
      rates: the same -> rates to try, as in `tuning`.
      tuned_on: keys of tasks of the suite's `tuning`, which are trained
        together on their splits.
    """

    tasks: tuple[_Key, ...]
    private: Mapping[Private, _Rate]
    rates: Mapping[Private, tuple[_Rate, ...]] = {}
    tuned_on: tuple[_Key, ...] = ()


class Drawn(_Strict, frozen=True, kw_only=True):
    """Data that the suite draws itself: images of `side` pixels."""

    side: _Count
    seed: Annotated[int, msgspec.Meta(ge=0)]


class Suite(_Strict, frozen=True, kw_only=True):
    """Everything that decides what the runs give.

    Args:
      architecture: key of `recipes`, for bases that the suite trains.
      source: the task that `base` was trained on.
      methods: preset -> how it is trained; FINE_TUNING is what scores are
        relative to.
      drawn: None if the records exist already.
      phone: whether bases and patches are published in float32 and int8, and
        the models that phones make of them measured.
      quick: tasks and methods of `--quick`.
      settings: what differs from the paper or is not given there, a
        sentence each.
    """

    name: _Key
    architecture: str
    source: SuiteTask
    tasks: tuple[SuiteTask, ...]
    base: Base | GivenBase
    methods: Mapping[str, Method]
    drawn: Drawn | None = None
    updating: Updating | None = None
    sparsity: Sparsity | None = None
    tuning: Tuning | None = None
    families: Families | None = None
    compact: Compact | msgspec.UnsetType = msgspec.UNSET
    joint: Joint | msgspec.UnsetType = msgspec.UNSET
    phone: bool = True
    quick: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    settings: tuple[str, ...] = ()
