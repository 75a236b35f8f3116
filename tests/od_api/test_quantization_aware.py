"""Why kernels are fake-quantised in views of ours instead of by tfmot."""

from __future__ import annotations

import pytest

# tfmot 0.8.1 reads versions with distutils, and clones with old serialisers.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def quantize_model():
    import tensorflow_model_optimization as tfmot

    return tfmot.quantization.keras.quantize_model


def test_tfmot_refuses_a_detection_model(small_world, quantize_model):
    model = small_world.unpatched_model()
    with pytest.raises(ValueError, match="Sequential or Functional"):
        quantize_model(model)


def test_tfmot_refuses_the_backbone_alone(small_world, quantize_model):
    """It is functional, but its BatchNorm is the OD API's own class."""
    model = small_world.unpatched_model()
    with pytest.raises(ValueError, match="FreezableBatchNorm"):
        quantize_model(model.feature_extractor.classification_backbone)
