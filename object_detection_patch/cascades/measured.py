"""A cascade chosen on some images, and measured on others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from object_detection_patch.cascades.confidence import confidence
from object_detection_patch.cascades.construction import Cascade, construct
from object_detection_patch.cascades.members import Member
from object_detection_patch.decathlon.evaluated import measure


@dataclasses.dataclass(frozen=True)
class Single:
    """One detector alone: its mAP@0.5 on the measured images."""

    patch: str
    image_size: tuple[int, int]
    flops: int
    accuracy: float


@dataclasses.dataclass(frozen=True)
class MeasuredStage:
    """A stage, and the share of the measured images that it sees and answers.

    `threshold` is None for the last stage, which answers whatever is left.
    """

    patch: str
    image_size: tuple[int, int]
    threshold: float | None
    seen: float
    answered: float


@dataclasses.dataclass(frozen=True)
class MeasuredCascade:
    """A cascade beside the detectors that it is made of.

    Args:
      reference: patch of the detector that is best on the choosing images.
      accuracy: mAP@0.5 of the cascade on the measured images.
      flops: mean of the measured images.
      chosen_on, measured_on: numbers of images.
    """

    singles: tuple[Single, ...]
    reference: str
    stages: tuple[MeasuredStage, ...]
    accuracy: float
    flops: float
    chosen_on: int
    measured_on: int

    @property
    def reference_single(self) -> Single:
        return next(s for s in self.singles if s.patch == self.reference)

    @property
    def saved(self) -> float:
        """Share of the reference's FLOPs that is saved on average."""
        return 1 - self.flops / self.reference_single.flops


def halves(members: Sequence[Member]) -> tuple[list[Member], list[Member]]:
    """The first, third, ... image to choose on; the second, ... to measure."""
    parts = [
        [dataclasses.replace(m, images=m.images[start::2]) for m in members]
        for start in (0, 1)
    ]
    return parts[0], parts[1]


def alone(member: Member) -> float:
    """mAP@0.5 of a detector that answers all of its images."""
    return measure(member.images, definition="coco").value


def cascade(
    choosing: Sequence[Member],
    measuring: Sequence[Member],
    *,
    allowed_loss: float = 0.0,
) -> MeasuredCascade:
    """Chooses a cascade on some images and measures it on others.

    Args:
      choosing: the members with their finds in the images to choose on.
      measuring: the same, in the images to measure on.
      allowed_loss: of mAP, below that of the best member, on the choosing
        images.

    Raises:
      ValueError: if either has no image, or none with an object.
    """
    _refuse_without_objects(choosing, "to choose on")
    _refuse_without_objects(measuring, "to measure on")
    of_each = [alone(member) for member in choosing]
    reference = int(np.argmax(of_each))
    chosen = construct(
        _confidences(choosing),
        [member.flops for member in choosing],
        lambda assigned: _accuracy(choosing, assigned),
        reference=reference,
        floor=of_each[reference] - allowed_loss,
    )
    return _measured(chosen, measuring, reference, len(choosing[0].images))


def _refuse_without_objects(members: Sequence[Member], what: str) -> None:
    images = members[0].images
    if not any(len(image.true_boxes) for image in images):
        raise ValueError(
            f"Among the images {what} some must have an object "
            "(`--eval_records`, `--choose_records`). Received: none in "
            f"{len(images)} images."
        )


def _measured(
    chosen: Cascade,
    members: Sequence[Member],
    reference: int,
    chosen_on: int,
) -> MeasuredCascade:
    confidences = _confidences(members)
    flops = np.array([member.flops for member in members], np.float64)
    return MeasuredCascade(
        singles=tuple(
            Single(
                member.patch,
                member.image_size,
                member.flops,
                alone(member),
            )
            for member in members
        ),
        reference=members[reference].patch,
        stages=_stages(chosen, members, confidences),
        accuracy=_accuracy(members, chosen.models(confidences)),
        flops=float(chosen.costs(confidences, flops).mean()),
        chosen_on=chosen_on,
        measured_on=confidences.shape[1],
    )


def _stages(
    chosen: Cascade, members: Sequence[Member], confidences: np.ndarray
) -> tuple[MeasuredStage, ...]:
    answering = chosen.answering(confidences)
    last = len(chosen.stages) - 1
    return tuple(
        MeasuredStage(
            members[stage.model].patch,
            members[stage.model].image_size,
            None if number == last else stage.threshold,
            float((answering >= number).mean()),
            float((answering == number).mean()),
        )
        for number, stage in enumerate(chosen.stages)
    )


def _confidences(members: Sequence[Member]) -> np.ndarray:
    return np.array(
        [[confidence(image.scores) for image in m.images] for m in members]
    )


def _accuracy(members: Sequence[Member], assigned: np.ndarray) -> float:
    """mAP@0.5 when each image is answered by its member."""
    images = [
        members[model].images[number] for number, model in enumerate(assigned)
    ]
    return measure(images, definition="coco").value
