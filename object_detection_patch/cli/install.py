"""od-patch install-od-api: the Object Detection API beside us."""

from __future__ import annotations

import argparse


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "install-od-api",
        help="put the Object Detection API beside us, unless it is there",
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    del options
    from object_detection_patch.od_api import install

    install.install_od_api()
    return 0
