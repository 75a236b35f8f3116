"""The extension in pipeline.config: read, refused, and kept."""

import pytest

from object_detection_patch.methods import presets
from object_detection_patch.od_api import compat, pipeline_config
from object_detection_patch.protos import patch_pb2

_STOCK = "model { ssd { num_classes: 3 } }\ntrain_config { batch_size: 2 }\n"
_PATCH = "[object_detection_patch.patch] { preset: SPOTPATCH }\n"


@pytest.fixture
def written(tmp_path):
    """Writes a config and returns its path."""

    def write(text, name="pipeline.config"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_reads_patch_and_stock_fields(written):
    pipeline = pipeline_config.read_pipeline(
        written(
            _STOCK
            + "[object_detection_patch.patch] {\n"
            + "  preset: SPOTPATCH\n"
            + "  part { binary_mask { lambda_sps: 0.25 gate_rate: 0.5 } }\n"
            + "}\n"
        )
    )
    assert pipeline.model.ssd.num_classes == 3
    patch = pipeline_config.patch_of(pipeline)
    assert patch.preset == patch_pb2.SPOTPATCH
    assert patch.part[0].binary_mask.lambda_sps == 0.25
    assert patch.part[0].binary_mask.lambda_adp == pytest.approx(2e-5)


def test_without_an_extension_there_is_no_patch(written):
    path = written(_STOCK)
    pipeline = pipeline_config.read_pipeline(path)
    assert pipeline_config.patch_of(pipeline) is None
    with pytest.raises(
        ValueError, match=rf"needs a config with a patch: .* {path} without one"
    ):
        pipeline_config.require_patch(pipeline, path)


def test_an_override_is_merged_on_top(written):
    pipeline = pipeline_config.read_pipeline(
        written(_STOCK), "train_config { batch_size: 9 }"
    )
    assert pipeline.train_config.batch_size == 9
    assert pipeline.model.ssd.num_classes == 3


def test_without_patch_is_a_copy_that_the_stock_api_reads(written):
    pipeline = pipeline_config.read_pipeline(written(_STOCK + _PATCH))
    stock = pipeline_config.without_patch(pipeline)
    assert stock == pipeline_config.read_pipeline(written(_STOCK, "s.config"))
    assert pipeline_config.patch_of(pipeline) is not None


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (_STOCK + "[object_detection_patch.ptch] { }", 3, "ptch"),
        (_STOCK + "object_detection_patch { }", 3, "object_detection_patch"),
        (_STOCK + "\n" + _PATCH.replace("preset", "prest"), 4, "prest"),
        (_STOCK + _PATCH.replace("SPOTPATCH", "SPOT"), 3, "SPOT"),
        (
            _STOCK + "[object_detection_patch.patch] { part { bn { } } }",
            3,
            "bn",
        ),
        (
            _STOCK + "[object_detection_patch.patch] {\n"
            "  part { batch_norm { } piggyback { } }\n}",
            4,
            "batch_norm",
        ),
        ("model { ssd { num_classes: many } }", 1, "many"),
    ],
)
def test_what_does_not_parse_is_named_with_file_and_line(
    written, text, line, what
):
    path = written(text)
    with pytest.raises(
        ValueError,
        match=r"a patch is written as `\[object_detection_patch.patch\] \{",
    ) as caught:
        pipeline_config.read_pipeline(path)
    message = str(caught.value)
    assert f"Received: {path}: {line}:" in message
    assert what in message.split("Received")[1]
    assert "\n" not in message


def test_an_override_that_does_not_parse(written):
    with pytest.raises(ValueError, match="Received: the config override: 1:1"):
        pipeline_config.read_pipeline(written(_STOCK), "modl { }")


@pytest.mark.parametrize("name", ["", "none.config", "."])
def test_refuses_what_is_no_file(tmp_path, name):
    path = str(tmp_path / name) if name else ""
    with pytest.raises(ValueError, match="`--pipeline_config_path` must name"):
        pipeline_config.read_pipeline(path)


def _through_the_od_api(path, folder):
    """Config -> OD API's dictionary -> message -> saved file."""
    from object_detection import model_lib_v2
    from object_detection.utils import config_util

    table = model_lib_v2.MODEL_BUILD_UTIL_MAP
    configs = table["get_configs_from_pipeline_file"](path)
    message = table["create_pipeline_proto_from_configs"](configs)
    config_util.save_pipeline_config(message, str(folder))
    return str(folder / "pipeline.config")


def test_round_trip_through_the_od_api_keeps_the_patch(written, tmp_path):
    path = written(
        _STOCK
        + "eval_config { }\n"
        + "[object_detection_patch.patch] { preset: WEIGHTTRANS "
        + "part { batch_norm { } } }\n",
        "given.config",
    )
    given = pipeline_config.read_pipeline(path)
    with pipeline_config.keep_patch():
        saved = _through_the_od_api(path, tmp_path)
    found = pipeline_config.read_pipeline(saved)
    assert pipeline_config.patch_of(found) == pipeline_config.patch_of(given)
    assert found.model == given.model


def test_outside_the_od_api_drops_it(written, tmp_path):
    """What keep_patch is for; delete it when this fails."""
    path = written(_STOCK + _PATCH, "given.config")
    saved = _through_the_od_api(path, tmp_path)
    assert (
        pipeline_config.patch_of(pipeline_config.read_pipeline(saved)) is None
    )


def test_a_stock_config_passes_unchanged(written, tmp_path):
    path = written(_STOCK, "given.config")
    with pipeline_config.keep_patch():
        saved = _through_the_od_api(path, tmp_path)
    assert (
        pipeline_config.patch_of(pipeline_config.read_pipeline(saved)) is None
    )


def test_keep_patch_puts_the_od_api_back():
    compat.enable()
    from object_detection import model_lib_v2

    before = dict(model_lib_v2.MODEL_BUILD_UTIL_MAP)
    with pytest.raises(RuntimeError, match="stop"):
        with pipeline_config.keep_patch():
            assert model_lib_v2.MODEL_BUILD_UTIL_MAP != before
            raise RuntimeError("stop")
    assert model_lib_v2.MODEL_BUILD_UTIL_MAP == before


@pytest.mark.parametrize("preset", presets.preset_names())
def test_ready_texts_parse(small_world, preset):
    path = small_world.config("shapes", preset)
    pipeline = pipeline_config.read_pipeline(path)
    patch = pipeline_config.require_patch(pipeline, path)
    assert patch == presets.patch_config(preset)


def test_a_value_twice_in_a_patch_is_refused(written):
    twice = (
        "[object_detection_patch.patch] "
        "{ preset: BN_PATCH preset: TOWER_PATCH }"
    )
    with pytest.raises(ValueError, match="multiple.*preset"):
        pipeline_config.read_pipeline(written(_STOCK + twice))


def test_a_stock_value_twice_is_read_as_the_od_api_does(written):
    path = written(_STOCK + "train_config { batch_size: 5 }\n" + _PATCH)
    assert pipeline_config.read_pipeline(path).train_config.batch_size == 5
