"""The narrow base model of the paper, listed by hand, and a patch for it."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    AddSigned,
    LabelMapItem,
    Patch,
    Replace,
    ScaleOffset,
)

# MobileNetV2, Table 2 (https://arxiv.org/abs/1801.04381): channels of each
# block after the first.
_BLOCKS = (24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320)
_FPN = "fpn/FeatureMaps/top_down"
_TOWER = "tower/WeightSharedConvolutionalBoxPredictor/PredictionTower"
_HEAD = "WeightSharedConvolutionalBoxPredictor"

PET_CLASSES = (
    "Abyssinian american_bulldog american_pit_bull_terrier basset_hound "
    "beagle Bengal Birman Bombay boxer British_Shorthair chihuahua "
    "Egyptian_Mau english_cocker_spaniel english_setter german_shorthaired "
    "great_pyrenees havanese japanese_chin keeshond leonberger Maine_Coon "
    "miniature_pinscher newfoundland Persian pomeranian pug Ragdoll "
    "Russian_Blue saint_bernard samoyed scottish_terrier shiba_inu Siamese "
    "Sphynx staffordshire_bull_terrier wheaten_terrier yorkshire_terrier"
).split()


def _separable_layers() -> list[str]:
    return [
        *(f"{_FPN}/smoothing_{level}_depthwise_conv" for level in (1, 2)),
        *(f"fpn/bottom_up_Conv2d_{level}_depthwise" for level in (14, 15)),
        *(f"{_TOWER}/conv2d_{layer}" for layer in range(4)),
    ]


@pytest.fixture(scope="session")
def narrow_kernels() -> dict[str, tuple[int, ...]]:
    """Stable name -> shape of the 71 kernels that a mask can patch."""
    kernels = {
        "backbone/Conv1/kernel": (3, 3, 3, 32),
        "backbone/expanded_conv_depthwise/depthwise_kernel": (3, 3, 32, 1),
        "backbone/expanded_conv_project/kernel": (1, 1, 32, 16),
    }
    previous = 16
    for block, channels in enumerate(_BLOCKS, start=1):
        wide = 6 * previous
        name = f"backbone/block_{block}"
        kernels[f"{name}_expand/kernel"] = (1, 1, previous, wide)
        kernels[f"{name}_depthwise/depthwise_kernel"] = (3, 3, wide, 1)
        kernels[f"{name}_project/kernel"] = (1, 1, wide, channels)
        previous = channels
    kernels["backbone/Conv_1/kernel"] = (1, 1, 320, 256)
    for level, channels in ((3, 256), (2, 96), (1, 32)):
        kernels[f"{_FPN}/projection_{level}/kernel"] = (1, 1, channels, 128)
    for layer in _separable_layers():
        kernels[f"{layer}/depthwise_kernel"] = (3, 3, 128, 1)
        kernels[f"{layer}/pointwise_kernel"] = (1, 1, 128, 128)
    return kernels


@pytest.fixture(scope="session")
def narrow_batch_norms() -> dict[str, int]:
    """Stable name -> channels of every BatchNorm."""
    norms = {
        "backbone/bn_Conv1": 32,
        "backbone/expanded_conv_depthwise_BN": 32,
        "backbone/expanded_conv_project_BN": 16,
    }
    previous = 16
    for block, channels in enumerate(_BLOCKS, start=1):
        name = f"backbone/block_{block}"
        norms[f"{name}_expand_BN"] = 6 * previous
        norms[f"{name}_depthwise_BN"] = 6 * previous
        norms[f"{name}_project_BN"] = channels
        previous = channels
    norms["backbone/Conv_1_bn"] = 256
    for level in (1, 2):
        norms[f"{_FPN}/smoothing_{level}_batchnorm"] = 128
    for level in (14, 15):
        norms[f"fpn/bottom_up_Conv2d_{level}_batchnorm"] = 128
    for layer in range(4):
        for level in range(5):
            name = f"{_TOWER}/conv2d_{layer}/BatchNorm/feature_{level}"
            norms[name] = 128
    return norms


@pytest.fixture(scope="session")
def heads() -> dict[str, tuple[int, ...]]:
    """Stable name -> shape of both heads, for 6 anchors and 37 classes."""
    box = f"box_head/{_HEAD}/WeightSharedConvolutionalBoxHead/BoxPredictor"
    classes = (
        f"class_head/{_HEAD}/WeightSharedConvolutionalClassHead/ClassPredictor"
    )
    return {
        f"{box}/depthwise_kernel": (3, 3, 128, 1),
        f"{box}/pointwise_kernel": (1, 1, 128, 24),
        f"{box}/bias": (24,),
        f"{classes}/depthwise_kernel": (3, 3, 128, 1),
        f"{classes}/pointwise_kernel": (1, 1, 128, 6 * 38),
        f"{classes}/bias": (6 * 38,),
    }


@pytest.fixture(scope="session")
def spotpatch(narrow_kernels, narrow_batch_norms, heads) -> Patch:
    """A SpotPatch patch with every gate open, its numbers random."""
    random = np.random.default_rng(0)
    edits = [
        AddSigned(name, random.random(shape) < 0.5, random.uniform(0.01, 0.1))
        for name, shape in narrow_kernels.items()
    ]
    edits += [
        ScaleOffset(
            name, random.standard_normal(size), random.standard_normal(size)
        )
        for name, size in narrow_batch_norms.items()
    ]
    edits += [
        Replace(name, random.standard_normal(shape))
        for name, shape in heads.items()
    ]
    return Patch(
        method="SPOTPATCH",
        base_fingerprint=random.bytes(32).hex(),
        edits=tuple(edits),
        label_map=tuple(
            LabelMapItem(id_, name, name.replace("_", " ").capitalize())
            for id_, name in enumerate(PET_CLASSES, start=1)
        ),
        metadata={
            "training": {
                "steps": 25000,
                "batch_size": 32,
                "extractor": "ssd_mobilenet_v2_fpn_keras_narrow",
                "image_size": [320, 320],
            },
            "base_parameters": 2095512,
            "nominal_bits": 3449000,
            "uncounted": [name for name in heads if "class_head" in name][1:],
            "gateable": [
                {"name": name, "weights": int(np.prod(shape))}
                for name, shape in narrow_kernels.items()
            ],
        },
    )
