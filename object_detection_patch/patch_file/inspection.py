"""What a patch file holds, and where its bytes go: `od-patch inspect`."""

from __future__ import annotations

import os
from typing import Any

from object_detection_patch.patch_file import edits as edits_lib
from object_detection_patch.patch_file import errors, layout
from object_detection_patch.patch_file.encoding import kind_of
from object_detection_patch.patch_file.entry import Entry
from object_detection_patch.patch_file.reader import ParsedFile, read_file
from object_detection_patch.patch_file.signature import SIGNED_END_BYTES
from object_detection_patch.patch_file.texts import check_name
from object_detection_patch.patch_file.trained_size import trained_size

# Where the bytes of a file can go; `header` is what is in no section, the
# prelude and the checksum among it.
KINDS = (
    "masks",
    "scales",
    "batch_norm",
    "kernels",
    "box_head",
    "class_head",
    "header",
)
_EDIT_NAMES = {
    layout.REPLACE: "replace",
    layout.ADD_SIGNED: "add_signed",
    layout.AFFINE_MASK: "affine_mask",
    layout.KEEP_MASKED: "keep_masked",
    layout.SCALE_OFFSET: "scale_offset",
    layout.ADD_AT_CENTRE: "add_at_centre",
    layout.ADD_PRODUCT_AT_CENTRE: "add_product_at_centre",
    layout.MIX_OUTPUTS: "mix_outputs",
    layout.MIX_OUTPUTS_BY_PRODUCT: "mix_outputs_by_product",
}
_VALUE_TYPES = {
    layout.BITS: "bit",
    layout.FLOAT32: "float32",
    layout.FLOAT16: "float16",
}
_CODECS = {
    layout.STORED: "none",
    layout.ZLIB: "zlib",
    layout.PLANES: "planes",
}
_TABLE = ("layer", "edit", "gate", "scale", "weights", "bits", "bytes")
# What every section has alike in a file of version 1, or nearly so.
_TABLE_2 = (*_TABLE, "values", "packed", "error")
_NUMBERS_FROM = _TABLE.index("scale")


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A patch file as plain data, ready for `json.dumps`.

    `layers` has a row for each edit, in the file's order, then one for each
    kernel that `metadata["gateable"]` lists and no edit touches (its gate is
    closed). A row's `weights` are the numbers of its tensor, its `bits` those
    of the section before compression, its `bytes` those in the file. `scale`
    is a number, the three of an affine mask, or None; `value_type` is
    `grid8` for a grid of 8 bits, `half_grid8` for a half grid, and
    `max_error` bounds how far a value may be from the one that was written
    (FORMAT.md, Error). Other rows have None there. `bytes_by_kind` adds up
    to `total`, the size of the file; biases and matrices are among
    `kernels`, `signature` only in signed files.

    A file of version 2 to 4 has the keys `releases`, `model_metadata_bytes`
    and `signed_by` as well: the public key in hexadecimal, or None. Nothing is
    verified here: whoever signed a file chose the key that stands in it.

    Raises:
      PatchFileError: as `read_patch`, or if `gateable` is malformed.
      OSError: if the file cannot be read.
    """
    return described(read_file(path))


def described(parsed: ParsedFile) -> dict[str, Any]:
    """`describe` of a file that was read; MetadataError as there."""
    patch = parsed.patch
    gateable = _gateable(patch.metadata)
    rows = [
        _row(edit, entry, max_error, gateable)
        for edit, entry, max_error in zip(
            patch.edits, parsed.entries, parsed.max_errors, strict=True
        )
    ]
    edited = {row["name"] for row in rows}
    rows += [
        _closed_row(name, weights)
        for name, weights in gateable.items()
        if name not in edited
    ]
    gates = [row["gate"] for row in rows]
    found = {
        "format_version": parsed.version,
        "method": patch.method,
        "base_fingerprint": patch.base_fingerprint,
        "label_map": [
            {
                "id": item.id,
                "name": item.name,
                "display_name": item.display_name,
            }
            for item in patch.label_map
        ],
        "metadata": patch.metadata,
        "gates": {"open": gates.count("open"), "closed": gates.count("closed")},
        "layers": rows,
        "bytes_by_kind": _bytes_by_kind(parsed),
    }
    return found | (_of_version_2(parsed) if parsed.version > 1 else {})


def as_text(description: dict[str, Any]) -> str:
    """The text of `od-patch inspect` for what `describe` returned."""
    gates = description["gates"]
    sums = description["bytes_by_kind"]
    lines = [
        f"method       {description['method']}",
        f"base         {description['base_fingerprint']}",
        f"classes      {len(description['label_map'])}",
        f"gates        {gates['open']} open, {gates['closed']} closed",
        *_lines_of_size(description["metadata"]),
        *_lines_of_version_2(description),
        "",
        *_table(description),
        "",
        *(f"{kind:<12}{size:>10,} bytes" for kind, size in sums.items()),
    ]
    return "\n".join(lines)


def _of_version_2(parsed: ParsedFile) -> dict[str, Any]:
    signature = parsed.signature
    return {
        "releases": [
            {
                "base_sha256": release.base_sha256,
                "result_sha256": release.result_sha256,
                "activations": len(release.activations),
            }
            for release in parsed.patch.releases
        ],
        "model_metadata_bytes": len(parsed.patch.model_metadata),
        "signed_by": signature.public_key.hex() if signature else None,
    }


def _lines_of_size(metadata: dict[str, Any]) -> list[str]:
    size = trained_size(metadata)
    if size is None:
        return []
    height, width = size
    return [f"trained at   {height} x {width} pixels"]


def _lines_of_version_2(description: dict[str, Any]) -> list[str]:
    if description["format_version"] < 2:
        return []
    key = description["signed_by"]
    model_metadata = description["model_metadata_bytes"]
    lines = [
        f"model data   {model_metadata:,} bytes of TFLite Model Metadata",
        f"signed by    {f'{key}, not verified' if key else 'nobody'}",
    ]
    for release in description["releases"]:
        count = release["activations"]
        lines += [
            f"released for {release['base_sha256']}",
            f"  result     {release['result_sha256']}, {count} activations",
        ]
    return lines


def _row(
    edit: edits_lib.Edit,
    entry: Entry,
    max_error: float | None,
    gateable: dict[str, int],
) -> dict[str, Any]:
    single = edits_lib.scalars(edit)
    gated = isinstance(edit, edits_lib.AddSigned) or edit.target in gateable
    return {
        "name": edit.target,
        "place": edits_lib.place_of(edit.target),
        "edit": _EDIT_NAMES[entry.kind],
        "gate": "open" if gated else None,
        "scale": _scale(single),
        "shape": list(entry.shape),
        "weights": entry.elements,
        "value_type": _value_type(entry),
        "compression": _CODECS[entry.codec],
        "max_error": max_error,
        "bits": 32 * len(single) + entry.raw_bits,
        "bytes": entry.section_bytes,
    }


def _closed_row(name: str, weights: int) -> dict[str, Any]:
    return {
        "name": name,
        "place": edits_lib.place_of(name),
        "edit": None,
        "gate": "closed",
        "scale": None,
        "shape": None,
        "weights": weights,
        "value_type": None,
        "compression": None,
        "max_error": None,
        "bits": 0,
        "bytes": 0,
    }


def _value_type(entry: Entry) -> str:
    if entry.grid is not None:
        return f"{'half_' * entry.grid.half}grid{entry.grid.bits}"
    return _VALUE_TYPES[entry.value_type]


def _scale(single: tuple[float, ...]) -> float | list[float] | None:
    if not single:
        return None
    return single[0] if len(single) == 1 else list(single)


def _bytes_by_kind(parsed: ParsedFile) -> dict[str, int]:
    sums = dict.fromkeys(KINDS, 0)
    for entry in parsed.entries:
        sums[_kind(entry)] += entry.stored_bytes
        sums["scales"] += entry.scalar_bytes
    if parsed.signature is not None:
        sums["signature"] = SIGNED_END_BYTES
    sums["header"] = parsed.file_bytes - sum(sums.values())
    return sums | {"total": parsed.file_bytes}


def _kind(entry: Entry) -> str:
    if entry.value_type == layout.BITS:
        return "masks"
    batch_norm = entry.kind == layout.SCALE_OFFSET
    return kind_of(entry.target, batch_norm=batch_norm)


def _gateable(metadata: dict[str, Any]) -> dict[str, int]:
    """Name -> weights of each kernel that has a gate."""
    found: dict[str, int] = {}
    rows = metadata.get("gateable", [])
    for row in rows if isinstance(rows, list) else [rows]:
        if not _is_gateable(row):
            raise errors.MetadataError(
                "`gateable` in the metadata must list objects with a text "
                f"`name` and a number of `weights`. Received: "
                f"{errors.shown(row)}."
            )
        check_name("gateable.name", row["name"])
        found[row["name"]] = row["weights"]
    return found


def _is_gateable(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("name"), str)
        and type(row.get("weights")) is int
        and row["weights"] >= 0
    )


def _table(description: dict[str, Any]) -> list[str]:
    header = _TABLE if description["format_version"] < 2 else _TABLE_2
    rows = [_cells(row)[: len(header)] for row in description["layers"]]
    cells = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            # Names to the left, numbers to the right.
            f"{cell:<{width}}" if column < _NUMBERS_FROM else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(
                zip(row, widths, strict=True)
            )
        ).rstrip()
        for row in cells
    ]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    scale = row["scale"]
    if scale is None:
        scale = []
    numbers = scale if isinstance(scale, list) else [scale]
    max_error = row["max_error"]
    return (
        row["name"],
        row["edit"] or "-",
        row["gate"] or "-",
        " ".join(f"{number:.4g}" for number in numbers) or "-",
        f"{row['weights']:,}",
        f"{row['bits']:,}",
        f"{row['bytes']:,}",
        row["value_type"] or "-",
        row["compression"] or "-",
        "-" if max_error is None else f"{max_error:.2g}",
    )
