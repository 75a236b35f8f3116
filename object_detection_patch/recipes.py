"""Pipeline configs from one template: ready configs, miniatures, the demo."""

from __future__ import annotations

import dataclasses
import string

_TEMPLATE = string.Template("""\
$header
model {
  ssd {
    inplace_batchnorm_update: true
    freeze_batchnorm: false
    num_classes: $num_classes
    box_coder {
      faster_rcnn_box_coder {
        y_scale: 10.0
        x_scale: 10.0
        height_scale: 5.0
        width_scale: 5.0
      }
    }
    matcher {
      argmax_matcher {
        matched_threshold: 0.5
        unmatched_threshold: 0.5
        ignore_thresholds: false
        negatives_lower_than_unmatched: true
        force_match_for_each_row: true
        use_matmul_gather: true
      }
    }
    similarity_calculator { iou_similarity { } }
    encode_background_as_zeros: true
    anchor_generator {
      multiscale_anchor_generator {
        min_level: 3
        max_level: 7
        anchor_scale: 4.0
        aspect_ratios: [1.0, 2.0, 0.5]
        scales_per_octave: 2
      }
    }
    image_resizer {
      fixed_shape_resizer { height: $image_size width: $image_size }
    }
    box_predictor {
      weight_shared_convolutional_box_predictor {
        depth: $depth
        class_prediction_bias_init: -4.6
        conv_hyperparams {
          activation: RELU_6
          regularizer { l2_regularizer { weight: 0.00004 } }
          initializer { random_normal_initializer { stddev: 0.01 mean: 0.0 } }
          batch_norm {
            scale: true
            decay: $batch_norm_decay
            epsilon: 0.001
          }
        }
        num_layers_before_predictor: 4
        share_prediction_tower: true
        use_depthwise: $use_depthwise
        kernel_size: 3
      }
    }
    feature_extractor {
      type: '$extractor'
      use_depthwise: $use_depthwise
      fpn {
        min_level: 3
        max_level: 7
        additional_layer_depth: $depth
      }
      min_depth: 16
      depth_multiplier: $depth_multiplier
      conv_hyperparams {
        activation: RELU_6
        regularizer { l2_regularizer { weight: 0.00004 } }
        initializer { truncated_normal_initializer { stddev: 0.03 mean: 0.0 } }
        batch_norm {
          scale: true
          decay: $batch_norm_decay
          epsilon: 0.001
        }
      }
      override_base_feature_extractor_hyperparams: true
    }
    loss {
      classification_loss {
        weighted_sigmoid_focal { alpha: 0.25 gamma: 2.0 }
      }
      localization_loss { weighted_smooth_l1 { } }
      classification_weight: 1.0
      localization_weight: 1.0
    }
    normalize_loss_by_num_matches: true
    normalize_loc_loss_by_codesize: true
    post_processing {
      batch_non_max_suppression {
        score_threshold: 1e-8
        iou_threshold: 0.6
        max_detections_per_class: 100
        max_total_detections: 100
        use_static_shapes: false
      }
      score_converter: SIGMOID
    }
  }
}
train_config {
  batch_size: $batch_size
  num_steps: $num_steps
  startup_delay_steps: 0
  replicas_to_aggregate: 8
  max_number_of_boxes: $max_boxes
  unpad_groundtruth_tensors: false
$fine_tune$augmentation  optimizer {
    adam_optimizer {
      learning_rate {
        cosine_decay_learning_rate {
          learning_rate_base: $learning_rate
          total_steps: $num_steps
          warmup_learning_rate: $warmup_rate
          warmup_steps: $warmup_steps
        }
      }
    }
    use_moving_average: false
  }
}
train_input_reader {
  label_map_path: '$label_map'
  shuffle: true
  tf_record_input_reader { input_path: '$train_records' }
}
eval_config {
  metrics_set: 'coco_detection_metrics'
  use_moving_averages: false
  batch_size: 1
  num_visualizations: 8
}
eval_input_reader {
  label_map_path: '$label_map'
  shuffle: false
  num_epochs: 1
  tf_record_input_reader { input_path: '$eval_records' }
}
$patch""")

_FLIP = """\
  data_augmentation_options { random_horizontal_flip { } }
"""
_CROP = """\
  data_augmentation_options {
    random_crop_image {
      min_object_covered: 0.0
      min_aspect_ratio: 0.75
      max_aspect_ratio: 3.0
      min_area: 0.75
      max_area: 1.0
      overlap_thresh: 0.0
    }
  }
"""


@dataclasses.dataclass(frozen=True)
class BaseArchitecture:
    """An SSD: extractor type, square input in pixels, widths."""

    key: str
    extractor: str
    image_size: int
    depth_multiplier: float = 1.0
    depth: int = 128
    use_depthwise: bool = True
    batch_norm_decay: float = 0.997


NARROW_320 = BaseArchitecture(
    key="ssd_mobilenet_v2_fpnlite_320x320_narrow",
    extractor="ssd_mobilenet_v2_fpn_narrow_keras",
    image_size=320,
)
MINI_96 = BaseArchitecture(
    key="ssd_mobilenet_v2_fpnlite_96x96_mini",
    extractor="ssd_mobilenet_v2_fpn_narrow_keras",
    image_size=96,
    depth_multiplier=0.35,
    depth=64,
    batch_norm_decay=0.9,
)
# What a patch costs here is what it costs on a phone's detector: BatchNorm is
# 2.4 % of it, 2.1 % of the paper's base and 5 % of MINI_96.
WIDE_96 = dataclasses.replace(
    MINI_96,
    key="ssd_mobilenet_v2_fpnlite_96x96_wide",
    depth_multiplier=0.75,
)
ARCHITECTURES = {
    "narrow_320": NARROW_320,
    "mini_96": MINI_96,
    "wide_96": WIDE_96,
}

DEFAULT_PRESET = "COMPACT"
"""The most mAP for a byte that we know (RESULTS.md, Smaller files)."""

# Latent masks live at another scale than kernels and want larger steps.
_MASK_RATE = 1e-2
_KERNEL_RATE = 4e-3
_BASE_RATE = 8e-3
_LEARNING_RATES = {
    "SPOTPATCH": _MASK_RATE,
    "WEIGHTTRANS": _MASK_RATE,
    "PIGGYBACK": _MASK_RATE,
    "BN_PATCH": _MASK_RATE,
    "ROUTED_SPOTPATCH": _MASK_RATE,
    "COMPACT": _MASK_RATE,
    "SCALE_BIAS_ONLY": _MASK_RATE,
    "BN_STATISTICS": _MASK_RATE,
    "BIAS_ONLY": _MASK_RATE,
}


@dataclasses.dataclass(frozen=True)
class TaskData:
    """A task's classes and where its records and label map are.

    `flip` and `crop` are the augmentations that its training draws.
    """

    num_classes: int
    train_records: str
    eval_records: str
    label_map: str
    flip: bool = True
    crop: bool = True


def learning_rate(preset: str | None) -> float:
    """Peak Adam rate for a preset; None is a base trained from scratch."""
    if preset is None:
        return _BASE_RATE
    return _LEARNING_RATES.get(preset, _KERNEL_RATE)


def options_for_steps(preset: str, num_steps: int) -> str:
    """Fields of the patch that depend on how long it trains, as text proto.

    COMPACT: rounded from the start, its BatchNorms do not find their place
    (RESULTS.md, Smaller files).
    """
    if preset != "COMPACT":
        return ""
    return f"  grid {{ begin_step: {num_steps // 2} }}\n"


def pipeline_text(
    architecture: BaseArchitecture,
    task: TaskData,
    *,
    preset: str | None,
    fine_tune_checkpoint: str | None,
    num_steps: int,
    batch_size: int,
    header: str = "",
    max_boxes: int = 100,
    rate: float | None = None,
    patch_options: str = "",
) -> str:
    """A pipeline.config as text.

    Args:
      preset: name of a preset, or None for a stock config without a patch.
      fine_tune_checkpoint: prefix of the base's checkpoint, or None.
      header: comment lines, each starting with '#'.
      patch_options: text proto of further fields of the patch.
    """
    peak = learning_rate(preset) if rate is None else rate
    fine_tune = ""
    if fine_tune_checkpoint:
        fine_tune = (
            f"  fine_tune_checkpoint: '{fine_tune_checkpoint}'\n"
            "  fine_tune_checkpoint_type: 'detection'\n"
            "  fine_tune_checkpoint_version: V2\n"
        )
    patch = ""
    if preset:
        patch = (
            "[object_detection_patch.patch] {\n"
            f"  preset: {preset}\n{patch_options}}}\n"
        )
    return _TEMPLATE.substitute(
        header=header.rstrip(),
        num_classes=task.num_classes,
        image_size=architecture.image_size,
        depth=architecture.depth,
        depth_multiplier=architecture.depth_multiplier,
        extractor=architecture.extractor,
        use_depthwise=str(architecture.use_depthwise).lower(),
        batch_norm_decay=architecture.batch_norm_decay,
        batch_size=batch_size,
        num_steps=num_steps,
        max_boxes=max_boxes,
        fine_tune=fine_tune,
        augmentation=_FLIP * task.flip + _CROP * task.crop,
        learning_rate=f"{peak:g}",
        warmup_rate=f"{peak / 10:g}",
        warmup_steps=max(1, num_steps // 20),
        label_map=task.label_map,
        train_records=task.train_records,
        eval_records=task.eval_records,
        patch=patch,
    ).lstrip("\n")
