"""Configs from the template parse, and say what was asked."""

import dataclasses

import pytest

from object_detection_patch import recipes
from object_detection_patch.methods import presets
from object_detection_patch.od_api import compat, pipeline_config

_TASK = recipes.TaskData(7, "train.record", "eval.record", "map.pbtxt")


def _read(tmp_path, architecture=recipes.NARROW_320, task=_TASK, **fields):
    fields = {
        "preset": "SPOTPATCH",
        "fine_tune_checkpoint": "base/ckpt-1",
        "num_steps": 200,
        "batch_size": 16,
    } | fields
    path = tmp_path / "pipeline.config"
    path.write_text(recipes.pipeline_text(architecture, task, **fields))
    return pipeline_config.read_pipeline(str(path))


def test_says_what_was_asked(tmp_path):
    pipeline = _read(tmp_path, max_boxes=33)
    ssd, train = pipeline.model.ssd, pipeline.train_config
    assert ssd.num_classes == 7
    assert ssd.feature_extractor.type == "ssd_mobilenet_v2_fpn_narrow_keras"
    assert ssd.feature_extractor.depth_multiplier == 1.0
    assert ssd.feature_extractor.use_depthwise
    assert ssd.image_resizer.fixed_shape_resizer.height == 320
    assert ssd.image_resizer.fixed_shape_resizer.width == 320
    assert (train.num_steps, train.batch_size) == (200, 16)
    assert train.max_number_of_boxes == 33
    assert train.fine_tune_checkpoint == "base/ckpt-1"
    assert train.fine_tune_checkpoint_type == "detection"
    assert train.fine_tune_checkpoint_version == 2
    assert pipeline.train_input_reader.label_map_path == "map.pbtxt"
    assert list(
        pipeline.train_input_reader.tf_record_input_reader.input_path
    ) == ["train.record"]
    assert list(
        pipeline.eval_input_reader[0].tf_record_input_reader.input_path
    ) == ["eval.record"]


def test_every_width_reaches_extractor_and_predictor(tmp_path):
    architecture = dataclasses.replace(
        recipes.MINI_96, depth=48, use_depthwise=False, batch_norm_decay=0.75
    )
    ssd = _read(tmp_path, architecture).model.ssd
    predictor = ssd.box_predictor.weight_shared_convolutional_box_predictor
    assert ssd.feature_extractor.depth_multiplier == pytest.approx(0.35)
    assert ssd.feature_extractor.fpn.additional_layer_depth == 48
    assert predictor.depth == 48
    assert not predictor.use_depthwise
    assert not ssd.feature_extractor.use_depthwise
    for hyperparams in (
        ssd.feature_extractor.conv_hyperparams,
        predictor.conv_hyperparams,
    ):
        assert hyperparams.batch_norm.decay == 0.75


@pytest.mark.parametrize("preset", presets.preset_names())
def test_preset_and_its_rate(tmp_path, preset):
    pipeline = _read(tmp_path, preset=preset)
    assert pipeline_config.patch_of(pipeline) == presets.patch_config(preset)
    decay = (
        pipeline.train_config.optimizer.adam_optimizer.learning_rate
    ).cosine_decay_learning_rate
    expected = recipes.learning_rate(preset)
    assert decay.learning_rate_base == pytest.approx(expected)
    assert decay.warmup_learning_rate == pytest.approx(expected / 10)
    assert decay.total_steps == 200
    assert decay.warmup_steps == 10


def test_a_base_has_no_patch_and_no_checkpoint(tmp_path):
    pipeline = _read(tmp_path, preset=None, fine_tune_checkpoint=None)
    assert pipeline_config.patch_of(pipeline) is None
    assert not pipeline.train_config.HasField("fine_tune_checkpoint")


@pytest.mark.parametrize(
    "preset",
    ["SPOTPATCH", "WEIGHTTRANS", "PIGGYBACK", "ROUTED_SPOTPATCH", "COMPACT"],
)
def test_latent_masks_take_larger_steps_than_kernels(preset):
    assert recipes.learning_rate(preset) > recipes.learning_rate("FINE_TUNING")


def test_patch_options_reach_the_patch(tmp_path):
    pipeline = _read(
        tmp_path, patch_options="part { binary_mask { lambda_sps: 0.5 } }\n"
    )
    patch = pipeline_config.patch_of(pipeline)
    assert patch.part[0].binary_mask.lambda_sps == 0.5


def test_rate_of_its_own(tmp_path):
    pipeline = _read(tmp_path, rate=0.125)
    decay = (
        pipeline.train_config.optimizer.adam_optimizer.learning_rate
    ).cosine_decay_learning_rate
    assert decay.learning_rate_base == 0.125


@pytest.mark.parametrize("flip", [True, False])
def test_only_what_may_be_mirrored_is(tmp_path, flip):
    pipeline = _read(tmp_path, task=dataclasses.replace(_TASK, flip=flip))
    kinds = [
        step.WhichOneof("preprocessing_step")
        for step in pipeline.train_config.data_augmentation_options
    ]
    assert ("random_horizontal_flip" in kinds) == flip


def test_starts_with_the_header():
    text = recipes.pipeline_text(
        recipes.MINI_96,
        _TASK,
        preset=None,
        fine_tune_checkpoint=None,
        num_steps=1,
        batch_size=1,
        header="# command: train\n",
    )
    assert text.startswith("# command: train\nmodel {\n")
    assert "$" not in text


def test_a_stock_text_is_read_by_the_stock_api(tmp_path):
    compat.enable()
    from object_detection.utils import config_util

    path = tmp_path / "stock.config"
    path.write_text(
        recipes.pipeline_text(
            recipes.MINI_96,
            _TASK,
            preset=None,
            fine_tune_checkpoint=None,
            num_steps=3,
            batch_size=5,
        )
    )
    configs = config_util.get_configs_from_pipeline_file(str(path))
    assert configs["train_config"].batch_size == 5
    assert configs["model"].ssd.num_classes == 7
