"""Adapters of low rank: compressed alone, or a family that shares factors.

Numpy alone. FORMAT.md has the bytes of a family's files.
"""
