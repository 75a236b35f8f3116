"""Pillow and Matplotlib: late, by name, without pyplot."""

import subprocess
import sys

import numpy as np
import pytest

from object_detection_patch import pictures
from object_detection_patch.pictures import packages


def draw_box():
    image = np.full((96, 96, 3), 128, np.uint8)
    pictures.draw_detections(image, [(0, 0, 1, 1)], [1], [0.9], {1: "cat"})


def draw_chart():
    pictures.cost_scatter({"near": {"SPOTPATCH": (0.8, 400)}}, title="t")


@pytest.mark.parametrize(
    ("package", "name", "use"),
    [("PIL", "Pillow", draw_box), ("matplotlib", "Matplotlib", draw_chart)],
)
def test_a_missing_package_names_its_extra(monkeypatch, package, name, use):
    def refuse(module, *_):
        raise ImportError(f"No module named {module!r}")

    monkeypatch.setattr(packages.importlib, "import_module", refuse)
    with pytest.raises(ImportError, match=rf"need {name}: .*\[train\]"):
        use()


def test_import_is_light_and_pyplot_is_never_touched():
    code = (
        "import sys\n"
        "from object_detection_patch import pictures\n"
        "heavy = {'PIL', 'matplotlib', 'tensorflow'} & set(sys.modules)\n"
        "pictures.cost_scatter({'a': {'b': (0.5, 9)}}, title='t')\n"
        "heavy |= {'matplotlib.pyplot'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
