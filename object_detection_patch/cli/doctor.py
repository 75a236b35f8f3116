"""od-patch doctor: what is missing here; the one verb with findings."""

from __future__ import annotations

import argparse


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "doctor", help="what is missing here, and the command that mends it"
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    del options
    from object_detection_patch import doctor

    return doctor.print_report(doctor.diagnose())
