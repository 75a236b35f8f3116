"""Sidecars whose norms, biases and kernels lie."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from attacks.attempt import SIDECAR, Attempts
from attacks.frame import changed
from attacks.sidecar_bytes import HUGE, of_body
from attacks.small_world import SmallWorld
from native import worlds

from object_detection_patch.tflite.errors import NumberError, SidecarError

ATTEMPTS = Attempts(SIDECAR)


@ATTEMPTS.add(SidecarError, "each name stands once. Received: 'body/kernel'")
def kernel_twice(small: SmallWorld) -> bytes:
    """Two kernels of one name: which of them is edited?"""
    small.world.kernels[1].name = "body/kernel"
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "each name stands once. Received: 'body/norm'")
def kernel_named_as_a_norm(small: SmallWorld) -> bytes:
    """A kernel and a norm of one name."""
    small.world.kernels[0].name = "body/norm"
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "must not be empty")
def kernel_without_a_name(small: SmallWorld) -> bytes:
    """A name of no bytes."""
    small.world.kernels[0].name = ""
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "without control or invisible characters")
def name_with_a_terminal_code(small: SmallWorld) -> bytes:
    """A name that would drive a terminal in an error message."""
    small.world.kernels[0].name = "body/\x1b[2Jkernel"
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "without control or invisible characters")
def name_with_zero_width(small: SmallWorld) -> bytes:
    """A name that looks like another one."""
    small.world.kernels[0].name = "body/\u2060kernel"
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "may have 1024 bytes. Received: 65535")
def huge_name(small: SmallWorld) -> bytes:
    """A name of 65,535 bytes."""
    name = b"body/kernel"
    raw = changed(small.body(), b"\x0b\0" + name, b"\xff\xff" + name)
    return of_body(raw)


@ATTEMPTS.add(SidecarError, "gamma must not be 0")
def gamma_0(small: SmallWorld) -> bytes:
    """A gamma by which weights would be divided."""
    return _normed(small, 0, 0.0)


@ATTEMPTS.add(SidecarError, "inverse deviation above 0")
def inverse_deviation_negative(small: SmallWorld) -> bytes:
    """An inverse deviation below 0."""
    return _normed(small, 3, -1.0)


@ATTEMPTS.add(SidecarError, "numbers of a sidecar must be finite")
def mean_nan(small: SmallWorld) -> bytes:
    """A mean of NaN."""
    return _normed(small, 2, math.nan)


@ATTEMPTS.add(SidecarError, "numbers of a sidecar must be finite")
def bias_infinite(small: SmallWorld) -> bytes:
    """A bias that is infinite."""
    small.world.biases = [("class_head/bias", np.float32([1, math.inf, 1]))]
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "norm and bias must have the channels")
def norm_of_more_channels(small: SmallWorld) -> bytes:
    """A norm of four channels for a kernel of two."""
    numbers = np.ones((4, 4), np.float32)
    small.world.norms = [worlds.Norm("body/norm", numbers)]
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "form must be 0 or 1. Received: 2")
def form_2(small: SmallWorld) -> bytes:
    """A kernel of a form that nobody knows."""
    small.world.kernels[0].form = 2
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "a dimension must lie between 1")
def dimension_0(small: SmallWorld) -> bytes:
    """A kernel without weights."""
    small.world.kernels[0].shape = (1, 0, 2, 2)
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "may have 67108864 weights")
def product_of_2_to_the_104(small: SmallWorld) -> bytes:
    """Four dimensions at the limit of one: 0 in 64 bits."""
    small.world.kernels[0].shape = (2**26, 2**26, 2**26, 2**26)
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "Received: 4294967295")
def huge_copy_count(small: SmallWorld) -> bytes:
    """2^32 - 1 copies of a kernel."""
    old = struct.pack("<6I", 1, 2, 2, 1, 0, 0)  # deep/kernel
    raw = changed(
        small.body(),
        old + struct.pack("<I", 1),
        old + struct.pack("<I", HUGE),
    )
    return of_body(raw)


@ATTEMPTS.add(SidecarError, "number of entries must lie between 1")
def no_copies(small: SmallWorld) -> bytes:
    """A kernel that lies nowhere."""
    small.world.kernels[0].copies = []
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "number of entries must lie between 1")
def no_operations(small: SmallWorld) -> bytes:
    """A copy that no operation uses."""
    small.world.kernels[0].copies[0].ops = []
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "last dimension is factor")
def class_factor_of_another_shape(small: SmallWorld) -> bytes:
    """A class factor that the shape denies."""
    return _headed(small, factor=2)


@ATTEMPTS.add(SidecarError, "class factor must lie between 0 and 65536")
def class_factor_too_large(small: SmallWorld) -> bytes:
    """A class factor of 2^32 - 1."""
    return _headed(small, factor=HUGE)


@ATTEMPTS.add(SidecarError, "must be a convolution")
def class_factor_of_a_depthwise_kernel(small: SmallWorld) -> bytes:
    """A kernel that depends on the classes in two dimensions."""
    return _headed(small, form=1)


@ATTEMPTS.add(SidecarError, "a kernel with a class factor has no norm")
def class_factor_with_a_norm(small: SmallWorld) -> bytes:
    """A norm that would have to grow with the classes."""
    head = small.kernel("class_head/kernel")
    head.copies[0].norm, head.copies[0].ops[0].tensor = 0, None
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "must depend on the classes alike")
def bias_of_two_class_rules(small: SmallWorld) -> bytes:
    """A bias of a kernel that grows with the classes and of one that does
    not."""
    deep = small.kernel("deep/kernel")
    deep.shape = (1, 1, 3, 1)
    small.world.vectors[5] = worlds.Vector(1, bytes(12))
    small.world.vectors[6] = worlds.Vector(1, bytes(12))
    deep.copies[0].ops[0].tensor = 0
    return small.sidecar_bytes()


@ATTEMPTS.add(NumberError, "must fit in 32 bits. Received: 4295163904")
def class_number_beyond_32_bits(small: SmallWorld) -> bytes:
    """65,536 x (3 + 65,536), each within its limit."""
    small.world.numbers = [(200, 65536, 65536)]
    return small.sidecar_bytes()


def _normed(small: SmallWorld, row: int, value: float) -> bytes:
    """The sidecar with a number of gamma, beta, mean or deviation changed."""
    small.world.norms[0].numbers[row, 0] = value
    return small.sidecar_bytes()


def _headed(small: SmallWorld, **fields: Any) -> bytes:
    for name, value in fields.items():
        setattr(small.kernel("class_head/kernel"), name, value)
    return small.sidecar_bytes()
