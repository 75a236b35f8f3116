"""From hand-written expectations to the records that they stand for."""

from tfrecords_tools.record import AnnotatedImage, AnnotatedObject

_FLAGS = ("difficult", "truncated", "occluded")


def records(listed, root, edge_rule):
    """Records of a split; what is left out of the JSON has its default.

    An object's keys beyond the known ones are the converter's own columns.
    """
    return [_image(item, root, edge_rule) for item in listed]


def _image(item, root, edge_rule):
    return AnnotatedImage(
        path=root / item["path"],
        filename=item["filename"],
        source_id=item["source_id"],
        objects=tuple(_object(dict(o)) for o in item["objects"]),
        edge_rule=edge_rule,
        size=tuple(item["size"]) if item["size"] else None,
        dropped=item.get("dropped", {}),
        remarks=tuple(item.get("remarks", ())),
    )


def _object(item):
    xmin, ymin, xmax, ymax = item.pop("edges")
    flags = {flag: item.pop(flag) for flag in _FLAGS if flag in item}
    return AnnotatedObject(
        name=item.pop("name"),
        label=item.pop("label"),
        xmin=xmin,
        ymin=ymin,
        xmax=xmax,
        ymax=ymax,
        extra=item,
        **flags,
    )
