"""Sidecars whose kernels refer to what is not theirs, or not there."""

from __future__ import annotations

from typing import Any

from attacks.attempt import SIDECAR, Attempts
from attacks.sidecar_bytes import HUGE
from attacks.small_world import SmallWorld

from object_detection_patch.tflite.errors import SidecarError

ATTEMPTS = Attempts(SIDECAR)


@ATTEMPTS.add(SidecarError, "index of a vector .* Received: 9")
def weights_out_of_range(small: SmallWorld) -> bytes:
    """Weights in vector 9 of 9."""
    return _copied(small, weights=9)


@ATTEMPTS.add(SidecarError, "reference to scales .* Received: 26", "int8")
def scales_out_of_range(small: SmallWorld) -> bytes:
    """Scales in vector 25 of 25."""
    return _copied(small, scales=25)


@ATTEMPTS.add(SidecarError, "reference to zero points", "int8")
def zero_points_out_of_range(small: SmallWorld) -> bytes:
    """Zero points in vector -2: its reference is 2^32 - 1."""
    return _copied(small, zero_points=HUGE - 1)


@ATTEMPTS.add(SidecarError, "reference to a norm .* Received: 2")
def norm_out_of_range(small: SmallWorld) -> bytes:
    """Norm 1 of 1."""
    return _copied(small, norm=1)


@ATTEMPTS.add(SidecarError, "index of a vector .* Received: 4294967295")
def bias_out_of_range(small: SmallWorld) -> bytes:
    """A bias in vector -1."""
    return _used(small, bias=HUGE)


@ATTEMPTS.add(SidecarError, "reference to a bias .* Received: 2")
def bias_tensor_out_of_range(small: SmallWorld) -> bytes:
    """Bias tensor 1 of 1."""
    return _used(small, tensor=1)


@ATTEMPTS.add(SidecarError, "reference to an activation .* Received: 3", "int8")
def activation_out_of_range(small: SmallWorld) -> bytes:
    """Activation 2 of 2."""
    return _used(small, activation=2)


@ATTEMPTS.add(SidecarError, "are given in int8 models", "int8")
def int8_without_scales(small: SmallWorld) -> bytes:
    """An int8 kernel without scales."""
    return _copied(small, scales=None)


@ATTEMPTS.add(SidecarError, "are given in int8 models", "int8")
def int8_without_an_activation(small: SmallWorld) -> bytes:
    """An int8 operation that reads nothing."""
    return _used(small, activation=None)


@ATTEMPTS.add(SidecarError, "are given in int8 models")
def float_with_scales(small: SmallWorld) -> bytes:
    """Scales of a kernel of floats."""
    return _copied(small, scales=0)


@ATTEMPTS.add(SidecarError, "must not meet in one operation")
def norm_and_bias(small: SmallWorld) -> bytes:
    """A bias beside a BatchNorm: which of them is written?"""
    return _used(small, tensor=0)


@ATTEMPTS.add(SidecarError, "each vector has one use. Received: 1")
def vector_used_twice(small: SmallWorld) -> bytes:
    """One vector for the weights of two copies."""
    small.world.kernels[0].copies[1].weights = 1
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "size that its use requires, 16")
def weights_in_the_metadata(small: SmallWorld) -> bytes:
    """Weights that would be written over the model metadata."""
    return _copied(small, weights=0)


@ATTEMPTS.add(SidecarError, "size that its use requires, 16")
def weights_in_a_shorter_vector(small: SmallWorld) -> bytes:
    """Weights that would reach beyond their vector."""
    return _copied(small, weights=8)


@ATTEMPTS.add(SidecarError, "each vector has one use", "int8")
def int8_bias_shared(small: SmallWorld) -> bytes:
    """One bias for two operations of other scales."""
    copies = small.world.kernels[0].copies
    copies[1].ops[0].bias = copies[0].ops[0].bias
    return small.sidecar_bytes()


def _copied(small: SmallWorld, **fields: Any) -> bytes:
    """The sidecar with another first copy of its first kernel."""
    for name, value in fields.items():
        setattr(small.world.kernels[0].copies[0], name, value)
    return small.sidecar_bytes()


def _used(small: SmallWorld, **fields: Any) -> bytes:
    """The sidecar with another first operation of its first kernel."""
    for name, value in fields.items():
        setattr(small.world.kernels[0].copies[0].ops[0], name, value)
    return small.sidecar_bytes()
