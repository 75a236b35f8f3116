"""Results as tables beside the paper's, and what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from classification_hosts import HOSTS, METHODS
from classification_runs import Result

from object_detection_patch.decathlon.report import family_papers
from object_detection_patch.decathlon.report import markdown as report_markdown
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Report,
    Section,
    Table,
)
from object_detection_patch.decathlon.report.tables.model_patches import NAMES

# Host -> the paper's table.
_PRINTED: dict[str, tuple[family_papers.Table, str]] = {
    "ssd": ("patches_table3", "Table 3: MobileNetV2 of COCO's SSD, 224 px"),
    "mobilenet": ("patches_table6", "Table 6: MobileNetV2, 224 px"),
    "inception": ("patches_table2", "Table 2: InceptionV3, 299 px"),
}
_PARAMETERS = "parameters"

_INTRODUCTION = (
    "Networks that learn another task by training little of themselves. Ours "
    "stand beside what K for the price of 1 prints; only the order of methods "
    "can be compared."
)
_DIFFERENCES = (
    "Ours are small drawings and 8 x 8 digits, enlarged; theirs photographs "
    "of ImageNet and five other data sets. Ten classes, where theirs have "
    "100 to 1000.",
    "Theirs are trained on ImageNet or COCO first. Ours on drawings: the "
    "SSD's extractor to detect in the drawn Open Images, MobileNetV2 and "
    "InceptionV3 from random numbers on crops of it. Accuracies of that "
    "training stand on top.",
    "Ours train for minutes under Adam with cosine decay at one rate a "
    "method, chosen for MobileNetV2 on digits; theirs 50,000 to 200,000 "
    "steps under RMSProp.",
    "InceptionV3's BatchNorms have a scale here, as the paper's patch "
    "supposes; in tf_keras they have none.",
    "One seed, few evaluation images: accuracies differ by chance by two "
    "points or more.",
    "Parameters are those that train, as in the paper. A random last layer "
    "ships in our files all the same.",
)


def markdown(results: Sequence[Result]) -> str:
    """A table for each host, ours on the left, and what differs."""
    sources = [r for r in results if not r.run.method]
    patched = [r for r in results if r.run.method]
    sections = tuple(
        _section([r for r in patched if r.run.host == host])
        for host in HOSTS
        if any(r.run.host == host for r in patched)
    )
    differences = Section("differences", "What differs", _DIFFERENCES)
    return report_markdown.render(
        Report(
            "Patches of classifiers",
            (_INTRODUCTION, *map(_of_source, sources)),
            (*sections, differences),
        )
    )


def _of_source(result: Result) -> str:
    run = result.run
    return (
        f"{HOSTS[run.host].title} after {run.steps} steps on the source: "
        f"{100 * result.accuracy:.1f} % of its evaluation crops are right; "
        f"the most frequent class would give {100 * result.chance:.1f} %."
    )


def _section(results: Sequence[Result]) -> Section:
    """One host's results, which are not empty."""
    host = results[0].run.host
    table, title = _PRINTED[host]
    found = {(_place(r), r.run.method): r for r in results}
    places = list(dict.fromkeys(place for place, _ in found))
    printed = family_papers.columns(table)
    rows = tuple(
        _row(method, [found.get((p, method)) for p in places], table)
        for method in METHODS
        if any((place, method) in found for place in places)
    )
    columns = (
        Column("Trained"),
        Column("Preset"),
        Column("Parameters", "integer", f"That train, on {places[0]}."),
        Column("Patch, bytes", "bytes", "Its file, numbers as they are."),
        *(Column(place, "1", "Top-1 accuracy in percent.") for place in places),
        *(
            Column(f"theirs: {name}", "integer" if name == _PARAMETERS else "1")
            for name in printed
        ),
    )
    return Section(
        host,
        f"{HOSTS[host].title}, {HOSTS[host].image_size} px",
        tables=(Table(host, f"Beside {title}", columns, rows, _notes(found)),),
    )


def _row(
    method: str,
    results: Sequence[Result | None],
    table: family_papers.Table,
) -> tuple[Cell, ...]:
    first = next(r for r in results if r is not None)
    return (
        NAMES[method],
        method,
        first.trained_parameters,
        first.patch_bytes,
        *(None if r is None else 100 * r.accuracy for r in results),
        *(
            family_papers.figure(table, method, name)
            for name in family_papers.columns(table)
        ),
    )


def _notes(found: Mapping[tuple[str, str], Result]) -> tuple[str, ...]:
    chances = {place: r.chance for (place, _), r in found.items()}
    return (
        "The most frequent class would give: "
        + ", ".join(f"{100 * c:.1f} % ({p})" for p, c in chances.items())
        + ".",
    )


def _place(result: Result) -> str:
    run = result.run
    return f"{run.task}, {run.start} start"
