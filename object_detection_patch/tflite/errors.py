"""What can stop a patch from becoming a model: one class per rule."""

from __future__ import annotations

from object_detection_patch.patch_file.errors import shown


class ApplyError(ValueError):
    """A base, a sidecar and a patch that do not make a model."""


class SidecarError(ApplyError):
    """A sidecar breaks a rule of FORMAT.md."""


class SidecarVersionError(SidecarError):
    """A sidecar is of a version that this program does not know."""


class BaseMismatchError(ApplyError):
    """The base model's file is not the one that the sidecar describes."""


class MissingReleaseError(ApplyError):
    """A patch published for other bases, or for none where one is needed."""


class ActivationError(ApplyError):
    """A release's activations do not fit the base."""


class CapacityError(ApplyError):
    """A patch has more classes than the base's head was published for."""


class UnfitEditError(ApplyError):
    """An edit does not fit the tensor that it names, or names none."""


class MissingHeadError(ApplyError):
    """A patch leaves out a tensor of its heads."""


class NumberError(ApplyError):
    """A number of the result would be NaN, infinite or out of range."""


class ResultMismatchError(ApplyError):
    """The result is not the one that the publisher tested."""


class OutputError(ApplyError):
    """The output would replace one of the inputs."""


def require(holds: bool, rule: str, received: object) -> None:
    """Raises SidecarError, with the rule and what breaks it, or not."""
    if not holds:
        raise SidecarError(
            f"In a sidecar, {rule}. Received: {shown(received)}."
        )
