"""Detectors of several image sizes from one base and its patches."""

import dataclasses
import json
import re

import numpy as np
import pytest

from object_detection_patch import cli
from object_detection_patch.cascades import members
from object_detection_patch.checkpoints import merge
from object_detection_patch.hosts import fingerprint
from object_detection_patch.od_api import compat, extractors, host_layers
from object_detection_patch.patch_file import (
    FingerprintError,
    LabelMapItem,
    Patch,
    Replace,
    read_patch,
    write_patch,
)


@pytest.fixture(scope="module", autouse=True)
def od_api():
    compat.enable()
    extractors.register()


@pytest.fixture(scope="module")
def patches(small_world, tmp_path_factory):
    """Patches of the base's own heads, for 96 and for 64 pixels."""
    from object_detection_patch.od_api import base_model

    model = small_world.unpatched_model()
    hosts = host_layers.find_ssd_hosts(model)
    base_model.restore_base(
        model, hosts, small_world.base_checkpoint, checkpoint_type="full"
    )
    tensors = {k: v.numpy() for k, v in hosts.base_tensors().items()}
    folder = tmp_path_factory.mktemp("patches")
    paths = []
    for side in (96, 64):
        patch = Patch(
            "BN_PATCH",
            fingerprint(tensors),
            tuple(
                Replace(name, v.numpy())
                for name, v in hosts.head_tensors().items()
            ),
            _labels(small_world),
            {"training": {"image_size": [side, side]}},
        )
        paths.append(str(folder / f"shapes_{side}.patch"))
        write_patch(paths[-1], patch)
    return paths


def _labels(small_world):
    from object_detection_patch.od_api import label_map

    items = label_map.read_label_map(str(small_world.files["shapes"].label_map))
    return tuple(LabelMapItem(*item) for item in items)


def _given(small_world, patches):
    return [
        "cascade",
        f"--base_config={small_world.base_config}",
        f"--base_checkpoint={small_world.base_checkpoint}",
        "--patches",
        *patches,
        f"--eval_records={small_world.files['shapes'].eval}",
    ]


@pytest.fixture(scope="module")
def found(small_world, patches):
    """Both detectors, run over the four eval images."""
    return list(
        members.members(
            small_world.base_config,
            small_world.base_checkpoint,
            patches,
            [str(small_world.files["shapes"].eval)],
        )
    )


@pytest.fixture
def asked(monkeypatch, found):
    """What the verb asks for; it is given `found` each time."""
    made = []

    def given(*arguments):
        made.append(arguments)
        yield from found

    monkeypatch.setattr(members, "members", given)
    return made


def test_each_detector_has_its_patchs_size_and_cost(found):
    assert [m.image_size for m in found] == [(96, 96), (64, 64)]
    assert [len(m.images) for m in found] == [4, 4]
    assert all(not image.image.size for m in found for image in m.images)
    assert all(image.image.base is None for m in found for image in m.images)
    ids = [[image.source_id for image in m.images] for m in found]
    assert ids[0] == ids[1]
    ratio = found[1].flops / found[0].flops
    assert ratio == pytest.approx((64 / 96) ** 2, rel=0.01)


def test_flops_are_those_of_frozen_statistics(small_world):
    """Training normalises by the batch's, which takes more."""
    from object_detection_patch.od_api import base_model, pipeline_config
    from object_detection_patch.profiling import costs, ssd

    pipeline = pipeline_config.read_pipeline(small_world.base_config)
    counted = []
    for is_training in (True, False):
        model = base_model.build_model(pipeline.model, is_training=is_training)
        network = ssd.network_of(model, 1, (96, 96), is_training=is_training)
        total = costs.in_sum(costs.by_layer(network, slots=0))
        counted.append(total.forward_flops)
    assert 0.8 * counted[0] < counted[1] < counted[0]
    assert members.forward_flops(model, (96, 96)) == counted[1]


def test_the_verb_writes_what_it_prints(small_world, patches, tmp_path, capsys):
    output = tmp_path / "cascade.json"
    given = [*_given(small_world, patches), f"--output={output}", "--json"]
    assert cli.main(given) == 0
    out, said = capsys.readouterr()
    assert json.loads(out) == json.loads(output.read_text(encoding="utf-8"))
    found = json.loads(out)
    assert [s["image_size"] for s in found["singles"]] == [[96, 96], [64, 64]]
    assert found["stages"][-1]["patch"] == found["reference"]
    assert (found["chosen_on"], found["measured_on"]) == (2, 2)
    assert np.isfinite(found["saved"])
    assert said.count("4 images of") == 2


def test_other_records_to_choose_on(small_world, patches, asked, capsys):
    given = _given(small_world, patches)
    train = str(small_world.files["shapes"].train)
    assert cli.main([*given, f"--choose_records={train}"]) == 0
    assert "Chosen on 4 images, measured on 4" in capsys.readouterr().out
    assert [arguments[-1] for arguments in asked] == [
        [str(small_world.files["shapes"].eval)],
        [train],
    ]


@pytest.mark.parametrize(
    ("option", "kind", "message"),
    [
        ("eval_records", "digits", "label map.*digits_eval.*shapes_96.patch"),
        ("choose_records", "text", "`--choose_records` must be TFRecord files"),
        ("choose_records", "none", "`--choose_records` must match at least"),
        ("choose_records", "eval", "measured on other images than it is"),
    ],
)
def test_records_are_refused_before_any_detector_runs(
    small_world, patches, asked, tmp_path, capsys, option, kind, message
):
    text = tmp_path / "text"
    text.write_text("no record, but long enough to be one", encoding="utf-8")
    records = {
        "digits": small_world.files["digits"].eval,
        "text": text,
        "none": tmp_path / "nothing-*",
        "eval": small_world.files["shapes"].eval,
    }[kind]
    given = [*_given(small_world, patches), f"--{option}={records}"]
    assert cli.main(given) == 2
    assert re.search(message, capsys.readouterr().err)
    assert asked == []


def test_patches_of_other_bases_are_refused_first(patches, tmp_path):
    other = tmp_path / "other.patch"
    patch = read_patch(patches[0])
    write_patch(other, dataclasses.replace(patch, base_fingerprint="ab" * 32))
    with pytest.raises(FingerprintError, match="of base abababababab"):
        members.read_patches([patches[0], str(other)])


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_patches(small_world, patches, capsys, count):
    given = _given(small_world, patches[:1] * count)
    assert cli.main(given) == 2
    assert "two patches or more, each once" in capsys.readouterr().err


def test_patches_of_other_classes(patches, tmp_path):
    from object_detection_patch.patch_file import read_patch

    other = str(tmp_path / "other.patch")
    first = read_patch(patches[0])
    labels = (dataclasses.replace(first.label_map[0], name="thing"),)
    write_patch(
        other,
        dataclasses.replace(first, label_map=labels + first.label_map[1:]),
    )
    with pytest.raises(ValueError, match="must be of one task"):
        members.read_patches([patches[0], other])


def test_a_merged_member_is_at_its_size(small_world, patches, tmp_path):
    from object_detection_patch.od_api import input_size
    from object_detection_patch.patch_file import read_patch

    pipeline = merge.task_pipeline(
        small_world.base_config, read_patch(patches[1]), str(tmp_path)
    )
    assert input_size.fixed_size(pipeline, "") == (64, 64)


@pytest.mark.parametrize("value", ["-0.1", "1", "nan", "much"])
def test_an_allowed_loss_out_of_range(small_world, patches, capsys, value):
    with pytest.raises(SystemExit):
        cli.main([*_given(small_world, patches), f"--allowed_loss={value}"])
    assert value in capsys.readouterr().err
