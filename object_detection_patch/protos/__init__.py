"""Modules generated from protos/*.proto at build time; not in git."""
