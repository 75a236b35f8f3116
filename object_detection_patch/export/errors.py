"""Why a base was not published."""

from __future__ import annotations


class ExportError(ValueError):
    """A base that cannot be published as asked."""
