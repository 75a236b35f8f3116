"""tf.Example of the OD API, built without TensorFlow.

The message is declared here in four lines per type and lives in a descriptor
pool of its own: in protobuf's default pool it would collide with TensorFlow's
own `tensorflow.Example` as soon as one process loads both.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

from tfrecords_tools.example import Example
from tfrecords_tools.record import Scalar

_FIELD = descriptor_pb2.FieldDescriptorProto
_LISTS = {
    "BytesList": ("bytes_list", _FIELD.TYPE_BYTES),
    "FloatList": ("float_list", _FIELD.TYPE_FLOAT),
    "Int64List": ("int64_list", _FIELD.TYPE_INT64),
}

Feature = Sequence[bytes] | Sequence[float] | Sequence[int]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Features that one dataset has beside the common ones, with types.

    Args:
        object: `image/object/<key>`, taken from the objects' `extra`.
        image: `image/<key>`, taken from the image's `extra`.
    """

    object: Mapping[str, type] = dataclasses.field(default_factory=dict)
    image: Mapping[str, type] = dataclasses.field(default_factory=dict)


NO_COLUMNS = Columns()


def serialize(example: Example, columns: Columns = NO_COLUMNS) -> bytes:
    """Wire bytes of the example; equal ones give equal bytes."""
    message = example_class()()
    for key, (list_name, values) in features(example, columns).items():
        typed_list = getattr(message.features.feature[key], list_name)
        typed_list.SetInParent()  # An empty list still shows its type.
        typed_list.value.extend(values)
    return message.SerializeToString(deterministic=True)


def features(
    example: Example, columns: Columns = NO_COLUMNS
) -> dict[str, tuple[str, Feature]]:
    """Maps each key to (list field, values).

    Per-object lists all have one value per object and are written even when
    empty, because older readers of the OD API do not accept a missing one.
    Source: `object_detection/data_decoders/tf_example_decoder.py`; what is
    not read there, such as `truncated`, is carried for other tools.

    Args:
        columns: further features of the dataset, with their types.
    """
    return {
        **_image_features(example),
        **_object_features(example),
        **{
            f"image/{key}": _column(kind, [example.extra[key]])
            for key, kind in columns.image.items()
        },
        **{
            f"image/object/{key}": _column(
                kind, [box.extra[key] for box in example.objects]
            )
            for key, kind in columns.object.items()
        },
    }


def _image_features(example: Example) -> dict[str, tuple[str, Feature]]:
    digest = hashlib.sha256(example.encoded).hexdigest()
    return {
        "image/encoded": ("bytes_list", [example.encoded]),
        "image/format": _texts([example.encoding]),
        "image/height": ("int64_list", [example.height]),
        "image/width": ("int64_list", [example.width]),
        "image/filename": _texts([example.filename]),
        "image/source_id": _texts([example.source_id]),
        "image/key/sha256": _texts([digest]),
    }


def _object_features(example: Example) -> dict[str, tuple[str, Feature]]:
    boxes = example.objects
    columns: dict[str, tuple[str, Feature]] = {
        "bbox/xmin": ("float_list", [b.xmin for b in boxes]),
        "bbox/xmax": ("float_list", [b.xmax for b in boxes]),
        "bbox/ymin": ("float_list", [b.ymin for b in boxes]),
        "bbox/ymax": ("float_list", [b.ymax for b in boxes]),
        "class/text": _texts(b.name for b in boxes),
        "class/label": ("int64_list", [b.label for b in boxes]),
        "area": ("float_list", [b.area for b in boxes]),
        "difficult": _integers(b.difficult for b in boxes),
        "truncated": _integers(b.truncated for b in boxes),
        "occluded": _integers(b.occluded for b in boxes),
        "is_crowd": _integers(b.is_crowd for b in boxes),
        "group_of": _integers(b.group_of for b in boxes),
    }
    return {f"image/object/{key}": value for key, value in columns.items()}


def _column(kind: type, values: Sequence[Scalar]) -> tuple[str, Feature]:
    """Values under the one type that the column has in every record."""
    if kind is str:
        return _texts(map(str, values))
    if kind is float:
        return "float_list", [float(value) for value in values]
    return _integers(map(int, values))


def _texts(values: Iterable[str]) -> tuple[str, list[bytes]]:
    return "bytes_list", [value.encode("utf-8") for value in values]


def _integers(values: Iterable[int]) -> tuple[str, list[int]]:
    return "int64_list", [int(value) for value in values]


@functools.cache
def example_class() -> Any:
    """Message class of tensorflow.Example.

    Source: field numbers of `tensorflow/core/example/{example,feature}.proto`.
    """
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file_descriptor())
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("tensorflow.Example")
    )


def _file_descriptor() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="tfrecords_tools/example.proto",
        package="tensorflow",
        syntax="proto3",
    )
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (message, (field, kind)) in enumerate(_LISTS.items(), 1):
        values = file.message_type.add(name=message)
        values.field.add(
            name="value", number=1, label=_FIELD.LABEL_REPEATED, type=kind
        )
        _add_message_field(feature, field, number, message).oneof_index = 0
    features = file.message_type.add(name="Features")
    # A map is a repeated nested entry on the wire; keys are sorted on writing.
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(
        name="key",
        number=1,
        label=_FIELD.LABEL_OPTIONAL,
        type=_FIELD.TYPE_STRING,
    )
    _add_message_field(entry, "value", 2, "Feature")
    pairs = _add_message_field(features, "feature", 1, "Features.FeatureEntry")
    pairs.label = _FIELD.LABEL_REPEATED
    example = file.message_type.add(name="Example")
    _add_message_field(example, "features", 1, "Features")
    return file


def _add_message_field(
    message: descriptor_pb2.DescriptorProto,
    name: str,
    number: int,
    type_name: str,
) -> descriptor_pb2.FieldDescriptorProto:
    return message.field.add(
        name=name,
        number=number,
        label=_FIELD.LABEL_OPTIONAL,
        type=_FIELD.TYPE_MESSAGE,
        type_name=f".tensorflow.{type_name}",
    )
