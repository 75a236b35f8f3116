"""What a joint training began with, kept so that it goes on with the same."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence

from object_detection_patch.multi_task.tasks import Task
from object_detection_patch.patch_file import whole_file

FILE = "training.json"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Beside the checkpoints, as JSON.

    Args:
      steps: that all tasks take together.
      base_fingerprint: of the base that they start from.
      tasks: name and digest of each, in order.
      heads: `private` or `shared`.
    """

    steps: int
    base_fingerprint: str
    tasks: list[list[str]]
    heads: str = "private"


def of_training(
    tasks: Sequence[Task],
    *,
    steps: int,
    base_fingerprint: str,
    share_heads: bool = False,
) -> Settings:
    """The settings of a training that is about to begin or to go on."""
    return Settings(
        steps,
        base_fingerprint,
        [[t.name, t.digest()] for t in tasks],
        "shared" if share_heads else "private",
    )


def refuse_foreign(model_dir: str) -> None:
    """Raises ValueError for a directory that holds something else."""
    if os.path.isdir(model_dir):
        if os.listdir(model_dir) and not os.path.isfile(_path(model_dir)):
            raise ValueError(
                "`--model_dir` must be new, empty, or of this training, which "
                f"then goes on. Received: {model_dir!r}, which has no {FILE}."
            )
    elif os.path.exists(model_dir):
        raise ValueError(
            f"`--model_dir` must be a directory. Received: {model_dir!r}."
        )


def refuse_other_tasks(
    model_dir: str,
    tasks: Sequence[Task],
    steps: int,
    *,
    share_heads: bool = False,
) -> None:
    """Raises ValueError where another training was begun; names the change."""
    before = _read(model_dir)
    if before is not None:
        now = of_training(
            tasks,
            steps=steps,
            base_fingerprint=before.base_fingerprint,
            share_heads=share_heads,
        )
        _refuse(model_dir, _differences(before, now))


def refuse_other_base(model_dir: str, fingerprint: str) -> None:
    """Raises ValueError for a base other than that of the kept settings."""
    before = _read(model_dir)
    if before is not None:
        now = dataclasses.replace(before, base_fingerprint=fingerprint)
        _refuse(model_dir, _differences(before, now))


def keep(model_dir: str, settings: Settings) -> None:
    """Writes the settings; ValueError for a base other than before."""
    before = _read(model_dir)
    if before is not None:
        _refuse(model_dir, _differences(before, settings))
        return
    os.makedirs(model_dir, exist_ok=True)
    text = json.dumps(dataclasses.asdict(settings), indent=2)
    whole_file.write_whole(_path(model_dir), text.encode())


def _path(model_dir: str) -> str:
    return os.path.join(model_dir, FILE)


def _read(model_dir: str) -> Settings | None:
    if not os.path.exists(_path(model_dir)):
        return None
    try:
        with open(_path(model_dir), encoding="utf-8") as file:
            return Settings(**json.load(file))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{FILE} must be as a joint training wrote it. Received: "
            f"{_path(model_dir)}, which is not ({error}); use another "
            "`--model_dir`."
        ) from error


def _differences(before: Settings, now: Settings) -> list[str]:
    pairs = (
        ("steps", before.steps, now.steps),
        ("base", before.base_fingerprint[:12], now.base_fingerprint[:12]),
        ("tasks", _names(before), _names(now)),
        ("heads", before.heads, now.heads),
    )
    found = [f"{what} {x} then, {y} now" for what, x, y in pairs if x != y]
    digests = dict(before.tasks)
    return found + [
        f"another config of {name} or another `--private`"
        for name, digest in now.tasks
        if digests.get(name, digest) != digest
    ]


def _names(settings: Settings) -> str:
    return " ".join(name for name, _ in settings.tasks)


def _refuse(model_dir: str, differences: list[str]) -> None:
    if differences:
        raise ValueError(
            "A training goes on with what it began with. Received: "
            f"{'; '.join(differences)} ({_path(model_dir)}); use another "
            "`--model_dir`."
        )
