"""Ways to put a price on a patch: nominal bits, or bytes of real files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.tables import cells
from object_detection_patch.decathlon.report.tables.comparison import Size
from object_detection_patch.decathlon.running import record

_PUBLISHED_ENCODING = "small"


@dataclasses.dataclass(frozen=True)
class Costing:
    """A unit for patches and bases, and the mAP that is bought with it.

    Args:
      accuracy: of an outcome, in [0, 1].
      whole: a patch in bits or bytes; None where it was not measured.
      without_class_head: the same less the class head's last layer.
      base: the base in the same unit, of the results and an outcome.
    """

    key: str
    title: str
    accuracy: cells.Value
    whole: Size
    without_class_head: Size
    base: Callable[[Results, record.Outcome], float | None]
    notes: tuple[str, ...]

    def footprint(self, results: Results, *, class_head: bool) -> Size:
        """Patch over base, of an outcome."""
        size = self.whole if class_head else self.without_class_head

        def share(outcome: record.Outcome) -> float | None:
            patch, base = size(outcome), self.base(results, outcome)
            return None if patch is None or not base else patch / base

        return share


def nominal(bits: int) -> Costing:
    """Bits as the paper counts them; the mAP is that of Keras.

    Args:
      bits: of a number, 32 or 8.
    """

    def counted(outcome: record.Outcome) -> float:
        size = outcome.footprint
        return size.bits_32 if bits == 32 else size.bits_8

    def whole(outcome: record.Outcome) -> float:
        return counted(outcome) + bits * outcome.footprint.class_head_values

    return Costing(
        f"nominal_{bits}",
        f"nominal, {bits} bits a number",
        cells.keras,
        whole,
        counted,
        lambda _, outcome: bits * outcome.footprint.base_parameters,
        (
            "mAP of the float32 model in Keras"
            + ("." if bits == 32 else ", as the paper assumes for 8 bits too."),
            "The base is counted without its own class head's last layer.",
        ),
    )


def files(precision: str) -> Costing:
    """Bytes of the published patch over bytes of base.tflite.

    Args:
      precision: `float32` or `int8`, of the base and of the measured mAP.
    """

    def published(outcome: record.Outcome) -> record.OnPhone | None:
        return outcome.float32 if precision == "float32" else outcome.int8

    def whole(outcome: record.Outcome) -> float | None:
        found = published(outcome)
        return found.patch_bytes if found else None

    def without_class_head(outcome: record.Outcome) -> float | None:
        size, part = whole(outcome), outcome.file_bytes.get(_PUBLISHED_ENCODING)
        if size is None or part is None:
            return None
        return size - (part.whole - part.without_class_head)

    def base(results: Results, outcome: record.Outcome) -> float | None:
        found = results.bases.get(results.suite.base.key)
        return found.model_bytes.get(precision) if found else None

    return Costing(
        f"{precision}_files",
        f"{precision} files",
        cells.litert_float32 if precision == "float32" else cells.litert_int8,
        whole,
        without_class_head,
        base,
        (
            f"mAP of the published {precision} model in LiteRT, also that of "
            "FINE_TUNING, which the Score is relative to.",
            f"Footprint: bytes of published patches over bytes of the "
            f"{precision} base.tflite, which holds its own class head.",
            "Without class head: less what that layer takes in the "
            f"{_PUBLISHED_ENCODING} encoding, in which patches are published.",
        ),
    )


def small_files() -> Costing:
    """Bytes of the patch in its small encoding, where none is published."""

    def part(outcome: record.Outcome, which: str) -> float | None:
        found = outcome.file_bytes.get(_PUBLISHED_ENCODING)
        return float(getattr(found, which)) if found else None

    return Costing(
        "small_files",
        "small files, not published",
        cells.keras,
        lambda outcome: part(outcome, "whole"),
        lambda outcome: part(outcome, "without_class_head"),
        lambda _results, _outcome: None,
        ("mAP of the float32 model in Keras.",),
    )


SCORED = (nominal(32), nominal(8), files("float32"), files("int8"))
"""Costings with a base to relate a patch to."""
