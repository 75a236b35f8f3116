"""examples/train_on_device.py on drawn pictures and a toy model."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from object_detection_patch.on_device import names, session, weights
from tests import toy_trainer
from tfrecords_tools import reader
from tfrecords_tools.synthetic import dataset


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("drawn")
    files = dataset.write_demo_datasets(
        folder, images=5, eval_images=1, size=48, seed=1
    )
    return str(files["shapes"].train)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("toy") / "train.tflite"
    path.write_bytes(toy_trainer.build(batch_size=2, side=16, max_boxes=9))
    return path


@pytest.fixture
def toy(model_file):
    return session.Session(model_file.read_bytes())


def _words(model_file, records, output, /, **options):
    """Options that are given twice count as the last."""
    options = {"learning_rate": 0.25, "steps": 3} | options
    words = [f"--model={model_file}", f"--records={records}"]
    words += [f"--output={output}"]
    return words + [f"--{name}={value}" for name, value in options.items()]


def test_it_trains_and_goes_on(
    train_on_device, model_file, records, tmp_path, capsys
):
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    assert not train_on_device.main(_words(model_file, records, first))
    said = capsys.readouterr().out
    assert "step     1  loss 4.0000" in said
    assert "step     3  loss 0.2500" in said
    words = _words(model_file, records, second, restore=first)
    assert not train_on_device.main(words)
    assert f"{second}: 6 steps" in capsys.readouterr().out
    found = weights.read_weights(second)
    np.testing.assert_allclose(found["w"], 2 * 0.5**6)
    assert found[names.STEPS] == 6


def test_samples_are_the_records(train_on_device, records, toy):
    samples = train_on_device.read_samples([records], toy)
    examples = [
        example
        for path in train_on_device.find_record_files([records])
        for example in reader.read_examples(path)
    ]
    assert len(samples) == len(examples) == 5
    for sample, example in zip(samples, examples, strict=True):
        count = len(example["image/object/class/label"])
        assert sample["weights"].sum() == count > 0
        edges = [
            example[f"image/object/bbox/{edge}"]
            for edge in ("ymin", "xmin", "ymax", "xmax")
        ]
        np.testing.assert_allclose(sample["boxes"][:count].T, edges)
        assert not sample["boxes"][count:].any()
        np.testing.assert_array_equal(
            sample["classes"][:count] + 1, example["image/object/class/label"]
        )
        assert sample["images"].shape == (16, 16, 3)
        assert -1 <= sample["images"].min() < sample["images"].max() <= 1


def test_each_round_takes_every_sample_once(train_on_device):
    samples = [{"images": np.array(i)} for i in range(5)]
    found = train_on_device.batches(samples, size=2, seed=0)
    seen = [b["images"] for b in itertools.islice(found, 10)]
    order = np.concatenate(seen).reshape(4, 5)
    for one_round in order:
        assert sorted(one_round) == [0, 1, 2, 3, 4]
    assert len({tuple(one_round) for one_round in order}) > 1


def test_one_sample_fills_a_batch(train_on_device):
    found = train_on_device.batches([{"images": np.array(7)}], size=3, seed=0)
    np.testing.assert_array_equal(next(found)["images"], [7, 7, 7])


def test_more_boxes_than_the_model_takes_are_refused(train_on_device, toy):
    edges = dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), [0.5] * 10)
    example = {f"image/object/bbox/{k}": v for k, v in edges.items()}
    with pytest.raises(ValueError, match="takes 9 boxes.*Received: 10"):
        train_on_device.sample_of(example, toy)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": "nan", "steps": 2}, "The loss must stay finite"),
        ({"restore": "none.npz"}, "Weights must be a file"),
        ({"model": "none.tflite"}, "No such file"),
        ({"records": "none*"}, "must match at least one file"),
    ],
)
def test_errors_are_one_line_and_nothing_is_written(
    train_on_device, model_file, records, tmp_path, capsys, options, message
):
    output = tmp_path / "weights.npz"
    words = _words(model_file, records, output, **options)
    assert train_on_device.main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("train_on_device.py: ") and message in error
    assert error.count("\n") == 1
    assert not output.exists()
