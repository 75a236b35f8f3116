"""The binary as users start it: a process of its own."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

_BINARY = [sys.executable, "-m", "object_detection_patch.model_main_tf2"]
_ROOT = pathlib.Path(__file__).parents[1]


def _environment(**settings: str) -> dict[str, str]:
    import object_detection

    paths = [
        str(_ROOT),
        str(pathlib.Path(object_detection.__file__).parents[1]),
    ]
    kept = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    kept.pop("TF_CONFIG", None)
    return kept | settings


def _run(command: list[str], **settings: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command,
        env=_environment(**settings),
        capture_output=True,
        text=True,
        timeout=1000,
    )


def _script(text: str, *arguments: str) -> str:
    """What a script prints; the test fails with its errors if it does."""
    done = _run([sys.executable, "-c", textwrap.dedent(text), *arguments])
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def _losses(model_dir: pathlib.Path) -> dict[int, float]:
    """Step -> Loss/total_loss of a training's TensorBoard events."""
    from tensorflow.core.util import event_pb2

    (path,) = model_dir.glob("**/events.out.tfevents.*")
    found = {}
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        event = event_pb2.Event.FromString(record)
        for value in event.summary.value:
            if value.tag == "Loss/total_loss":
                found[event.step] = float(tf.make_ndarray(value.tensor))
    return found


class TestFlags:
    @pytest.mark.slow
    def test_takes_every_flag_of_the_stock_binary(self):
        ours = _run([*_BINARY, "--helpfull"]).stdout
        listed = _script(
            """
            from object_detection_patch.od_api import compat
            compat.enable()
            from absl import flags
            from object_detection import model_main_tf2
            own = flags.FLAGS.flags_by_module_dict()
            for flag in own["object_detection.model_main_tf2"]:
                print(flag.name)
            """
        ).split()
        assert len(listed) >= 12
        assert {"num_workers", "use_tpu", "checkpoint_dir"} <= set(listed)
        shown = set(re.findall(r"--(?:\[no\])?(\w+)", ours))
        assert set(listed) <= shown
        assert "seed" in shown

    def test_help_names_our_flags(self):
        done = _run([*_BINARY, "--help"])
        assert "--seed" in done.stdout
        assert "Drop-in for the Object Detection API's" in done.stdout


def _refusal(config: str, tmp_path: pathlib.Path, *flags: str) -> str:
    """The one line of a refused run, which must write nothing."""
    model_dir = tmp_path / "train"
    done = _run(
        [
            *_BINARY,
            f"--pipeline_config_path={config}",
            f"--model_dir={model_dir}",
            *flags,
        ]
    )
    assert done.returncode == 2, done.stderr[-4000:]
    assert "Traceback" not in done.stderr
    assert not model_dir.exists()
    (line,) = [x for x in done.stderr.splitlines() if "Received" in x]
    return line


class TestRefusals:
    @pytest.mark.slow
    def test_misspelt_extension(self, small_world, tmp_path):
        good = pathlib.Path(small_world.config("stripes", "BN_PATCH"))
        text = good.read_text().replace(
            "[object_detection_patch.patch]", "[object_detection_patch.path]"
        )
        config = tmp_path / "bad.config"
        config.write_text(text)
        number = 1 + text[: text.index("[object_detection_patch.")].count("\n")
        line = _refusal(str(config), tmp_path)
        assert f"{config}: {number}:" in line
        assert "written as `[object_detection_patch.patch] { ... }`" in line

    @pytest.mark.slow
    def test_missing_config(self, tmp_path):
        assert "which is no file" in _refusal(
            str(tmp_path / "none.config"), tmp_path
        )

    def test_negative_lambda(self, small_world, tmp_path):
        config = small_world.config(
            "stripes",
            "SPOTPATCH",
            name="_negative",
            patch_options="  part { binary_mask { lambda_sps: -1 } }\n",
        )
        line = _refusal(config, tmp_path, "--checkpoint_every_n=2")
        assert "`binary_mask.lambda_sps` must be >= 0" in line

    @pytest.mark.slow
    def test_a_reference_in_percent(self, small_world, tmp_path):
        config = small_world.config(
            "stripes",
            "SPOTPATCH",
            name="_percent",
            patch_options="  reporting { fine_tuning_map: 71 }\n",
        )
        line = _refusal(config, tmp_path, "--checkpoint_every_n=2")
        assert "`reporting.fine_tuning_map` must lie in [0, 1)" in line
        assert "Received: 71 (pipeline.config" in line

    def test_missing_base(self, small_world, tmp_path):
        config = small_world.config(
            "stripes",
            "SPOTPATCH",
            name="_no_base",
            fine_tune_checkpoint=f"{tmp_path}/ckpt-0",
        )
        line = _refusal(config, tmp_path, "--checkpoint_every_n=2")
        assert f"{tmp_path}/ckpt-0.index does not exist" in line

    @pytest.mark.slow
    def test_no_checkpoint_would_be_kept(self, small_world, tmp_path):
        config = small_world.config("stripes", "SPOTPATCH")
        line = _refusal(config, tmp_path)
        assert "Received: 1000 for 4 steps" in line

    @pytest.mark.parametrize("flag", ["model_dir", "pipeline_config_path"])
    def test_a_missing_flag(self, flag, tmp_path):
        given = {"model_dir", "pipeline_config_path"} - {flag}
        done = _run([*_BINARY, *(f"--{name}={tmp_path}" for name in given)])
        assert done.returncode == 1
        assert f"flag --{flag}=None" in done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.slow
    def test_a_patched_checkpoint_without_a_patch_in_the_config(
        self, small_world, trained
    ):
        listed = sorted(os.listdir(trained[1]))
        for flag in (f"--checkpoint_dir={trained[1]}", "--num_train_steps=9"):
            done = _run(
                [
                    *_BINARY,
                    f"--pipeline_config_path={small_world.base_config}",
                    f"--model_dir={trained[1]}",
                    flag,
                ]
            )
            assert done.returncode == 2, done.stderr[-4000:]
            assert "must both have a patch, or neither" in done.stderr
            assert "Traceback" not in done.stderr
        assert sorted(os.listdir(trained[1])) == listed

    @pytest.mark.slow
    def test_conflicting_parts(self, small_world, tmp_path):
        config = small_world.config(
            "stripes",
            "SPOTPATCH",
            name="_conflict",
            patch_options="  part { piggyback { } }\n",
        )
        done = _run(
            [
                *_BINARY,
                f"--pipeline_config_path={config}",
                f"--model_dir={tmp_path / 'train'}",
                "--checkpoint_every_n=2",
            ]
        )
        assert done.returncode == 2, done.stderr[-4000:]
        assert "Each host can be patched by one part" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "train" / "pipeline.config").exists()

    @pytest.mark.slow
    def test_base_of_another_width(self, small_world, tmp_path):
        other = small_world.unpatched_model(
            feature_extractor__depth_multiplier=0.5
        )
        path = tf.train.Checkpoint(model=other).save(str(tmp_path / "b/ckpt"))
        config = small_world.config(
            "stripes", "BN_PATCH", name="_other", fine_tune_checkpoint=path
        )
        done = _run(
            [
                *_BINARY,
                f"--pipeline_config_path={config}",
                f"--model_dir={tmp_path / 'train'}",
                "--checkpoint_every_n=2",
            ]
        )
        assert done.returncode == 2, done.stderr[-4000:]
        assert "Traceback" not in done.stderr
        assert "holds another architecture" in done.stderr
        assert "could not be found" not in done.stderr, "buries the error"
        assert not list(tmp_path.glob("train/ckpt-*"))

    def test_tensorflow_imported_first_with_keras_3(self):
        environment = _environment()
        environment.pop("TF_USE_LEGACY_KERAS", None)
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "import tensorflow\n"
                "import object_detection_patch.model_main_tf2",
            ],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode != 0
        assert (
            "RuntimeError: TF_USE_LEGACY_KERAS=1 must be set before TensorFlow"
            in done.stderr
        )


@pytest.mark.slow
def test_nan_stops_with_one_line(small_world, tmp_path):
    config = small_world.config(
        "stripes", "FINE_TUNING", name="_nan", rate=1e30, num_steps=9
    )
    done = _run(
        [
            *_BINARY,
            f"--pipeline_config_path={config}",
            f"--model_dir={tmp_path / 'train'}",
            "--checkpoint_every_n=1",
        ]
    )
    assert done.returncode == 2, done.stderr[-4000:]
    assert "Traceback" not in done.stderr
    (line,) = [x for x in done.stderr.splitlines() if "NaN or infinity" in x]
    step = int(re.search(r"at step (\d+)", line)[1])
    newest = tf.train.latest_checkpoint(str(tmp_path / "train"))
    reader = tf.train.load_checkpoint(newest)
    assert 1 <= reader.get_tensor("step/.ATTRIBUTES/VARIABLE_VALUE") <= step + 1
    values = [
        reader.get_tensor(name)
        for name, _ in tf.train.list_variables(newest)
        if name.endswith("VARIABLE_VALUE")
    ]
    assert all(np.isfinite(value).all() for value in values)


_STOCK = """
import sys
from object_detection_patch.od_api import compat, repeatable
compat.enable()
import tensorflow as tf
from object_detection import model_main_tf2
with repeatable.repeatable(11):
    tf.compat.v1.app.run(model_main_tf2.main)
"""


@pytest.mark.slow
def test_a_stock_config_gives_the_stock_losses(small_world, tmp_path):
    path = small_world.config(
        "shapes", None, name="_stock", num_steps=20, batch_size=4
    )
    # The stock binary does not know our extractor.
    text = pathlib.Path(path).read_text().replace("fpn_narrow_", "fpn_")
    config = tmp_path / "stock.config"
    config.write_text(text)
    losses = {}
    for name, command in (
        ("stock", [sys.executable, "-c", _STOCK]),
        ("ours", [*_BINARY, "--seed=11"]),
    ):
        done = _run(
            [
                *command,
                f"--pipeline_config_path={config}",
                f"--model_dir={tmp_path / name}",
                "--checkpoint_every_n=20",
            ]
        )
        assert done.returncode == 0, done.stderr[-4000:]
        losses[name] = _losses(tmp_path / name)
    assert sorted(losses["stock"]) == list(range(20))
    assert losses["ours"] == losses["stock"]
    assert len(set(losses["ours"].values())) == 20


_MIRRORED = """
import json, sys
from object_detection_patch.od_api import compat, pipeline_config
compat.enable()
import tensorflow as tf
from object_detection import model_lib_v2
from object_detection_patch.training import loop

config, model_dir = sys.argv[1:]
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
patch = pipeline_config.patch_of(pipeline_config.read_pipeline(config))
for steps in (4, 6):
    strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    assert strategy.num_replicas_in_sync == 2
    with strategy.scope(), loop.patched(patch, model_dir=model_dir) as guard:
        model_lib_v2.train_loop(
            pipeline_config_path=config,
            model_dir=model_dir,
            train_steps=steps,
            checkpoint_every_n=2,
        )
    newest = tf.train.latest_checkpoint(model_dir)
    reader = tf.train.load_checkpoint(newest)
    step = reader.get_tensor("step/.ATTRIBUTES/VARIABLE_VALUE")
    print(json.dumps({"newest": newest, "step": int(step)}))
"""


def _assert_only_the_patch_moved(small_world, checkpoint: str) -> None:
    """Kernels of the base are bit-equal; the patch's masks are not."""
    base = tf.train.load_checkpoint(small_world.base_checkpoint)
    found = tf.train.load_checkpoint(checkpoint)
    keys = [
        key
        for key, shape in base.get_variable_to_shape_map().items()
        if len(shape) == 4
        and key.startswith("model/")
        and "prediction_head" not in key
    ]
    assert len(keys) == 71
    for key in keys:
        np.testing.assert_array_equal(
            found.get_tensor(key), base.get_tensor(key), err_msg=key
        )
    moments = [
        found.get_tensor(key)
        for key in found.get_variable_to_shape_map()
        if "/.OPTIMIZER_SLOT/optimizer/v/" in key and "latent_mask" in key
    ]
    assert len(moments) == 71
    assert any(moment.any() for moment in moments)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "options"),
    [("SPOTPATCH", ""), ("COMPACT", "  target_file_bytes: 40000\n")],
)
def test_mirrored_strategy_trains_and_resumes(
    small_world, tmp_path, preset, options
):
    config = small_world.config(
        "stripes", preset, name="_mirrored", patch_options=options
    )
    printed = _script(_MIRRORED, config, str(tmp_path / "train"))
    first, second = [
        json.loads(line) for line in printed.splitlines() if '"newest"' in line
    ]
    assert (first["step"], second["step"]) == (4, 6)
    _assert_only_the_patch_moved(small_world, second["newest"])


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.mark.slow
def test_two_workers_train_on_loopback(small_world, tmp_path):
    config = small_world.config("stripes", "SPOTPATCH", name="_workers")
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(2)]
    workers = [
        subprocess.Popen(
            [
                *_BINARY,
                f"--pipeline_config_path={config}",
                f"--model_dir={tmp_path / 'train'}",
                "--num_workers=2",
                "--checkpoint_every_n=2",
                "--norecord_summaries",
            ],
            env=_environment(
                TF_CONFIG=json.dumps(
                    {
                        "cluster": {"worker": addresses},
                        "task": {"type": "worker", "index": index},
                    }
                )
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for index in range(2)
    ]
    try:
        outputs = [worker.communicate(timeout=900)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    for worker, output in zip(workers, outputs, strict=True):
        assert worker.returncode == 0, output[-4000:]
    newest = tf.train.latest_checkpoint(str(tmp_path / "train"))
    reader = tf.train.load_checkpoint(newest)
    assert reader.get_tensor("step/.ATTRIBUTES/VARIABLE_VALUE") == 4
    _assert_only_the_patch_moved(small_world, newest)


@pytest.mark.slow
def test_an_interrupt_ends_the_wait_for_checkpoints(small_world, tmp_path):
    config = small_world.config("stripes", "BN_PATCH", name="_waiting")
    command = [
        *_BINARY,
        f"--pipeline_config_path={config}",
        f"--model_dir={tmp_path}",
        f"--checkpoint_dir={tmp_path}",
    ]
    lines = []
    with subprocess.Popen(
        command, env=_environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            lines.append(line)
            if "Waiting for new checkpoint" in line:
                process.send_signal(signal.SIGINT)
    assert process.returncode == 130, "".join(lines)[-4000:]
    assert "Traceback" not in "".join(lines)
