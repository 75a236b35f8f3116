"""The input size of a detector: read, set, and refused where it cannot be."""

from __future__ import annotations

from typing import Any

# Levels up to this one come from a backbone; those above are strided
# convolutions of it, which take any size.
_TOP_OF_BACKBONE = 5
# Least side that the OD API's extractors take, MobileNets' and ResNets'.
_LEAST, _LEAST_RESNET = 33, 129


def fixed_size(pipeline: Any, path: str) -> tuple[int, int]:
    """Height and width in pixels of a `fixed_shape_resizer`.

    Args:
      path: of the pipeline.config, for the message.

    Raises:
      ValueError: for any other resizer.
    """
    resizer = pipeline.model.ssd.image_resizer
    kind = resizer.WhichOneof("image_resizer_oneof")
    if kind != "fixed_shape_resizer":
        raise ValueError(
            "An input size needs a `fixed_shape_resizer` "
            f"(model.ssd.image_resizer). Received: {kind} ({path})."
        )
    fixed = resizer.fixed_shape_resizer
    return fixed.height, fixed.width


def with_size(pipeline: Any, size: tuple[int, int]) -> Any:
    """A copy of a config of fixed size, of another: (height, width)."""
    copy = type(pipeline)()
    copy.CopyFrom(pipeline)
    fixed = copy.model.ssd.image_resizer.fixed_shape_resizer
    fixed.height, fixed.width = size
    return copy


def size_text(size: tuple[int, int]) -> str:
    """`160` for a square, else `160x320`: height, then width."""
    height, width = size
    return str(height) if height == width else f"{height}x{width}"


def stride(model_config: Any) -> int:
    """What the sides of the image that a backbone sees must be multiples of.

    An FPN adds each level to the next coarser one enlarged twofold, so every
    stride but the largest must halve exactly: 32 for an FPN upon a backbone,
    whose levels above 5 are not added; 2^max_level for a BiFPN, which adds
    all. 1 for extractors that add none.

    Args:
      model_config: DetectionModel message of an SSD.
    """
    extractor = model_config.ssd.feature_extractor
    if "bifpn" in extractor.type:
        return int(2**extractor.bifpn.max_level)
    if "fpn" in extractor.type:
        return int(2 ** min(extractor.fpn.max_level, _TOP_OF_BACKBONE))
    return 1


def refuse_uneven(
    model_config: Any, place: str = "model.ssd.image_resizer, pipeline.config"
) -> None:
    """Raises ValueError for a fixed size that the extractor cannot take.

    It is the size after padding to the extractor's `pad_to_multiple` that
    counts. Other resizers are not looked at.

    Args:
      model_config: DetectionModel message of an SSD.
      place: where the size was given, for the message.
    """
    resizer = model_config.ssd.image_resizer
    if not resizer.HasField("fixed_shape_resizer"):
        return
    fixed = resizer.fixed_shape_resizer
    size = fixed.height, fixed.width
    extractor = model_config.ssd.feature_extractor
    multiple, least = stride(model_config), _least(extractor.type)
    padding = max(1, extractor.pad_to_multiple)
    padded = [-(-side // padding) * padding for side in size]
    if min(size) < least or any(side % multiple for side in padded):
        raise ValueError(
            f"Height and width of a detector of {extractor.type} must be "
            f"{_rule(multiple, least)}. Received: {size_text(size)} pixels "
            f"({place})."
        )


def _rule(multiple: int, least: int) -> str:
    if multiple == 1:
        return f"{least} pixels or more"
    return (
        f"multiples of {multiple}, the largest stride of the levels that its "
        f"FPN adds up, from {-(-least // multiple) * multiple} pixels"
    )


def _least(extractor: str) -> int:
    return _LEAST_RESNET if "resnet" in extractor else _LEAST
