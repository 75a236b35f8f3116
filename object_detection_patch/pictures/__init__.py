"""Pictures of what was detected, which gates are open and what it cost.

Images are uint8 arrays [height, width, 3] in RGB. Equal input gives equal
pixels with one version of Pillow and Matplotlib. Both come with the `[train]`
extra and are imported when a picture is drawn.
"""

from object_detection_patch.pictures.cost import cost_scatter
from object_detection_patch.pictures.detections import draw_detections
from object_detection_patch.pictures.gates import gate_chart, gate_comparison
from object_detection_patch.pictures.memory import memory_flame
from object_detection_patch.pictures.png import save_png
from object_detection_patch.pictures.policies import policy_chart
from object_detection_patch.pictures.sheets import side_by_side

__all__ = [
    "cost_scatter",
    "draw_detections",
    "gate_chart",
    "gate_comparison",
    "memory_flame",
    "policy_chart",
    "save_png",
    "side_by_side",
]
