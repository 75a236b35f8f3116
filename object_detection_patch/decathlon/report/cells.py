"""How a cell is written for people."""

from __future__ import annotations

from object_detection_patch.decathlon.report.contents import Cell, Style

GAP = "–"


def written(cell: Cell, style: Style) -> str:
    """A number in its column's style; words as they are; GAP for None."""
    if cell is None:
        return GAP
    if isinstance(cell, str):
        return cell
    if style == "percent":
        return f"{_not_minus_zero(100 * cell, 2):.2f} %"
    if style in ("integer", "bytes"):
        return f"{_not_minus_zero(cell, 0):,.0f}"
    if style == "text":
        return str(cell)
    digits = int(style)
    return f"{_not_minus_zero(cell, digits):.{digits}f}"


def _not_minus_zero(number: float, digits: int) -> float:
    """Rounded, and 0.0 for what would be written as -0."""
    return round(number, digits) + 0.0
