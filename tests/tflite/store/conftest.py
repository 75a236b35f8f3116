"""A base of two weights, patches for it, and what their models are."""

from __future__ import annotations

import hashlib
import pathlib
import struct

import pytest

from object_detection_patch.patch_file import (
    LabelMapItem,
    Patch,
    Release,
    Replace,
    write_patch,
)
from object_detection_patch.tflite import sidecar_file, store
from object_detection_patch.tflite.sidecar import (
    CONVOLUTION,
    Copy,
    Kernel,
    Operation,
    Sidecar,
    Vector,
)

FINGERPRINT = "5e" * 32


class World:
    """Files for a store in `folder`; the store itself is `folder/store`."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.store = folder / "store"
        self.base = folder / "base.tflite"
        self.write_base(self.base, 0.0)

    def write_base(self, path: pathlib.Path, bias: float) -> None:
        """Skeleton, weights at 32, bias at 48, something for the labels."""
        model = (
            struct.pack("<16x12xI2f4xI2f", 8, 1.0, 2.0, 8, bias, 0.0)
            + b"labels of the base"
        )
        path.write_bytes(model)
        sidecar = Sidecar(
            base_fingerprint=FINGERPRINT,
            base_sha256=hashlib.sha256(model).hexdigest(),
            base_bytes=len(model),
            precision="float32",
            skeleton_bytes=16,
            classes=1,
            capacity=9,
            vectors=(Vector(1, 8), Vector(1, 8)),
            metadata_vector=None,
            links=(),
            class_numbers=(),
            activations=(),
            norms=(),
            biases=(),
            kernels=(
                Kernel(
                    "k", CONVOLUTION, (1, 1, 1, 2), (Copy(0, (Operation(1),)),)
                ),
            ),
        )
        path.with_suffix(".odpatch").write_bytes(sidecar_file.to_bytes(sidecar))

    def patch(
        self,
        name: str,
        weight: float,
        *,
        fingerprint: str = FINGERPRINT,
        target: str = "k",
        labels: int = 2,
        method: str = "FINE_TUNING",
        releases: tuple[Release, ...] = (),
        **options: object,
    ) -> pathlib.Path:
        """Writes NAME.patch, whose model has the weights (weight, -weight)."""
        path = self.folder / f"{name}.patch"
        items = tuple(
            LabelMapItem(i, f"class_{i}", f"Class {i}" if i % 2 else "")
            for i in range(1, labels + 1)
        )
        values = [[[[weight, -weight]]]]
        patch = Patch(
            method,
            fingerprint,
            (Replace(target, values),),
            items,
            releases=releases,
        )
        write_patch(path, patch, **options)
        return path

    def weight(self, path: pathlib.Path | str | None = None) -> float:
        """The weight of a model, read from its bytes; of the active one."""
        path = self.store / "active.tflite" if path is None else path
        weights = struct.unpack_from("<2f", pathlib.Path(path).read_bytes(), 32)
        assert weights in ((1.0, 2.0), (weights[0], -weights[0]))
        return weights[0]

    def files(self) -> list[str]:
        """What lies in the store, as paths below it."""
        return sorted(
            path.relative_to(self.store).as_posix()
            for path in self.store.rglob("*")
            if path.is_file()
        )


OWN_FILES = ["active.tflite", "base.odpatch", "base.tflite", "index.json"]


@pytest.fixture
def world(tmp_path: pathlib.Path) -> World:
    """A base and its sidecar; no store yet."""
    return World(tmp_path)


@pytest.fixture
def begun(world: World) -> World:
    """With a store that holds no patch."""
    store.init(world.store, world.base)
    return world


@pytest.fixture
def filled(begun: World) -> World:
    """With the patches `cats` (weight 3) and `dogs` (4); `cats` is active."""
    store.add(begun.store, begun.patch("cats", 3))
    store.add(begun.store, begun.patch("dogs", 4, labels=7))
    store.activate(begun.store, "cats")
    return begun
