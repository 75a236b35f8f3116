"""The smallest base with a bit of everything, and a patch that fits it.

All numbers are written out: the committed files depend on no random
generator and on no compressor.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import struct
import zipfile

import numpy as np
from attacks.frame import (
    PATCH_MAGIC,
    SIDECAR_MAGIC,
    SIGNED,
    framed,
    stored_zlib,
)
from native import worlds
from native.worlds import Edit, Kernel, KernelCopy, Op

CLASSES, CAPACITY, TASK_CLASSES = 2, 5, 3
# SHA-256 of what the sound int8 patch gives: a committed release.
RESULT = bytes.fromhex(
    "773df09f1a9db9d6dc6e4a21f863bf7815da6c0d0ea01a20f8f63f9fec491fce"
)
_SKELETON_BYTES = 256
_NO_VALUES = np.zeros(0, np.float32)


@dataclasses.dataclass
class SmallWorld:
    """A base and a patch to be broken, before they become bytes."""

    world: worlds.World
    patch: worlds.PatchSource

    def model(self) -> bytes:
        """base.tflite: skeleton, vectors, and a real archive behind them."""
        vectors = self.world.base().removesuffix(b"labels of the base")
        return vectors + archive("cat\ndog\n")

    def body(self) -> bytes:
        """The inflated body of the sidecar, for `model`."""
        model = self.model()
        end = self.world.body()[72:]
        digest = hashlib.sha256(model).digest()
        size = struct.pack("<Q", len(model))
        return worlds.FINGERPRINT + digest + size + end

    def sidecar_bytes(self) -> bytes:
        return framed(SIDECAR_MAGIC, self.body(), version=1)

    def sections(self) -> bytes:
        return b"".join(
            struct.pack(f"<{len(edit.singles)}f", *edit.singles) + edit.content
            for edit in self.patch.edits
        )

    def patch_bytes(self) -> bytes:
        signed = self.patch.signed
        return framed(
            PATCH_MAGIC,
            self.patch.header(),
            self.sections() + bytes(96 * signed),
            version=self.patch.version,
            flags=SIGNED * signed,
        )

    def edit(self, target: str) -> Edit:
        return next(e for e in self.patch.edits if e.target == target)

    def kernel(self, name: str) -> Kernel:
        return next(k for k in self.world.kernels if k.name == name)


def archive(text: str) -> bytes:
    """A zip archive with labels, as any tool would append it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(zipfile.ZipInfo("labelmap.txt"), text)
    return file.getvalue()


def small_world(precision: str) -> SmallWorld:
    """A new one, "float32" or "int8": whatever is done to it stays there."""
    world = worlds.World(
        {"float32": worlds.FLOAT32, "int8": worlds.INT8}[precision],
        CLASSES,
        CAPACITY,
        _kernels(),
        [worlds.Norm("body/norm", _numbers(4, 2))],
        [("class_head/bias", _numbers(CLASSES + 1))],
    )
    _add_vectors(world)
    _add_skeleton(world)
    made = SmallWorld(world, _patch())
    if precision == "int8":
        made.patch.releases = [release(made)]
    return made


def release(made: SmallWorld) -> tuple[bytes, bytes, list[tuple[float, int]]]:
    """What the patch says of this base: the activations and the result."""
    base = hashlib.sha256(made.model()).digest()
    return base, RESULT, [(0.5, -3), (0.25, 7)]


def _kernels() -> list[Kernel]:
    copies = [KernelCopy(0, [Op()]), KernelCopy(0, [Op()])]
    head = [KernelCopy(None, [Op(0)])]
    return [
        Kernel("body/kernel", 0, (1, 1, 2, 2), copies),
        Kernel("deep/kernel", 1, (1, 2, 2, 1), [KernelCopy(None, [Op()])]),
        Kernel("class_head/kernel", 0, (1, 1, 2, CLASSES + 1), head, 1, 1),
    ]


def _numbers(*shape: int) -> np.ndarray:
    """1/4, 1/2, ..."""
    count = int(np.prod(shape))
    return np.arange(1, count + 1, dtype=np.float32).reshape(shape) / 4


def _add_vectors(world: worlds.World) -> None:
    world.metadata = _add(world, 1, b"metadata of the base")
    for kernel in world.kernels:
        channels = kernel.channels_for(CLASSES)
        leader = None
        for copy in kernel.copies:
            weights = _weights(world, kernel)
            copy.weights = _add(world, 1, weights, leader)
            leader = copy.weights
            if world.precision == worlds.INT8:
                copy.scales = _add(world, 4, _numbers(channels).tobytes())
                copy.zero_points = _add(world, 8, bytes(8 * channels))
            for op in copy.ops:
                _add_bias(world, op, channels)


def _weights(world: worlds.World, kernel: Kernel) -> bytes:
    numbers = _numbers(int(np.prod(kernel.shape)))
    if world.precision == worlds.INT8:
        return (numbers * 4).astype("i1").tobytes()
    return numbers.tobytes()


def _add_bias(world: worlds.World, op: Op, channels: int) -> None:
    op.bias = _add(world, 1, bytes(4 * channels))
    if world.precision == worlds.INT8:
        op.bias_scales = _add(world, 4, bytes(4 * channels))
        op.bias_zero_points = _add(world, 8, bytes(8 * channels))
        op.activation = op.bias % 2


def _add(
    world: worlds.World, item_bytes: int, data: bytes, leader: int | None = None
) -> int:
    shared = leader is not None
    world.vectors.append(worlds.Vector(item_bytes, data, leader, shared))
    return len(world.vectors) - 1


def _add_skeleton(world: worlds.World) -> None:
    world.skeleton = bytes(range(_SKELETON_BYTES))
    world.links = [(16 + 4 * i, i) for i in range(len(world.vectors))]
    world.numbers = [(200, 1, 1)]
    if world.precision == worlds.INT8:
        world.activations = [(208, 216), (212, 224)]


def _patch() -> worlds.PatchSource:
    labels = [(1, "cat", "Cat"), (TASK_CLASSES, "dog", "")]
    return worlds.PatchSource(_edits(), labels, [], b"metadata of the task")


def _edits() -> list[Edit]:
    """Every kind but one, every value type, every codec."""
    halves = _numbers(4).astype("<f2").tobytes()
    planes = _numbers(8).view(np.uint8).reshape(8, 4).T.tobytes()
    grid = struct.pack("<4f", 0, 1, 0.5, 0.25) + bytes([0b00101001, 0b11000000])
    return [
        _edit(2, "body/kernel", (1, 1, 2, 2), 0, 0, b"\xa0", (0.25,)),
        _edit(
            *(3, "deep/kernel", (1, 2, 2, 1), 0, 1),
            stored_zlib(b"\x50"),
            (0.5, 0.25, -0.5),
        ),
        _edit(5, "body/norm", (2, 2), 2, 0, halves),
        _edit(1, "class_head/kernel", (1, 1, 2, 4), 1, 2, stored_zlib(planes)),
        _edit(1, "class_head/bias", (4,), 3, 0, grid, grid=(3, 1, 2)),
    ]


def _edit(
    kind: int,
    target: str,
    shape: tuple[int, ...],
    value_type: int,
    codec: int,
    content: bytes,
    singles: tuple[float, ...] = (),
    grid: tuple[int, int, int] | None = None,
) -> Edit:
    return Edit(
        *(kind, target, shape, _NO_VALUES, singles),
        *(value_type, codec, grid, content),
    )
