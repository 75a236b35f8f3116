"""od-patch keygen: a pair of keys to sign patches with."""

from __future__ import annotations

import argparse


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "keygen",
        help="a pair of keys for `publish --sign`",
        description="Writes an Ed25519 key pair as two new PEM files. Keep "
        "the private one secret; apps ship the public one.",
    )
    verb.add_argument(
        "--private", required=True, metavar="KEY.pem", help="file to write"
    )
    verb.add_argument(
        "--public", required=True, metavar="PUB.pem", help="file to write"
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch.tflite import trust

    trust.generate(options.private, options.public)
    fingerprint = trust.fingerprint(trust.load_public_key(options.public))
    print(
        f"{options.private}: private key, keep it secret\n"
        f"{options.public}: public key for `--require_signature`, "
        f"fingerprint {fingerprint}"
    )
    return 0
