"""Which operations LiteRT runs for an image, by its own profiler.

    python benchmarks/litert_profile.py MODEL.tflite [--images X.npy] [--json]

The profiler is part of LiteRT's C library; its Python package has no words
for it, so this calls the library (ai-edge-litert 2.3) by ctypes. It wants a
process without TensorFlow.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import json
import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import ai_edge_litert
import numpy as np

_CPU = 1
# Event types: an operation, and one of those that a delegate has taken over.
_OPERATIONS = (2, 8)
_WRITE = 1
_HOST_MEMORY = 1
# Post-processing says the sizes of its outputs only when it runs.
_SPARE_BYTES = 2**16
_PROFILING = b"enable_profiling = true\n"
# Larger than any LiteRtRankedTensorType; only the library looks into it.
_TYPE_BYTES = 1024
_MOST_EVENTS = 65536
_Pointer = ctypes.c_void_p


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation that ran.

    Args:
      name: of the operation, or of the kernel that the XNNPACK delegate runs
        for it.
      node: its number in its subgraph, or in the delegate's part of it.
      subgraph: its number in the model.
      microseconds: that it took.
    """

    name: str
    node: int
    subgraph: int
    microseconds: int


class _Event(ctypes.Structure):
    """ProfiledEventData of its C++ header litert_profiler_event.h."""

    _fields_ = (
        ("tag", ctypes.c_char_p),
        ("event_type", ctypes.c_int),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory", ctypes.c_int64 * 6),
        ("node", ctypes.c_uint64),
        ("subgraph", ctypes.c_uint64),
        ("source", ctypes.c_int),
    )


class ProfiledModel:
    """A model in LiteRT on one CPU thread, with its profiler on.

    Args:
      path: of a .tflite file with a signature.
    """

    def __init__(self, path: str) -> None:
        self._library = _library()
        environment, options = _Pointer(), _Pointer()
        self._call("CreateEnvironment", 0, None, _out(environment))
        self._model = _Pointer()
        self._call(
            "CreateModelFromFile", environment, path.encode(), _out(self._model)
        )
        self._call("CreateOptions", _out(options))
        self._call("SetOptionsHardwareAccelerators", options, _CPU)
        self._add_option(options, b"runtime_options_string", _PROFILING)
        self._add_option(options, b"xnnpack", b"num_threads = 1\n")
        self._compiled = _Pointer()
        self._call(
            "CreateCompiledModel",
            environment,
            self._model,
            options,
            _out(self._compiled),
        )
        self._environment = environment
        self._profiler = _Pointer()
        self._call(
            "CompiledModelGetProfiler", self._compiled, _out(self._profiler)
        )
        self._inputs = list(self._buffers("Input"))
        self._outputs = list(self._buffers("Output"))

    def run(self, image: np.ndarray) -> list[Operation]:
        """What ran, in order.

        Args:
          image: as the model's only input.
        """
        self._write(self._inputs[0], image)
        self._call("ResetProfiler", self._profiler)
        self._call("StartProfiler", self._profiler)
        self._call(
            "RunCompiledModel",
            self._compiled,
            ctypes.c_size_t(0),
            ctypes.c_size_t(len(self._inputs)),
            (_Pointer * len(self._inputs))(*self._inputs),
            ctypes.c_size_t(len(self._outputs)),
            (_Pointer * len(self._outputs))(*self._outputs),
        )
        self._call("StopProfiler", self._profiler)
        return list(self._operations())

    def _operations(self) -> Iterator[Operation]:
        number = ctypes.c_int()
        self._call("GetNumProfilerEvents", self._profiler, _out(number))
        events = (_Event * min(number.value, _MOST_EVENTS))()
        self._call("GetProfilerEvents", self._profiler, len(events), events)
        for event in events:
            if event.event_type in _OPERATIONS:
                yield Operation(
                    event.tag.decode(),
                    event.node,
                    event.subgraph,
                    event.elapsed_us,
                )

    def _buffers(self, side: str) -> Iterator[_Pointer]:
        signature = _Pointer()
        self._call(
            "GetModelSignature",
            self._model,
            ctypes.c_size_t(0),
            _out(signature),
        )
        count = ctypes.c_size_t()
        self._call(f"GetNumSignature{side}s", signature, _out(count))
        for number in range(count.value):
            yield self._buffer(side, signature, ctypes.c_size_t(number))

    def _buffer(
        self, side: str, signature: _Pointer, number: ctypes.c_size_t
    ) -> _Pointer:
        tensor, needs, found = _Pointer(), _Pointer(), _Pointer()
        size = ctypes.c_size_t()
        kind = ctypes.create_string_buffer(_TYPE_BYTES)
        self._call(
            f"GetSignature{side}TensorByIndex", signature, number, _out(tensor)
        )
        self._call("GetRankedTensorType", tensor, kind)
        self._call(
            f"GetCompiledModel{side}BufferRequirements",
            self._compiled,
            ctypes.c_size_t(0),
            number,
            _out(needs),
        )
        self._call("GetTensorBufferRequirementsBufferSize", needs, _out(size))
        self._call(
            "CreateManagedTensorBuffer",
            self._environment,
            _HOST_MEMORY,
            kind,
            ctypes.c_size_t(size.value + _SPARE_BYTES),
            _out(found),
        )
        return found

    def _write(self, buffer: _Pointer, values: np.ndarray) -> None:
        address = _Pointer()
        self._call("LockTensorBuffer", buffer, _out(address), _WRITE)
        data = np.ascontiguousarray(values, np.float32).tobytes()
        ctypes.memmove(address, data, len(data))
        self._call("UnlockTensorBuffer", buffer)

    def _add_option(self, options: _Pointer, name: bytes, text: bytes) -> None:
        libc = ctypes.CDLL(None)
        libc.strdup.restype = _Pointer
        option = _Pointer()
        self._call(
            "CreateOpaqueOptions",
            name,
            _Pointer(libc.strdup(text)),
            ctypes.cast(libc.free, _Pointer),
            _out(option),
        )
        self._call("AddOpaqueOptions", options, option)

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._library, f"LiteRt{name}")(*arguments)
        if status:
            raise RuntimeError(f"LiteRt{name} gave status {status}.")


def subgraphs_run(operations: Sequence[Operation]) -> list[int]:
    """The subgraphs of which an operation ran, each once, ascending."""
    return sorted({operation.subgraph for operation in operations})


def _library() -> Any:
    folder = pathlib.Path(str(ai_edge_litert.__file__)).parent
    return ctypes.CDLL(str(folder / "libLiteRt.so"))


def _out(value: Any) -> Any:
    return ctypes.byref(value)


def main() -> int:
    options = _parser().parse_args()
    model = ProfiledModel(options.model)
    images = _images(options)
    model.run(images[0])
    ran = [model.run(image) for image in images]
    if options.json:
        print(json.dumps([subgraphs_run(one) for one in ran]))
        return 0
    for operation in ran[-1]:
        print(
            f"subgraph {operation.subgraph:2d}  node {operation.node:3d}  "
            f"{operation.microseconds:6d} us  {operation.name}"
        )
    return 0


def _images(options: argparse.Namespace) -> np.ndarray:
    if options.images:
        return np.load(options.images)
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(model_path=options.model)
    shape = model.get_input_details()[0]["shape"]
    return np.random.default_rng(0).uniform(-1, 1, (1, *shape[1:]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help=".tflite file with a signature")
    parser.add_argument(
        "--images",
        help=".npy file, float (images, height, width, 3), as the model takes "
        "them; noise unless given",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print for each image the numbers of the subgraphs that ran; "
        "otherwise the operations of the last image",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
