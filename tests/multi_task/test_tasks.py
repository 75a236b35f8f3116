"""Configs that cannot train together are refused, with what to mend."""

import pathlib
import re

import pytest

from object_detection_patch.methods import presets
from object_detection_patch.multi_task import tasks
from object_detection_patch.od_api import input_size


@pytest.fixture
def changed(two_configs, tmp_path):
    """(pattern, text) -> both configs, the second with its text changed."""

    def make(pattern, text, *, source=1):
        one, other = map(pathlib.Path, two_configs)
        found = [one, other][source].read_text(encoding="utf-8")
        written, count = re.subn(pattern, text, found, count=1)
        assert count == 1
        path = tmp_path / "changed.config"
        path.write_text(written, encoding="utf-8")
        return [str(one), str(path)]

    return make


def _refused(paths, message, private=None):
    with pytest.raises(ValueError, match=message):
        tasks.read_tasks(paths, private)


def test_names_and_patches(two_configs):
    read = tasks.read_tasks(two_configs, None)
    assert [t.name for t in read] == [
        "shapes_BN_PATCH_joint",
        "stripes_BN_PATCH_joint",
    ]
    assert {presets.method_name(t.config) for t in read} == {"BN_PATCH"}


@pytest.mark.parametrize(
    ("private", "method"),
    [
        ("batch_norm", "BN_PATCH"),
        ("depthwise", "DW_PATCH"),
        ("both", "BN_DW_PATCH"),
        ("none", "FEATURE_EXTRACTOR"),
    ],
)
def test_private_takes_the_place_of_the_configs_patches(
    two_configs, private, method
):
    for task in tasks.read_tasks(two_configs, private):
        assert presets.method_name(task.config) == method


def test_one_task_is_too_few(two_configs):
    _refused(two_configs[:1], r"needs two configs or more.* Received: 1\.")


def test_a_task_twice(two_configs, changed):
    _refused([two_configs[0]] * 2, "once.* both named 'shapes_BN_PATCH_joint'")
    copy = changed("^", "# a copy\n", source=0)
    _refused(copy, r"once.*changed\.config, which say the same\.")


def test_a_config_without_a_patch(two_configs, changed):
    bare = changed(r"\[object_detection_patch\.patch\][^}]*}", "")
    _refused(bare, r"`--private` must .*changed\.config without a patch")
    assert len(tasks.read_tasks(bare, "depthwise")) == 2


def test_another_patch(changed):
    _refused(
        changed("BN_PATCH", "DW_PATCH"),
        "keep the same to themselves.* BN_PATCH in .* DW_PATCH in ",
    )


def test_a_patch_that_needs_a_frozen_base(changed):
    _refused(changed("BN_PATCH", "SPOTPATCH"), "Received: `binary_mask`, which")
    for preset in ("BIAS_ONLY", "BN_STATISTICS"):
        _refused(changed("BN_PATCH", preset), "Received: `batch_norm`, which")


def test_a_digest_is_of_the_classes_too(two_configs, tmp_path):
    task = tasks.read_task(two_configs[0], None)
    before = task.digest()
    labels = pathlib.Path(task.pipeline.train_input_reader.label_map_path)
    other = tmp_path / "labels.pbtxt"
    text = labels.read_text(encoding="utf-8")
    other.write_text(
        text.replace("id: 1\n", "id: 99\n")
        .replace("id: 2\n", "id: 1\n")
        .replace("id: 99\n", "id: 2\n"),
        encoding="utf-8",
    )
    assert other.read_text(encoding="utf-8") != text
    for reader in (
        task.pipeline.train_input_reader,
        *task.pipeline.eval_input_reader,
    ):
        reader.label_map_path = str(other)
    assert task.digest() != before


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("image_resizer", "resize_method: AREA height: 96 width: 96"),
        ("image_resizer", "convert_to_grayscale: true height: 64 width: 64"),
    ],
)
def test_another_architecture(changed, field, text):
    _refused(
        changed(r"height: 96 width: 96", text),
        rf"one architecture\. .* with another {field} \(model\.ssd\)",
    )


def test_image_sizes_may_differ(changed):
    read = tasks.read_tasks(
        changed(r"height: 96 width: 96", "height: 64 width: 128"), None
    )
    sizes = [input_size.fixed_size(task.pipeline, "") for task in read]
    assert sizes == [(96, 96), (64, 128)]


def test_a_size_that_the_fpn_cannot_add_up(changed):
    _refused(
        changed(r"height: 96 width: 96", "height: 80 width: 96"),
        r"multiples of 32, .* from 64 pixels\. Received: 80x96 pixels "
        r"\(model\.ssd\.image_resizer, pipeline\.config\)\.",
    )


def test_shared_heads_need_the_same_classes(two_configs, changed):
    with pytest.raises(ValueError, match="share their heads.* label maps diff"):
        tasks.read_tasks(two_configs, None, share_heads=True)
    longer = changed("num_steps: 4", "num_steps: 5", source=0)
    assert len(tasks.read_tasks(longer, None, share_heads=True)) == 2


def test_missing_records(changed):
    _refused(
        changed(r"input_path: '[^']*'", "input_path: '/nowhere/x'"),
        "must match at least one file.*'/nowhere/x'",
    )


def test_another_optimizer(changed):
    _refused(changed(r"adam_optimizer", "momentum_optimizer"), "must have the ")


def test_no_steps(changed):
    _refused(changed(r"num_steps: 8", "num_steps: 0"), "num_steps` must be set")


def test_moving_averages(changed):
    _refused(
        changed("use_moving_average: false", "use_moving_average: true"),
        "use_moving_average` must be false",
    )


def test_a_digest_knows_what_trains_and_not_where_it_lies(changed, two_configs):
    _, task = tasks.read_tasks(two_configs, None)
    moved = changed("stripes_train", "stripes_*rain")
    assert tasks.read_tasks(moved, None)[1].digest() == task.digest()
    assert tasks.read_tasks(two_configs, "both")[1].digest() != task.digest()
    longer = changed("num_steps: 8", "num_steps: 9")
    assert tasks.read_tasks(longer, None)[1].digest() != task.digest()
