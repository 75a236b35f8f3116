"""What the tests of the verbs share."""

import argparse
import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def handmade():
    """The module `look/handmade.py`, which writes records byte by byte."""
    path = Path(__file__).parents[1] / "look" / "handmade.py"
    spec = importlib.util.spec_from_file_location("handmade", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run_verb(capsys):
    """Runs a module of `commands`; returns (status, output, errors)."""

    def run(command, *arguments):
        parser = argparse.ArgumentParser(description=command.DESCRIPTION)
        command.add_flags(parser)
        capsys.readouterr()
        status = command.run(parser.parse_args([*map(str, arguments)]))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def shards(handmade, tmp_path):
    """Two shards of two records each; the pattern that finds them."""
    for index in range(2):
        handmade.write(
            tmp_path / f"zoo_train.record-0000{index}-of-00002",
            handmade.record(f"{index}a"),
            handmade.record(f"{index}b", boxes=handmade.NO_BOXES),
        )
    return f"{tmp_path}/zoo_train.record-?????-of-00002"
