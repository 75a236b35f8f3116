"""Scales and biases, statistics and last layers, beside their paper."""

from __future__ import annotations

from object_detection_patch.decathlon.report import family_papers
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Column, Table
from object_detection_patch.decathlon.report.tables import cells, families
from object_detection_patch.decathlon.suite.suite import Families

# Preset -> what the paper calls it; in the order of its Table 2.
NAMES = {
    "FEATURE_EXTRACTOR": "last layer",
    "BN_STATISTICS": "last layer + BatchNorm statistics",
    "BN_PATCH": "S/B + last layer",
    "SCALE_BIAS_ONLY": "S/B only (random last)",
    "DW_PATCH": "DW + last layer",
    "BN_DW_PATCH": "S/B + DW + last layer",
    "FINE_TUNING": "all",
}
_OF_THIS_PAPER = ("BN_STATISTICS", "SCALE_BIAS_ONLY")


def beside_the_paper(results: Results, given: Families) -> Table | None:
    """Average mAP of its patches here, then the accuracies that it prints.

    None unless one of the methods that are this paper's alone has run.
    """
    found = families.comparison(results, given)
    if not set(_OF_THIS_PAPER) & set(found.methods):
        return None
    rows = tuple(
        (
            method,
            name,
            cells.percent(found.average(method)),
            found.score(method),
            found.total(method, cells.footprint_32),
            family_papers.patched_average("patches_table2", method),
            family_papers.figure("patches_table3", method, "COCO to ImageNet"),
            family_papers.patched_average("patches_table6", method),
        )
        for method, name in NAMES.items()
        if method in found.methods
    )
    return Table(
        "model_patches_beside_the_paper",
        "Ours beside K for the price of 1",
        (
            Column("Method"),
            Column("the paper's name"),
            Column("Average mAP", "1"),
            Column("Score", "integer"),
            Column("Footprint", "3", "Of all patches, in bases."),
            Column("Table 2", "1", "InceptionV3, mean of three data sets."),
            Column("Table 3", "1", "COCO's SSD to ImageNet."),
            Column("Table 6", "1", "MobileNetV2, mean of four data sets."),
        ),
        rows,
        (
            "Not the same thing measured: the paper classifies photographs at "
            "224 and 299 px and prints top-1 accuracies. Ours detect, on "
            f"{len(given.tasks)} tasks: mAP@0.5 in percent. Only the order of "
            "methods can be compared. benchmarks/classification.py compares "
            "classifiers.",
            "The last layer of a detector is its two heads. Under S/B only "
            "both are frozen: the class head is random, the box head the "
            "base's.",
        ),
    )
