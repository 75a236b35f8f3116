"""Configs for users' own data: they parse, fit, and replace nothing."""

import pathlib

import pytest

from object_detection_patch import cli
from object_detection_patch.methods import presets
from object_detection_patch.od_api import checks, input_size, pipeline_config


@pytest.fixture
def arguments(small_world, tmp_path):
    files = small_world.files["stripes"]
    return [
        "configure",
        f"--train_records={files.train}",
        f"--eval_records={files.eval}",
        f"--label_map={files.label_map}",
        "--num_steps=1200",
        f"--output={tmp_path / 'task.config'}",
    ]


@pytest.fixture
def for_patch(small_world, arguments):
    return [
        *arguments,
        f"--base_config={small_world.base_config}",
        f"--base_checkpoint={pathlib.Path(small_world.base_checkpoint).parent}",
    ]


def _written(arguments):
    (path,) = [a[9:] for a in arguments if a.startswith("--output=")]
    return pipeline_config.read_pipeline(path)


def test_base_of_the_paper(arguments, capsys):
    assert cli.main([*arguments, "--architecture=narrow_320"]) == 0
    pipeline = _written(arguments)
    assert pipeline_config.patch_of(pipeline) is None
    assert pipeline.model.ssd.num_classes == 5
    assert pipeline.train_config.num_steps == 1200
    assert not pipeline.train_config.fine_tune_checkpoint
    printed = capsys.readouterr().out
    assert "-m object_detection_patch.model_main_tf2" in printed
    assert "--checkpoint_every_n=1000" in printed


@pytest.mark.parametrize("preset", presets.preset_names())
def test_task_on_a_base(small_world, for_patch, preset):
    assert cli.main([*for_patch, f"--preset={preset}", "--batch_size=4"]) == 0
    pipeline = _written(for_patch)
    checks.check_pipeline(pipeline, training=True)
    checks.check_pipeline(pipeline, training=False)
    expected = presets.patch_config(preset)
    if preset == "COMPACT":
        expected.grid.begin_step = 600
    assert pipeline_config.patch_of(pipeline) == expected
    base = pipeline_config.read_pipeline(small_world.base_config)
    assert base.model.ssd.num_classes != 5
    base.model.ssd.num_classes = 5
    assert pipeline.model == base.model
    train = pipeline.train_config
    assert train.fine_tune_checkpoint == small_world.base_checkpoint
    assert (train.num_steps, train.batch_size) == (1200, 4)
    assert (
        train.data_augmentation_options
        == base.train_config.data_augmentation_options
    )


def test_a_target_for_the_file(for_patch):
    arguments = [*for_patch, "--preset=COMPACT", "--target_file_bytes=60000"]
    assert cli.main(arguments) == 0
    pipeline = _written(for_patch)
    checks.check_pipeline(pipeline, training=True)
    assert pipeline_config.patch_of(pipeline).target_file_bytes == 60000


def test_image_size(arguments, for_patch):
    given = [*for_patch, "--preset=BN_PATCH"]
    assert cli.main([*given, "--image_size=64x96"]) == 0
    assert input_size.fixed_size(_written(given), "") == (64, 96)
    assert pipeline_config.patch_of(_written(given)) is not None


def test_image_size_of_a_base(arguments):
    given = [*arguments, "--architecture=narrow_320", "--image_size=160"]
    assert cli.main(given) == 0
    assert input_size.fixed_size(_written(given), "") == (160, 160)


@pytest.mark.parametrize("kind", ["--architecture=mini_96", "--preset=L2_SP"])
def test_image_size_off_the_stride(arguments, for_patch, capsys, kind):
    given = arguments if "arch" in kind else for_patch
    assert cli.main([*given, kind, "--image_size=90"]) == 2
    assert "multiples of 32" in (said := capsys.readouterr().err)
    assert "Received: 90 pixels (--image_size)." in said
    (path,) = [a[9:] for a in given if a.startswith("--output=")]
    assert not pathlib.Path(path).exists()


def test_without_a_preset_it_is_compact(for_patch, capsys):
    def written(*more):
        assert cli.main([*for_patch, *more]) == 0
        (output,) = [a[9:] for a in for_patch if a.startswith("--output=")]
        text = pathlib.Path(output).read_text()
        pathlib.Path(output).unlink()
        return text

    usual = written()
    assert usual == written("--preset=COMPACT")
    assert "preset: COMPACT" in usual
    # Half of its steps, as with the preset named.
    assert "begin_step: 600" in usual
    bounded = written("--target_file_bytes=60000")
    assert "target_file_bytes: 60000" in bounded
    assert "preset: COMPACT" in bounded


def test_learning_rate(for_patch):
    cli.main([*for_patch, "--preset=SPOTPATCH", "--learning_rate=0.125"])
    optimizer = _written(for_patch).train_config.optimizer.adam_optimizer
    rate = optimizer.learning_rate.cosine_decay_learning_rate
    assert rate.learning_rate_base == 0.125
    assert rate.total_steps == 1200


@pytest.mark.parametrize(
    ("flag", "left"),
    [
        ([], {"random_horizontal_flip", "random_crop_image"}),
        (["--no_flip"], {"random_crop_image"}),
        (["--no_crop"], {"random_horizontal_flip"}),
        (["--no_crop", "--no_flip"], set()),
    ],
)
def test_augmentations(small_world, for_patch, flag, left, tmp_path):
    base = tmp_path / "base.config"
    base.write_text(
        pathlib.Path(small_world.base_config)
        .read_text()
        .replace(
            "data_augmentation_options",
            "data_augmentation_options { random_horizontal_flip { } }\n"
            "data_augmentation_options",
            1,
        )
    )
    arguments = [
        f"--base_config={base}" if a.startswith("--base_config") else a
        for a in for_patch
    ]
    assert cli.main([*arguments, "--preset=BN_PATCH", *flag]) == 0
    options = _written(for_patch).train_config.data_augmentation_options
    assert {o.WhichOneof("preprocessing_step") for o in options} == left


class TestRefusals:
    def _refused(self, arguments, message, capsys):
        (output,) = [a[9:] for a in arguments if a.startswith("--output=")]
        before = pathlib.Path(output).exists()
        assert cli.main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("od-patch: ")
        assert message in error
        assert pathlib.Path(output).exists() == before

    def test_an_existing_file(self, arguments, tmp_path, capsys):
        mine = tmp_path / "task.config"
        mine.write_text("# my own")
        self._refused(
            [*arguments, "--architecture=mini_96"], "must be a new file", capsys
        )
        assert mine.read_text() == "# my own"

    def test_an_unknown_preset(self, for_patch, capsys):
        self._refused([*for_patch, "--preset=SPOT"], "'SPOT'", capsys)

    def test_a_base_without_checkpoint(self, arguments, small_world, capsys):
        self._refused(
            [*arguments, f"--base_config={small_world.base_config}"],
            "`--base_config` needs `--base_checkpoint`",
            capsys,
        )

    def test_a_preset_without_base(self, arguments, capsys):
        self._refused(
            [*arguments, "--architecture=mini_96", "--preset=BN_PATCH"],
            "go with `--base_config`",
            capsys,
        )

    def test_a_target_without_base(self, arguments, capsys):
        self._refused(
            [
                *arguments,
                "--architecture=mini_96",
                "--target_file_bytes=60000",
            ],
            "`--target_file_bytes` go with `--base_config`",
            capsys,
        )

    def test_an_empty_checkpoint_folder(self, for_patch, tmp_path, capsys):
        self._refused(
            [
                *for_patch[:-1],
                f"--base_checkpoint={tmp_path}",
                "--preset=BN_PATCH",
            ],
            "holds no checkpoint",
            capsys,
        )

    def test_records_of_another_label_map(self, small_world, arguments, capsys):
        other = small_world.files["digits"].label_map
        self._refused(
            [*arguments, f"--label_map={other}", "--architecture=mini_96"],
            "Every class of the records must stand in the label map",
            capsys,
        )

    @pytest.mark.parametrize(
        "flag",
        [
            "--num_steps=0",
            "--num_steps=-5",
            "--batch_size=0",
            "--learning_rate=-1",
            "--learning_rate=nan",
        ],
    )
    def test_numbers_that_cannot_train(self, arguments, flag, capsys):
        self._refused(
            [*arguments, flag, "--architecture=mini_96"],
            f"`{flag.split('=')[0]}` must be above 0",
            capsys,
        )

    def test_a_missing_folder(self, arguments, capsys):
        self._refused(
            [
                *(a for a in arguments if not a.startswith("--output")),
                "--output=/none/x.config",
                "--architecture=mini_96",
            ],
            "The folder of `--output` must exist. Received: '/none/x.config'",
            capsys,
        )

    def test_records_that_match_nothing(self, arguments, capsys):
        self._refused(
            [
                *arguments,
                "--eval_records=nowhere*",
                "--architecture=mini_96",
            ],
            "must match at least one file",
            capsys,
        )
