"""Small detection datasets drawn from a seed; nothing is downloaded.

One file per world (`shapes` is the source, `stripes` a near task, `digits` a
far one), each with `KEY`, `CLASS_NAMES` and `draw_scene(rng, side) -> Scene`;
`dataset.WORLDS` lists them.
"""

from tfrecords_tools.synthetic.dataset import (
    WORLDS,
    DatasetFiles,
    dataset_files,
    draw_dataset,
    label_map,
    write_demo_datasets,
)

__all__ = [
    "WORLDS",
    "DatasetFiles",
    "dataset_files",
    "draw_dataset",
    "label_map",
    "write_demo_datasets",
]
