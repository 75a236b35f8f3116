"""Greedy construction of a cascade from models, costs and confidences.

Reference: M. Streeter, Approximation Algorithms for Cascading Prediction
Models, ICML 2018, which Mudrarkarta et al. apply to resolutions (K for the
Price of 1, Appendix C). Its rule: again and again take the model and threshold
that answer the most images for their cost among those that keep the accuracy.

Streeter asks each stage to be accurate enough on the images that it answers,
and so the whole is. That holds for measures that are means over images; mAP is
none. Here the whole is measured each time, what is not yet answered being
left to the reference.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

# Number of the model that answers each image -> quality, such as mAP.
Quality: TypeAlias = Callable[[np.ndarray], float]


@dataclasses.dataclass(frozen=True)
class Stage:
    """A model that answers images with at least this confidence.

    The last stage is the reference, whose threshold is minus infinity.
    """

    model: int
    threshold: float


@dataclasses.dataclass(frozen=True)
class Cascade:
    """Stages in the order in which an image meets them."""

    stages: tuple[Stage, ...]

    def answering(self, confidences: np.ndarray) -> np.ndarray:
        """Number of the stage that answers each image, int [images].

        Args:
          confidences: float [models, images].
        """
        sure = np.stack(
            [confidences[s.model] >= s.threshold for s in self.stages]
        )
        return np.argmax(sure, axis=0)

    def models(self, confidences: np.ndarray) -> np.ndarray:
        """Number of the model that answers each image, int [images]."""
        numbers = np.array([stage.model for stage in self.stages])
        return numbers[self.answering(confidences)]

    def costs(self, confidences: np.ndarray, costs: np.ndarray) -> np.ndarray:
        """Cost of each image: of all the models that looked at it."""
        of_stages = np.cumsum([costs[stage.model] for stage in self.stages])
        return of_stages[self.answering(confidences)]


def construct(
    confidences: np.ndarray,
    costs: Sequence[float],
    quality: Quality,
    *,
    reference: int,
    floor: float,
    places: int = 50,
) -> Cascade:
    """The greedy cascade whose quality is that of the reference, or `floor`.

    A model is a stage once at most. The average cost is never above the
    reference's, because a stage is taken only if it answers more images for
    its cost than the reference would.

    Args:
      confidences: float [models, images], of the images to choose on.
      costs: of one image, by model, in any unit, above 0.
      quality: of an assignment of models to those images.
      reference: number of the model that answers what no other may.
      floor: least quality of the whole; at most that of the reference alone.
      places: the most thresholds of a model that are tried at each stage,
        evenly among the images that are left.

    Raises:
      ValueError: for arguments of other shapes, costs that are none, or a
        floor that the reference itself misses.
    """
    sure = np.asarray(confidences, np.float64)
    cost = np.asarray(costs, np.float64)
    _check(sure, cost, reference)
    search = _Search(sure, cost, quality, reference, floor, places)
    if not search.quality_now() >= floor:
        raise ValueError(
            "The quality to keep must be one that the reference has alone, "
            f"{search.quality_now():.6g}. Received: {floor:.6g}."
        )
    stages = [*iter(search.next_stage, None), Stage(reference, -math.inf)]
    return Cascade(tuple(stages))


def _check(confidences: np.ndarray, costs: np.ndarray, reference: int) -> None:
    if (
        confidences.ndim != 2
        or costs.shape != confidences.shape[:1]
        or not confidences.size
        or np.isnan(confidences).any()
    ):
        raise ValueError(
            "Each model needs a cost and a confidence for each image, none of "
            f"them NaN. Received: confidences {confidences.shape}, costs "
            f"{costs.shape}."
        )
    if not (np.isfinite(costs) & (costs > 0)).all():
        raise ValueError(
            f"Costs must be finite and above 0. Received: {costs.tolist()}."
        )
    if not 0 <= reference < len(costs):
        raise ValueError(
            f"The reference must be one of {len(costs)} models, counted from "
            f"0. Received: {reference}."
        )


class _Search:
    """What is answered so far, and what may answer the rest."""

    def __init__(
        self,
        confidences: np.ndarray,
        costs: np.ndarray,
        quality: Quality,
        reference: int,
        floor: float,
        places: int,
    ) -> None:
        self._confidences = confidences
        self._costs = costs
        self._quality = quality
        self._reference = reference
        self._floor = floor
        self._places = places
        self._models = [m for m in range(len(costs)) if m != reference]
        self._assigned = np.full(confidences.shape[1], reference)
        self._left = np.ones(confidences.shape[1], bool)

    def quality_now(self) -> float:
        return self._quality(self._assigned)

    def next_stage(self) -> Stage | None:
        """Takes the best stage; None where the reference is the best."""
        best, most = None, self._left.sum() / self._costs[self._reference]
        for model in self._models:
            stage = self._farthest(model)
            rate = self._answered(stage).sum() / self._costs[model]
            if rate > most:
                best, most = stage, rate
        if best is not None:
            answered = self._answered(best)
            self._assigned[answered] = best.model
            self._left &= ~answered
            self._models.remove(best.model)
        return best

    def _farthest(self, model: int) -> Stage:
        """The stage that answers most; that of plus infinity answers none."""
        for threshold in self._thresholds(model):
            tried = self._assigned.copy()
            tried[self._answered(Stage(model, threshold))] = model
            if self._quality(tried) >= self._floor:
                return Stage(model, threshold)
        return Stage(model, math.inf)

    def _thresholds(self, model: int) -> Iterator[float]:
        """From that of all images that are left on, ever fewer."""
        found = np.unique(self._confidences[model, self._left])
        indices = np.linspace(0, len(found) - 1, self._places).round()
        if len(found):
            places = np.unique(indices.astype(int))
            yield from map(float, _below(found)[places])

    def _answered(self, stage: Stage) -> np.ndarray:
        return self._left & (self._confidences[stage.model] >= stage.threshold)


def _below(values: np.ndarray) -> np.ndarray:
    """A float32 step below ascending values, unless that meets the next one.

    An app that computes a confidence in float32, or sums in another order,
    then falls on the same side.
    """
    lower = np.nextafter(values.astype(np.float32), np.float32(-np.inf))
    apart = lower[1:] > values[:-1]
    return np.where([True, *apart], lower.astype(np.float64), values)
