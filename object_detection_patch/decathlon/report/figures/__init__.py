"""`Results` -> figures, in the sections of the report that they belong to.

Where runs are missing a figure shows what is there, or is left out.
"""

from __future__ import annotations

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Section
from object_detection_patch.decathlon.report.figures.compact import (
    compact_figures,
)
from object_detection_patch.decathlon.report.figures.costs import cost_figures
from object_detection_patch.decathlon.report.figures.footprints import (
    footprint_figures,
)
from object_detection_patch.decathlon.report.figures.joint import joint_figures
from object_detection_patch.decathlon.report.figures.layers import layer_figures
from object_detection_patch.decathlon.report.figures.mobile_tl import (
    mobile_tl_figures,
)
from object_detection_patch.decathlon.report.figures.policies import (
    policy_figures,
)
from object_detection_patch.decathlon.report.figures.sparsity import (
    sparsity_figures,
)
from object_detection_patch.decathlon.report.figures.tradeoffs import (
    precision_figures,
    score_figures,
)
from object_detection_patch.decathlon.report.figures.updating import (
    updating_figures,
)

_SECTIONS = (
    ("decathlon", "Footprint of each task", footprint_figures),
    ("scores", "What a Score costs", score_figures),
    ("gates", "What each task patches", layer_figures),
    ("updating", "Updating a model", updating_figures),
    ("sizes", "Sizes, and 8 bits", precision_figures),
    ("sparsity", "The weight of sparsity", sparsity_figures),
    ("families", "Adapters and routing", policy_figures),
    ("mobile_tl", "Training that fits a phone", mobile_tl_figures),
    ("compact", "Smaller files", compact_figures),
    ("joint", "One base, trained by several tasks", joint_figures),
    ("costs", "Time and memory", cost_figures),
)


def build_figures(results: Results) -> tuple[Section, ...]:
    """Sections of figures alone; those without a figure are left out."""
    sections = (
        Section(key, title, figures=tuple(make(results)))
        for key, title, make in _SECTIONS
    )
    return tuple(section for section in sections if section.figures)
