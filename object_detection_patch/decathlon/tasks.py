"""The ten tasks of the Detection Decathlon, and how each is evaluated.

Counts are images, as in Table 1 of SpotPatch. Which flagged boxes count is
a property of the data set: a box that its annotators called difficult, or
that stands for a whole crowd, is no object to be found.

| key               | flag      | set from           | in mAP        |
|-------------------|-----------|--------------------|---------------|
| oid               | group_of  | IsGroupOf          | ignore region |
| coco              | is_crowd  | iscrowd            | ignore region |
| dogs, pet, voc    | difficult | difficult          | ignored       |
| face              | difficult | invalid            | ignored       |
| kitti             | -         | DontCare           | not recorded  |
| birds, cars, rpc  | -         | -                  | -             |

KITTI's converter leaves out the boxes that overlap a DontCare region and the
regions themselves, so its evaluation has nothing to ignore.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from object_detection_patch.decathlon import mean_ap


@dataclasses.dataclass(frozen=True)
class Task:
    """One data set of the decathlon.

    Args:
      key: short name, in file names and configs.
      name: the data set's own name.
      train_images: images trained on (train and validation together).
      eval_images: images evaluated on; None if the paper reports none.
      classes: number of classes.
      honoured_flags: flags of groundtruth boxes that take them out of the
        count; the `honour` of `mean_average_precision`. Others are ordinary.
      own_definition: the average precision of the data set's own benchmark
        as the OD API computes it, or None where it has none or another one
        altogether (WIDER FACE's and KITTI's levels of difficulty). The
        decathlon itself uses one definition throughout: mAP at IoU 0.5.
      unused_labels: ids of the label map that name no class.
    """

    key: str
    name: str
    train_images: int
    eval_images: int | None
    classes: int
    honoured_flags: frozenset[str] = frozenset()
    own_definition: mean_ap.Definition | None = None
    unused_labels: int = 0

    @property
    def num_classes(self) -> int:
        """What a model's config says: the greatest id of the label map."""
        return self.classes + self.unused_labels


_DIFFICULT = frozenset({mean_ap.DIFFICULT})
_IS_CROWD = frozenset({mean_ap.IS_CROWD})
_GROUP_OF = frozenset({mean_ap.GROUP_OF})

SOURCE_TASK = Task(
    "oid", "Open Images V4", 1_668_276, None, 601, _GROUP_OF, "pascal"
)
"""The task the base model is trained on; it needs no patch."""

TARGET_TASKS = (
    Task("birds", "Caltech-UCSD Birds 200", 3_000, 3_033, 200),
    Task("cars", "Stanford Cars", 8_144, 8_041, 196),
    Task(
        "coco",
        "COCO 2017",
        118_287,
        5_000,
        80,
        _IS_CROWD,
        "coco",
        unused_labels=10,
    ),
    Task("dogs", "Stanford Dogs", 12_000, 8_580, 120, _DIFFICULT),
    Task("face", "WIDER FACE", 12_880, 3_226, 1, _DIFFICULT),
    Task("kitti", "KITTI 2D object", 6_981, 500, 2),
    Task("pet", "Oxford-IIIT Pet", 3_180, 500, 37, _DIFFICULT),
    Task("rpc", "Retail Product Checkout", 5_400, 600, 200),
    Task(
        "voc",
        "Pascal VOC 2007 + 2012",
        16_551,
        4_952,
        20,
        _DIFFICULT,
        "pascal",
    ),
)
"""The nine tasks that are patched and scored, in the paper's order."""

TASKS: Mapping[str, Task] = MappingProxyType(
    {task.key: task for task in (SOURCE_TASK, *TARGET_TASKS)}
)


def task(key: str) -> Task:
    """The task of that key; ValueError naming all ten if there is none."""
    if key not in TASKS:
        raise ValueError(
            f"A decathlon task must be one of {', '.join(TASKS)}. "
            f"Received: {key!r}"
        )
    return TASKS[key]
