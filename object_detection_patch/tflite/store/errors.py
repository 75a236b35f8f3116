"""What can be wrong with a store, or with what is asked of it."""

from __future__ import annotations


class StoreError(ValueError):
    """A store that is none, is damaged, or cannot do what is asked."""


class StoreBusyError(StoreError):
    """Another process has been changing the store for too long."""
