"""Table 4: sizes of patches with 32 and 8 bits, nominal and in files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells, order
from object_detection_patch.decathlon.report.tables.best import Wanted, best
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    Size,
    compare,
)
from object_detection_patch.decathlon.report.tables.setting import setting_note
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.suite import FINE_TUNING

_MEBIBYTE = 2**20
_BASE = "base.tflite"


def nominal(results: Results) -> Table:
    """Footprint and mebibytes of all patches, as the paper counts."""
    compared = compare(results, cells.keras)
    rows = tuple(
        _nominal_row(compared, method) for method in order.methods(results)
    )
    lowest: dict[int, Wanted] = dict.fromkeys(range(1, 9), "lowest")
    return Table(
        "table_4_nominal",
        "Table 4: nominal size of all patches",
        (
            Column("Method"),
            Column("Footprint, 32 bits", "2"),
            Column("paper", "2"),
            Column("Footprint, 8 bits", "2"),
            Column("paper", "2"),
            Column("MiB, 32 bits", "2", "Written MB in the paper."),
            Column("paper", "2"),
            Column("MiB, 8 bits", "2"),
            Column("paper", "2"),
        ),
        rows,
        (
            "Without the class head's last layer, as the paper counts.",
            *_base_note(results),
            setting_note(results),
            *compared.notes(),
        ),
        best(rows, lowest, apart=[FINE_TUNING]),
    )


def files(results: Results) -> Table | None:
    """Bytes of all patches together, by encoding and as published."""
    compared = compare(results, cells.keras)
    sizes = _file_sizes(compared)
    if not compared.tasks:
        return None
    rows = tuple(
        (method, *(compared.total(method, size) for size in sizes.values()))
        for method in compared.methods
    )
    lowest: dict[int, Wanted] = dict.fromkeys(
        range(1, len(sizes) + 1), "lowest"
    )
    return Table(
        "table_4_files",
        "Table 4, measured: bytes of the files of all patches",
        (Column("Method"), *(Column(title, "bytes") for title in sizes)),
        (*rows, _base_row(results, len(sizes))),
        (
            "Files hold everything that a phone needs: the class head's last "
            "layer, names, labels and checksums too.",
            f"{_listed(_encodings(compared))} are encodings of the trained "
            "patch; published patches are small ones for one base.tflite each, "
            "with what that base needs to check the result.",
            f"The last row is one {_BASE}; the sums above it are over "
            f"{len(compared.tasks)} tasks.",
            *compared.notes(),
        ),
        best(rows, lowest, apart=[FINE_TUNING]),
    )


def _nominal_row(compared: Comparison, method: str) -> tuple[Cell, ...]:
    return (
        method,
        compared.total(method, cells.footprint_32),
        paper.patch_size(method, "footprint_32bit"),
        compared.total(method, cells.footprint_8),
        paper.patch_size(method, "footprint_8bit"),
        compared.total(method, lambda o: o.footprint.bits_32 / 8 / _MEBIBYTE),
        paper.patch_size(method, "size_32bit_mb"),
        compared.total(method, lambda o: o.footprint.bits_8 / 8 / _MEBIBYTE),
        paper.patch_size(method, "size_8bit_mb"),
    )


def _base_note(results: Results) -> Iterator[str]:
    base = results.bases.get(results.suite.base.key)
    if base:
        yield (
            f"Our base has {base.parameters:,} counted parameters; MiB can be "
            "compared with the paper's only where bases are of its size."
        )


def _encodings(compared: Comparison) -> list[str]:
    """Those of any record, which older programs wrote fewer of."""
    return list(
        dict.fromkeys(
            encoding
            for outcomes in compared.outcomes.values()
            for outcome in outcomes.values()
            for encoding in outcome.file_bytes
        )
    )


def _listed(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _file_sizes(compared: Comparison) -> dict[str, Size]:
    """Title of a column -> bytes of an outcome."""
    sizes: dict[str, Size] = {"nominal": lambda o: o.footprint.bits_32 / 8}
    for encoding in _encodings(compared):
        sizes[encoding] = _encoded(encoding, lambda size: size.whole)
        sizes[f"{encoding} without class head"] = _encoded(
            encoding, lambda size: size.without_class_head
        )
    sizes["published, float32"] = _published_float32
    sizes["published, int8"] = _published_int8
    return sizes


def _encoded(encoding: str, part: Callable[[record.FileBytes], int]) -> Size:
    def size(outcome: record.Outcome) -> float | None:
        found = outcome.file_bytes.get(encoding)
        return part(found) if found else None

    return size


def _published_float32(outcome: record.Outcome) -> float | None:
    return outcome.float32.patch_bytes if outcome.float32 else None


def _published_int8(outcome: record.Outcome) -> float | None:
    return outcome.int8.patch_bytes if outcome.int8 else None


def _base_row(results: Results, columns: int) -> tuple[Cell, ...]:
    base = results.bases.get(results.suite.base.key)
    sizes = base.model_bytes if base else {}
    gaps: tuple[Cell, ...] = (None,) * (columns - 2)
    return (_BASE, *gaps, sizes.get("float32"), sizes.get("int8"))
