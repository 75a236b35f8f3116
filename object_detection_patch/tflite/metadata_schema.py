"""The tables of TFLite Model Metadata, to and from plain dictionaries.

Of the public schema, version 1.5.0, what image models use; `flatbuffers`
packs it. A dictionary has the schema's own field names:
https://github.com/google-ai-edge/mediapipe/blob/master/mediapipe/tasks/metadata/metadata_schema.fbs
"""

from __future__ import annotations

import struct
from typing import Any

import flatbuffers

METADATA_IDENTIFIER = b"M001"

# Table -> its fields, each at the place of its number in the schema.
_TABLES = {
    "ModelMetadata": (
        "name:string description:string version:string "
        "subgraph_metadata:[SubGraphMetadata] author:string license:string "
        "associated_files:[AssociatedFile] min_parser_version:string"
    ),
    "SubGraphMetadata": (
        "name:string description:string "
        "input_tensor_metadata:[TensorMetadata] "
        "output_tensor_metadata:[TensorMetadata] "
        "associated_files:[AssociatedFile] input_process_units:[ProcessUnit] "
        "output_process_units:[ProcessUnit] "
        "input_tensor_groups:[TensorGroup] output_tensor_groups:[TensorGroup]"
    ),
    "TensorMetadata": (
        "name:string description:string dimension_names:[string] "
        "content:Content process_units:[ProcessUnit] stats:Stats "
        "associated_files:[AssociatedFile]"
    ),
    "Content": (
        "content_properties_type:ubyte content_properties:ContentProperties "
        "range:ValueRange"
    ),
    "ImageProperties": "color_space:byte default_size:ImageSize",
    "ImageSize": "width:uint height:uint",
    "BoundingBoxProperties": "index:[uint] type:byte coordinate_type:byte",
    "ValueRange": "min:int max:int",
    "ProcessUnit": "options_type:ubyte options:ProcessUnitOptions",
    "NormalizationOptions": "mean:[float] std:[float]",
    "Stats": "max:[float] min:[float]",
    "TensorGroup": "name:string tensor_names:[string]",
    "AssociatedFile": (
        "name:string description:string type:byte locale:string version:string"
    ),
    # Of the model's own schema: what leads to the metadata. Fields whose
    # type is "-" are passed over.
    "Model": (
        "version:uint operator_codes:- subgraphs:- description:string "
        "buffers:- metadata_buffer:[int] metadata:[Metadata]"
    ),
    "Metadata": "name:string buffer:uint",
}
# Union -> its members by number. Field `x_type` says which one `x` holds.
_UNIONS = {
    "ContentProperties": {2: "ImageProperties", 3: "BoundingBoxProperties"},
    "ProcessUnitOptions": {1: "NormalizationOptions"},
}
_FORMATS = {"byte": "b", "ubyte": "B", "int": "i", "uint": "I", "float": "f"}
# Reads, plus bytes of strings. Parts of a damaged file can contain each other
# many times over; metadata of ours takes under 1,000.
_MOST_WORK = 2**20


def _fields(table: str) -> list[tuple[str, str]]:
    pairs = (field.split(":") for field in _TABLES[table].split())
    return [(name, kind) for name, kind in pairs]


def _kind_here(name: str, kind: str, values: dict[str, Any]) -> str:
    """The kind of a field: of a union, the member that it holds."""
    if kind not in _UNIONS:
        return kind
    return _UNIONS[kind].get(values.get(f"{name}_type", 0), "-")


def encode_metadata(metadata: dict[str, Any]) -> bytes:
    """The flatbuffer of a ModelMetadata; equal input gives equal bytes.

    Raises: KeyError for a field that no table of ours has.
    """
    builder = flatbuffers.Builder(1024)
    root = _write_table(builder, "ModelMetadata", metadata)
    builder.Finish(root, METADATA_IDENTIFIER)
    return bytes(builder.Output())


def _write_table(builder: Any, table: str, values: dict[str, Any]) -> int:
    fields = _fields(table)
    unknown = values.keys() - {name for name, _ in fields}
    if unknown:
        raise KeyError(f"{table} has no field {sorted(unknown)}")
    # What a table points to is written before it.
    places = {}
    for name, kind in fields:
        kind = _kind_here(name, kind, values)
        if name in values and kind not in _FORMATS:
            places[name] = _write_value(builder, kind, values[name])
    builder.StartObject(len(fields))
    for number, (name, kind) in enumerate(fields):
        if name in places:
            builder.PrependUOffsetTRelativeSlot(number, places[name], 0)
        elif name in values:
            _SLOTS[kind](builder, number, values[name], 0)
    return builder.EndObject()


_SLOTS = {
    "byte": flatbuffers.Builder.PrependInt8Slot,
    "ubyte": flatbuffers.Builder.PrependUint8Slot,
    "int": flatbuffers.Builder.PrependInt32Slot,
    "uint": flatbuffers.Builder.PrependUint32Slot,
}


def _write_value(builder: Any, kind: str, value: Any) -> int:
    if kind == "string":
        return builder.CreateString(value)
    if not kind.startswith("["):
        return _write_table(builder, kind, value)
    kind = kind[1:-1]
    prepend = {
        "float": builder.PrependFloat32,
        "uint": builder.PrependUint32,
    }.get(kind, builder.PrependUOffsetTRelative)
    if kind not in _FORMATS:
        value = [_write_value(builder, kind, item) for item in value]
    builder.StartVector(4, len(value), 4)
    for item in reversed(value):
        prepend(item)
    return builder.EndVector()


class TableReader:
    """Reads tables out of a flatbuffer, never outside its bytes.

    Every method raises ValueError where the bytes are no such flatbuffer.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._left = _MOST_WORK

    def root(self) -> int:
        return self._target(0)

    def table(self, table: str, at: int) -> dict[str, Any]:
        """The fields of a table: numbers always, others where it has them."""
        found: dict[str, Any] = {}
        for number, (name, kind) in enumerate(_fields(table)):
            place = self.field(at, number)
            kind = _kind_here(name, kind, found)
            if kind in _FORMATS:
                found[name] = self._number(kind, place) if place else 0
            elif place and kind != "-":
                found[name] = self._value(kind, place)
        return found

    def field(self, table: int, number: int) -> int:
        """Where the field of a table lies; 0 if the table lacks it."""
        vtable = table - self._unpack("i", table)
        entry = 4 + 2 * number
        if entry + 2 > self._unpack("H", vtable):
            return 0
        offset = self._unpack("H", vtable + entry)
        return table + offset if offset else 0

    def item(self, field: int, index: int) -> int:
        """Where the table lies that is an item of a vector of tables."""
        start, count = self._vector(field)
        if index >= count:
            raise ValueError(
                f"An index must be below {count}. Received: {index}."
            )
        return self._target(start + 4 * index)

    def data(self, field: int) -> bytes:
        """The bytes of a string or a vector of bytes."""
        start, count = self._vector(field)
        if start + count > len(self._raw):
            raise ValueError(
                f"A vector must end within the {len(self._raw)} bytes of its "
                f"flatbuffer. Received: {count} bytes at {start}."
            )
        return self._raw[start : start + count]

    def _value(self, kind: str, at: int) -> Any:
        if kind in _FORMATS:
            return self._number(kind, at)
        if kind == "string":
            data = self.data(at)
            self._work(len(data))
            return data.decode("utf-8")
        if not kind.startswith("["):
            return self.table(kind, self._target(at))
        start, count = self._vector(at)
        return [self._value(kind[1:-1], start + 4 * i) for i in range(count)]

    def _vector(self, field: int) -> tuple[int, int]:
        """Where the items of a vector begin, and how many there are."""
        if not field:
            raise ValueError("A table must have this vector. Received: none.")
        at = self._target(field)
        return at + 4, self._unpack("I", at)

    def _target(self, at: int) -> int:
        return at + self._unpack("I", at)

    def _number(self, kind: str, at: int) -> Any:
        return self._unpack(_FORMATS[kind], at)

    def _unpack(self, form: str, at: int) -> Any:
        self._work(1)
        if not 0 <= at <= len(self._raw) - struct.calcsize(form):
            raise ValueError(
                "An offset must lead into its flatbuffer of "
                f"{len(self._raw)} bytes. Received: one to {at}."
            )
        return struct.unpack_from(f"<{form}", self._raw, at)[0]

    def _work(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise ValueError(
                f"Metadata must be read in {_MOST_WORK} steps. Received: more."
            )
