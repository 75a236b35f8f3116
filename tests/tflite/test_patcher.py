"""Files in, a verified file out, and what stays when something is wrong."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest
import slow_apply
import tiny_base

from object_detection_patch import patch_file, tflite
from object_detection_patch.patch_file import (
    FingerprintError,
    PatchFileError,
    Replace,
)
from object_detection_patch.tflite import (
    errors,
    fit,
    limits,
    model,
    patcher,
    sidecar_file,
    trust,
)

PRECISION = pytest.mark.parametrize("precision", tiny_base.PRECISIONS)
OLD = b"an older model"


@dataclasses.dataclass
class Files:
    """A published base and a patch for it in a folder, and the result."""

    folder: pathlib.Path
    tiny: tiny_base.Tiny
    patch: patch_file.Patch
    expected: bytes

    @property
    def base(self) -> pathlib.Path:
        return self.folder / "base.tflite"

    @property
    def sidecar(self) -> pathlib.Path:
        return self.folder / "base.odpatch"

    @property
    def task(self) -> pathlib.Path:
        return self.folder / "task.patch"

    @property
    def output(self) -> pathlib.Path:
        return self.folder / "task.tflite"

    def write(self) -> None:
        self.base.write_bytes(self.tiny.model)
        self.sidecar.write_bytes(sidecar_file.to_bytes(self.tiny.sidecar))
        self.task.write_bytes(patch_file.to_bytes(self.patch))

    def apply(self, **options) -> tflite.Applied:
        return tflite.apply(self.base, self.task, self.output, **options)

    def contents(self) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in self.folder.iterdir()}


def files_in(folder, precision, **options):
    tiny = tiny_base.make(precision)
    patch = tiny_base.patch_for(tiny, **options)
    expected = slow_apply.model_of(tiny.model, tiny.sidecar, patch)
    patch = tiny_base.with_result(patch, tiny, expected)
    files = Files(folder, tiny, patch, expected)
    files.write()
    return files


@pytest.fixture(params=tiny_base.PRECISIONS)
def files(tmp_path, request):
    return files_in(tmp_path, request.param)


@pytest.fixture
def float_files(tmp_path):
    return files_in(tmp_path, "float32")


def refused(files, error, message, **options):
    """Nothing is written, nothing changes, an older output stays."""
    files.output.write_bytes(OLD)
    before = files.contents()
    with pytest.raises(error, match=message) as raised:
        files.apply(**options)
    assert files.contents() == before
    return raised.value


def test_the_model_of_a_task(files):
    before = files.contents()
    applied = files.apply()
    assert files.contents() == {**before, "task.tflite": files.expected}
    assert applied == tflite.Applied(
        file_bytes=len(files.expected),
        sha256=hashlib.sha256(files.expected).hexdigest(),
        classes=3,
        verified=True,
    )


def test_an_older_output_is_replaced(files):
    files.output.write_bytes(OLD)
    files.apply()
    assert files.output.read_bytes() == files.expected


def test_without_a_release_nothing_is_verified(float_files):
    patch = dataclasses.replace(float_files.patch, releases=())
    float_files.task.write_bytes(patch_file.to_bytes(patch))
    assert not float_files.apply().verified
    assert float_files.output.read_bytes() == float_files.expected


@PRECISION
@pytest.mark.parametrize("number", [0, 1])
def test_another_input_size(tmp_path, precision, number):
    """What a base that was exported at that size becomes, byte for byte."""
    tiny = tiny_base.with_sizes(tiny_base.make(precision))
    size = tiny.sidecar.sizes[number]
    exported = tiny_base.at_size(tiny, size)
    patch = tiny_base.patch_for(exported)
    expected = slow_apply.model_of(exported.model, exported.sidecar, patch)
    patch = tiny_base.with_result(patch, exported, expected)
    files = Files(tmp_path, tiny, patch, expected)
    files.write()
    applied = files.apply()
    assert files.output.read_bytes() == expected
    assert applied.verified
    assert applied.image_size == size.image_size
    alone = tflite.apply_bytes(
        exported.model,
        sidecar_file.to_bytes(exported.sidecar),
        patch_file.to_bytes(patch),
    )
    assert alone == expected


def test_a_patch_for_several_sizes_gets_the_bases_own(files):
    """Then the sizes in their order; one for none of them gets it too."""
    tiny = tiny_base.with_sizes(files.tiny)
    one, two = tiny.sidecar.sizes
    own = files.patch.releases[0]
    for digests, chosen in (
        ([two.base_sha256, own.base_sha256], None),
        ([two.base_sha256, one.base_sha256], one),
        (["5" * 64, two.base_sha256], two),
    ):
        releases = tuple(
            dataclasses.replace(own, base_sha256=digest) for digest in digests
        )
        patch = dataclasses.replace(files.patch, releases=releases)
        assert fit.chosen_size(tiny.sidecar, patch) is chosen
    unknown = dataclasses.replace(files.patch, releases=())
    assert fit.chosen_size(tiny.sidecar, unknown) is None


def test_a_patch_for_a_size_that_the_base_lacks_is_not_for_it(tmp_path):
    files = files_in(tmp_path, "int8")
    tiny = tiny_base.with_sizes(files.tiny)
    exported = tiny_base.at_size(tiny, tiny.sidecar.sizes[0])
    files.patch = tiny_base.with_result(files.patch, exported, files.expected)
    files.write()
    refused(files, errors.MissingReleaseError, "published for 1 other bases")


def test_the_result_of_another_size_is_verified(tmp_path):
    tiny = tiny_base.with_sizes(tiny_base.make("float32"))
    exported = tiny_base.at_size(tiny, tiny.sidecar.sizes[0])
    patch = tiny_base.patch_for(exported, result="a" * 64)
    files = Files(tmp_path, tiny, patch, b"")
    files.write()
    refused(files, errors.ResultMismatchError, "that the publisher tested")


def test_no_output_does_all_but_writing(files):
    before = files.contents()
    applied = tflite.apply(files.base, files.task, None)
    assert applied == files.apply()
    files.output.unlink()
    assert files.contents() == before


def test_in_memory(files):
    arguments = (files.base, files.sidecar, files.task)
    found = tflite.apply_bytes(*(path.read_bytes() for path in arguments))
    assert type(found) is bytes
    assert found == files.expected


def test_a_sidecar_elsewhere(files, tmp_path):
    moved = tmp_path / "elsewhere"
    files.sidecar.rename(moved)
    files.apply(sidecar=moved)
    assert files.output.read_bytes() == files.expected


@pytest.mark.parametrize(
    ("base", "sidecar"),
    [
        ("a/base.tflite", "a/base.odpatch"),
        (pathlib.Path("a.b/base"), "a.b/base.odpatch"),
        ("base.v2.tflite", "base.v2.odpatch"),
    ],
)
def test_where_the_sidecar_is_looked_for(base, sidecar):
    assert tflite.sidecar_path(base) == sidecar


def test_a_missing_sidecar_is_told_with_its_path(files):
    files.sidecar.unlink()
    error = refused(
        files,
        FileNotFoundError,
        r"A base comes with its sidecar, beside it and of the same name "
        r"unless told otherwise\. Received: no such file: '.*base\.odpatch'",
    )
    assert error.errno == errno.ENOENT
    assert error.filename == str(files.sidecar)


@pytest.mark.parametrize("name", ["base", "task"])
def test_a_missing_file_is_told_with_its_path(files, name):
    path = getattr(files, name)
    path.unlink()
    error = refused(files, FileNotFoundError, "No such file or directory")
    assert os.fspath(error.filename) == str(path)


def test_a_folder_for_a_file(files):
    files.base.unlink()
    files.base.mkdir()
    with pytest.raises(IsADirectoryError, match=r"base\.tflite"):
        files.apply()


OTHERS = r"\(base .*base\.tflite, sidecar .*base\.odpatch, patch .*\.patch\)$"


def test_a_base_of_another_length(files):
    files.base.write_bytes(files.tiny.model + b"\0")
    size = len(files.tiny.model)
    refused(
        files,
        errors.BaseMismatchError,
        rf"that its sidecar describes, {size} bytes\. Received: {size + 1} "
        rf"bytes; was it converted or repacked again, .* {OTHERS}",
    )


def test_a_base_of_other_bytes(files):
    other = bytearray(files.tiny.model)
    other[-1] ^= 1
    files.base.write_bytes(other)
    refused(
        files,
        errors.BaseMismatchError,
        rf"SHA-256 {files.tiny.sidecar.base_sha256}\. Received: "
        rf"{hashlib.sha256(other).hexdigest()}; .* {OTHERS}",
    )


def test_a_trusted_base_is_not_hashed(float_files):
    """The labels at its end are not part of what is copied."""
    other = bytearray(float_files.tiny.model)
    other[-1] ^= 1
    float_files.base.write_bytes(other)
    assert float_files.apply(trust_base=True).verified
    assert float_files.output.read_bytes() == float_files.expected
    float_files.base.write_bytes(other + b"\0")
    refused(
        float_files, errors.BaseMismatchError, "bytes; was", trust_base=True
    )


def test_a_trusted_base_with_other_weights_gives_another_result(float_files):
    other = bytearray(float_files.tiny.model)
    other[tiny_base.SKELETON_BYTES + 16] ^= 1
    float_files.base.write_bytes(other)
    refused(float_files, errors.ResultMismatchError, "result", trust_base=True)


def test_a_result_that_the_publisher_did_not_test(files):
    patch = tiny_base.with_result(files.patch, files.tiny, b"another")
    files.task.write_bytes(patch_file.to_bytes(patch))
    refused(
        files,
        errors.ResultMismatchError,
        r"must be the model that the publisher tested, SHA-256 "
        rf"{hashlib.sha256(b'another').hexdigest()}\. Received: "
        rf"{hashlib.sha256(files.expected).hexdigest()}; tell the publisher",
    )


def test_the_sidecar_of_another_precision(tmp_path):
    files = files_in(tmp_path, "float32")
    other = tiny_base.make("float16")
    files.sidecar.write_bytes(sidecar_file.to_bytes(other.sidecar))
    refused(files, errors.BaseMismatchError, "describes")


def test_a_patch_for_another_base(files):
    patch = dataclasses.replace(files.patch, base_fingerprint="ab" * 32)
    files.task.write_bytes(patch_file.to_bytes(patch))
    refused(files, FingerprintError, f"no other.*{OTHERS}")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("task", PatchFileError, "A patch file has at least 64 bytes"),
        ("sidecar", errors.SidecarError, "A sidecar has at least 64 bytes"),
        ("base", errors.BaseMismatchError, "Received: 0 bytes"),
    ],
)
def test_an_empty_file(files, name, error, message):
    getattr(files, name).write_bytes(b"")
    refused(files, error, message)


def test_files_that_are_swapped(files):
    with pytest.raises(PatchFileError, match="A patch file begins with"):
        tflite.apply(files.base, files.sidecar, files.output)
    with pytest.raises(errors.SidecarError, match="A sidecar begins with"):
        files.apply(sidecar=files.task)
    with pytest.raises(errors.SidecarError, match="A sidecar begins with"):
        files.apply(sidecar=files.base)


def test_the_order_of_the_checks(float_files):
    """With everything wrong: each check is told when those before hold."""
    files = float_files
    good = files.contents()
    files.base.write_bytes(b"no base")
    files.sidecar.write_bytes(b"no sidecar" * 9)
    files.task.write_bytes(b"no patch" * 9)
    refused(files, PatchFileError, "A patch file begins")
    unfit = tiny_base.changed_edits(
        files.patch, {"none/bias": Replace("none/bias", np.ones(3))}
    )
    other = dataclasses.replace(unfit, base_fingerprint="ab" * 32)
    files.task.write_bytes(patch_file.to_bytes(other))
    refused(files, errors.SidecarError, "A sidecar begins")
    files.sidecar.write_bytes(good["base.odpatch"])
    refused(files, FingerprintError, "and no other")
    files.task.write_bytes(patch_file.to_bytes(unfit))
    refused(files, errors.BaseMismatchError, "bytes; was it converted")
    files.base.write_bytes(b"x" * len(good["base.tflite"]))
    refused(files, errors.BaseMismatchError, "SHA-256")
    files.base.write_bytes(good["base.tflite"])
    refused(files, errors.UnfitEditError, "of 'none/bias'")


@pytest.mark.parametrize("name", ["base", "sidecar", "task"])
@pytest.mark.parametrize("how", ["same", "dots", "symlink", "hard link"])
def test_an_output_that_is_an_input(files, name, how):
    path = getattr(files, name)
    output = {
        "same": path,
        "dots": files.folder / ".." / files.folder.name / path.name,
    }.get(how, files.folder / "output.tflite")
    if how == "symlink":
        output.symlink_to(path)
    elif how == "hard link":
        os.link(path, output)
    before = files.contents()
    with pytest.raises(
        errors.OutputError,
        match=r"must not replace a file that is read\. Received: '.*', which "
        rf"is '.*{path.name}'\.",
    ):
        tflite.apply(files.base, files.task, output)
    assert files.contents() == before


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_an_output_that_is_no_file(files, kind):
    path = files.folder / "output.tflite"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    before = sorted(files.folder.iterdir())
    with pytest.raises(errors.OutputError, match="must be a file"):
        tflite.apply(files.base, files.task, path)
    assert sorted(files.folder.iterdir()) == before
    assert not path.is_file()


def test_a_patch_from_a_pipe(files):
    pipe = files.folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(
        target=pipe.write_bytes, args=[files.task.read_bytes()]
    )
    writer.start()
    tflite.apply(files.base, pipe, files.output)
    writer.join()
    assert files.output.read_bytes() == files.expected


def test_an_output_that_is_the_key(files, tmp_path):
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    trust.generate(private, public)
    with pytest.raises(errors.OutputError, match=r"public\.pem"):
        tflite.apply(files.base, files.task, public, require_signature=public)


def test_an_output_through_a_link_elsewhere(files, tmp_path):
    """The link stays, the file behind it is replaced."""
    target = tmp_path / "target.bin"
    target.write_bytes(OLD)
    files.output.symlink_to(target)
    files.apply()
    assert files.output.is_symlink()
    assert target.read_bytes() == files.expected


def test_an_output_in_no_folder(files):
    with pytest.raises(FileNotFoundError, match="none"):
        tflite.apply(files.base, files.task, files.folder / "none" / "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_writable(files):
    files.folder.chmod(0o500)
    try:
        refused_output = files.folder / "new.tflite"
        with pytest.raises(PermissionError):
            tflite.apply(files.base, files.task, refused_output)
    finally:
        files.folder.chmod(0o700)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_folder_that_refuses_new_files(files, monkeypatch, code):
    """As root sees it: a read-only file system."""

    def refuse(path, *_, **__):
        raise OSError(code, os.strerror(code), path)

    monkeypatch.setattr(
        "object_detection_patch.patch_file.whole_file.open",
        refuse,
        raising=False,
    )
    refused(files, OSError, os.strerror(code))


_FULL = """
import resource, signal, sys
from object_detection_patch import tflite
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    tflite.apply(*sys.argv[1:])
except OSError as error:
    print(error.errno)
"""


def _python(source, *arguments):
    return subprocess.run(
        [sys.executable, "-c", source, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
    ).stdout


def test_a_disk_that_fills_up(float_files):
    """No file may grow beyond 1,000 bytes."""
    files = float_files
    assert len(files.expected) > 1000
    files.output.write_bytes(OLD)
    before = files.contents()
    found = _python(_FULL, files.base, files.task, files.output)
    assert int(found) == errno.EFBIG
    assert files.contents() == before


_PLAIN = """
import sys
sys.modules.update(dict.fromkeys(
    ("tensorflow", "flatbuffers", "cryptography", "ai_edge_litert", "google")
))
from object_detection_patch import tflite
tflite.apply(*sys.argv[1:])
tops = {name.partition(".")[0] for name in sys.modules}
print(*sorted(tops & {"scipy", "PIL", "absl", "tf_keras", "object_detection"}))
"""


def test_applying_needs_numpy_alone(files):
    found = _python(_PLAIN, files.base, files.task, files.output)
    assert found.split() == []
    assert files.output.read_bytes() == files.expected


def test_a_required_signature(files, tmp_path):
    keys = [tmp_path / f"{name}.pem" for name in ("a", "a_pub", "b", "b_pub")]
    trust.generate(*keys[:2])
    trust.generate(*keys[2:])
    refused(files, trust.SignatureError, "sign", require_signature=keys[1])
    signer = trust.load_signer(keys[0])
    files.task.write_bytes(patch_file.to_bytes(files.patch, sign=signer))
    files.apply(require_signature=keys[1])
    assert files.output.read_bytes() == files.expected
    refused(
        files,
        trust.SignatureError,
        "must be signed with the key",
        require_signature=keys[3],
    )
    files.apply()


def test_an_error_while_computing_leaves_nothing(files, monkeypatch):
    def fail(*_, **__):
        raise errors.NumberError("too large")

    monkeypatch.setattr(model, "Contents", fail)
    refused(files, errors.NumberError, f"^too large {OTHERS}")


def test_the_base_of_a_sidecar(files):
    assert patcher.read_base(files.base, files.tiny.sidecar) == (
        files.tiny.model
    )
    files.base.write_bytes(b"x" * len(files.tiny.model))
    with pytest.raises(errors.BaseMismatchError, match="SHA-256"):
        patcher.read_base(files.base, files.tiny.sidecar)


@pytest.mark.parametrize("name", ["base", "sidecar", "task"])
def test_files_beyond_their_limits_are_not_read_whole(files, monkeypatch, name):
    """A sparse file of 2 GiB: one byte more than the limit is read."""
    read = {}
    real = patcher.read_within

    def counted(path, most):
        data = real(path, most)
        read[os.path.basename(path)] = len(data) - most
        return data

    monkeypatch.setattr(patcher, "read_within", counted)
    monkeypatch.setattr(patcher, "MAX_FILE_BYTES", 2**20)
    monkeypatch.setattr(limits, "MAX_MODEL_BYTES", 2**20)
    path = getattr(files, name)
    with path.open("r+b") as file:
        file.truncate(2**31)
    with pytest.raises(ValueError, match="says that it has|bytes; was it"):
        files.apply()
    assert read[path.name] == 1
