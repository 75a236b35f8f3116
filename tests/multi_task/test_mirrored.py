"""Two devices train as one does; in a process that splits its CPU."""

import json
import subprocess
import sys

import pytest

_SCRIPT = """
import json, sys
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
from object_detection_patch.multi_task import loop, result, tasks
from object_detection_patch.od_api import compat, extractors, repeatable

compat.enable()
extractors.register()
model_dir, *configs = sys.argv[1:]
strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
with repeatable.repeatable(3), strategy.scope():
    for steps_kept in (1, 2):
        joint = loop.train(
            tasks.read_tasks(configs, None), model_dir, private=None,
            steps=2, checkpoint_every_n=1, log_every_n=1, max_rate_ratio=5.0,
        )
    report = result.write(joint, model_dir)
same = all(
    bool(tf.reduce_all(one == other))
    for variable in joint.shared
    for one, other in [strategy.experimental_local_results(variable)]
)
print(json.dumps({
    "replicas": strategy.num_replicas_in_sync,
    "same": same,
    "step": int(joint.step.numpy()),
    "patches": [task["patch"] for task in report["tasks"].values()],
}))
"""


@pytest.mark.slow
def test_two_devices_train_jointly(two_configs, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path / "run"), *two_configs],
        capture_output=True,
        text=True,
        timeout=1100,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["replicas"], found["same"], found["step"]) == (2, True, 2)
    assert "goes on at step 2" in done.stderr
    from object_detection_patch.patch_file import read_patch

    assert len({read_patch(p).base_fingerprint for p in found["patches"]}) == 1
