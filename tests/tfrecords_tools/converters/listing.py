"""From records to what hand-written expectations say about them."""

from tfrecords_tools.record import EdgeRule

_FLAGS = (
    "area",
    "difficult",
    "truncated",
    "occluded",
    "is_crowd",
    "group_of",
)


def listed(images, root):
    """A split as JSON; what has its default is left out.

    The default of `edge_rule` is "pixels".
    """
    return [_image(image, root) for image in images]


def _image(image, root):
    item = {
        "path": image.path.relative_to(root).as_posix(),
        "filename": image.filename,
        "source_id": image.source_id,
        "size": list(image.size) if image.size else None,
        "objects": [_object(o) for o in image.objects],
        **image.extra,
    }
    if image.edge_rule is not EdgeRule.PIXELS:
        item["edge_rule"] = image.edge_rule.value
    if image.remarks:
        item["remarks"] = list(image.remarks)
    if image.dropped:
        item["dropped"] = dict(image.dropped)
    return item


def _object(o):
    flags = {flag: getattr(o, flag) for flag in _FLAGS}
    return {
        "name": o.name,
        "label": o.label,
        "edges": list(o.edges),
        **{flag: value for flag, value in flags.items() if value},
        **o.extra,
    }
