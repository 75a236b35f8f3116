"""Bases, patches and results to measure with, made once in a work folder.

What is there is used again, so that later runs start at once; delete the
folder after a change of a file format or of the exporter.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import sys
import time
import zlib
from typing import Any

from object_detection_patch import recipes, tflite
from object_detection_patch.patch_file import (
    ENCODINGS,
    Release,
    from_bytes,
    read_patch,
    to_bytes,
    write_patch,
)
from object_detection_patch.patch_file.edits import MASKED
from object_detection_patch.patch_file.whole_file import write_whole
from object_detection_patch.tflite.fit import fit
from object_detection_patch.tflite.model import patched_model

PRECISIONS = ("float32", "int8")
ARCHITECTURES = {
    # The public stock model: its last backbone convolution has 1280 filters.
    "stock": dataclasses.replace(
        recipes.NARROW_320,
        key="ssd_mobilenet_v2_fpnlite_320x320",
        extractor="ssd_mobilenet_v2_fpn_keras",
    ),
    "narrow": recipes.NARROW_320,
    "mini": recipes.MINI_96,
}
_NO_DIGEST = "0" * 64
_STARTED = time.monotonic()


@dataclasses.dataclass(frozen=True)
class Application:
    """The files of one application: base + sidecar + patch -> result."""

    base: pathlib.Path
    patch: pathlib.Path
    result: pathlib.Path

    @property
    def sidecar(self) -> pathlib.Path:
        return pathlib.Path(tflite.sidecar_path(self.base))


class Files:
    """Everything that is measured, made where it is absent.

    Args:
      folder: kept between runs.
      architecture: a key of ARCHITECTURES.
    """

    def __init__(self, folder: pathlib.Path, architecture: str) -> None:
        self._folder = folder / architecture
        self._architecture = ARCHITECTURES[architecture]
        self._folder.mkdir(parents=True, exist_ok=True)

    def application(
        self, precision: str, gates: str, encoding: str
    ) -> Application:
        """A published patch and its result, in one of ENCODINGS."""
        # Encodings change: what another version wrote is no longer looked at.
        meaning = zlib.crc32(repr(ENCODINGS[encoding]).encode())
        stem = f"{_word(gates)}_{encoding}_{meaning:08x}"
        folder = self._folder / precision
        files = Application(
            self.base(precision),
            folder / f"{stem}.patch",
            folder / f"{stem}.tflite",
        )
        if not files.result.exists():
            self._publish(files, precision, gates, encoding)
        return files

    def base(self, precision: str) -> pathlib.Path:
        """A published base, its sidecar beside it."""
        folder = self._folder / precision / "base"
        if not folder.exists():
            say(f"publishing the {precision} base, which takes minutes")
            _models().publish_base(self._checkpoint(), folder, precision)
        return folder / "base.tflite"

    def direct(self, precision: str, gates: str | None) -> pathlib.Path:
        """What the converter makes of the patched model; None: of the base."""
        name = "base" if gates is None else _word(gates)
        path = self._folder / f"{precision}_direct" / f"{name}.tflite"
        if not path.exists():
            say(f"converting directly: {precision}, {gates or 'base'}")
            model = _models().direct_export(
                self._checkpoint() if gates is None else self._merged(gates),
                self._checkpoint() / "images.record",
                self.base("float32").read_bytes(),
                precision,
            )
            path.parent.mkdir(exist_ok=True)
            write_whole(path, model)
        return path

    def pairs(
        self, precision: str, gates: str
    ) -> dict[str, tuple[pathlib.Path, pathlib.Path]]:
        """Old and new file, as the tools that know no detectors get them.

        They are given the converter's own files too, whose numbers lie in
        another order.
        """
        ours = self.application(precision, gates, "exact")
        return {
            "published": (ours.base, ours.result),
            "converter's": (
                self.direct(precision, None),
                self.direct(precision, gates),
            ),
        }

    def masked_weights(self, gates: str) -> int:
        edits = read_patch(self._patch(gates)).edits
        return sum(edit.mask.size for edit in edits if isinstance(edit, MASKED))

    def _publish(
        self, files: Application, precision: str, gates: str, encoding: str
    ) -> None:
        """As `od-patch publish` does; activations are those measured once."""
        say(f"publishing a patch: {precision}, {gates} open, {encoding}")
        patch = read_patch(self._patch(gates))
        stored = from_bytes(to_bytes(patch, encoding=ENCODINGS[encoding]))
        sidecar = tflite.read_sidecar(files.sidecar)
        ranges: tuple[tuple[float, int], ...] = ()
        if precision == "int8":
            direct = self.direct(precision, gates)
            ranges = _models().activations(direct.read_bytes())
        draft = Release(sidecar.base_sha256, _NO_DIGEST, ranges)
        stored = dataclasses.replace(stored, releases=(draft,))
        base = memoryview(files.base.read_bytes())
        result = patched_model(base, sidecar, stored, fit(sidecar, stored))
        digest = hashlib.sha256(result).hexdigest()
        release = dataclasses.replace(draft, result_sha256=digest)
        released = dataclasses.replace(patch, releases=(release,))
        write_patch(files.patch, released, encoding=ENCODINGS[encoding])
        write_whole(files.result, result)

    def _checkpoint(self) -> pathlib.Path:
        folder = self._folder / "checkpoint"
        if not folder.exists():
            say("writing a base checkpoint of random weights")
            _models().write_checkpoint(folder, self._architecture)
        return folder

    def _patch(self, gates: str) -> pathlib.Path:
        path = self._folder / f"{_word(gates)}.patch"
        if not path.exists():
            say(f"drawing a patch: {gates} open")
            sidecar = tflite.read_sidecar(
                tflite.sidecar_path(self.base("float32"))
            )
            patch = _models().synthetic_patch(
                self._checkpoint(), sidecar.base_fingerprint, gates
            )
            write_patch(path, patch)
        return path

    def _merged(self, gates: str) -> pathlib.Path:
        folder = self._folder / "merged" / _word(gates)
        if not folder.exists():
            _models().merge_patch(
                self._checkpoint(), self._patch(gates), folder
            )
        return folder


def say(what: str) -> None:
    """A line of progress on stderr."""
    seconds = time.monotonic() - _STARTED
    print(f"[{seconds:5.0f} s] {what}", file=sys.stderr, flush=True)


def _models() -> Any:
    """phone_models, imported only where something has to be made."""
    import phone_models

    return phone_models


def _word(gates: str) -> str:
    return gates.replace(" %", "")
