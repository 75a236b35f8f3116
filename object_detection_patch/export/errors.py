"""Why a base or a patch was not published."""

from __future__ import annotations


class ExportError(ValueError):
    """A base that cannot be published as asked."""


class PublishError(ValueError):
    """A patch that cannot be published as asked."""
