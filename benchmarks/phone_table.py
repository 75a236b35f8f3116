"""The numbers of phone.py as text: tables, and which aims were met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import phone_measured as measured
import phone_peers

_MIB = 2**20
# Patch bytes against the best of the other tools, int8: share -> at most 1 in.
_SIZE_AIMS = {"all": 6, "30 %": 15}
_TIME_AIMS = {measured.CPP_UNCHECKED: 1.5, measured.CPP: 3.0}
_SPARE_MIB = 2


def markdown(found: Mapping[str, Any]) -> str:
    """Everything that was measured.

    Args:
      found: what phone.py writes as JSON.
    """
    parts = [
        f"Model: {found['architecture']}.",
        *(f"Not measured: {name}." for name in found["missing"]),
        _patches(found["sizes"]),
        _others(found["sizes"]),
    ]
    applications = found.get("applications", [])
    if applications:
        with_tools = [one for one in applications if "processes" in one]
        parts += [
            f"Median of {found['rounds']} rounds, milliseconds (times a copy):",
            _times(applications, "warm"),
            "The same without waiting for the disk:",
            _times(applications, "warm_without_disk"),
            "Whole processes:",
            _times(with_tools, "processes"),
            "Peak memory, MiB:",
            _peaks(applications),
            "Peak of whole processes, MiB:",
            _process_peaks(with_tools),
        ]
    return "\n\n".join([*parts, "\n".join(_aims(found["sizes"], applications))])


def _patches(sizes: Iterable[Mapping[str, Any]]) -> str:
    rows = []
    for one in sizes:
        best = _best(one)
        rows.append(
            [
                *(one["precision"], one["gates"]),
                f"{one['masked_weights'] // 8:,}",
                *(f"{count:,}" for count in one["patch"].values()),
                f"{best:,}" if best else "",
                f"1/{best / one['patch']['small']:.1f}" if best else "",
                f"1/{_whole(one) / one['patch']['small']:.1f}" if best else "",
            ]
        )
    return _table(
        [
            *("base", "gates open", "bytes of masks"),
            *("exact", "half", "small", "best other tool", "small is"),
            "of the whole file",
        ],
        rows,
    )


def _others(sizes: Sequence[Mapping[str, Any]]) -> str:
    names = list(next(iter(sizes[0]["others"].values())))
    return _table(
        ["base", "gates open", "pair of files", *names],
        [
            [
                *(one["precision"], one["gates"], pair),
                *(f"{deltas[name]:,}" for name in names),
            ]
            for one in sizes
            for pair, deltas in one["others"].items()
        ],
    )


def _times(applications: Sequence[Mapping[str, Any]], key: str) -> str:
    names = list(applications[0][key])
    return _table(
        ["base", "gates open", "encoding", *names],
        [
            [*_title(one), *(_time(one[key].get(name)) for name in names)]
            for one in applications
        ],
    )


def _time(spent: Mapping[str, float] | None) -> str:
    if spent is None:
        return ""
    return f"{spent['milliseconds']:.1f} ({spent['ratio']:.2f})"


def _peaks(applications: Iterable[Mapping[str, Any]]) -> str:
    rows = []
    for one in applications:
        files = one["base"] + one["result"]
        row = [*_title(one), _mib(files)]
        for name in (measured.CPP, measured.PYTHON):
            row += [_mib(one["peaks"][name]["idle"]), _mib(_own(one, name))]
        rows.append(row)
    return _table(
        [
            *("base", "gates open", "encoding", "base + result"),
            *("C++ idle", "C++ more", "Python idle", "Python more"),
        ],
        rows,
    )


def _process_peaks(applications: Sequence[Mapping[str, Any]]) -> str:
    names = list(applications[0]["process_peaks"])
    return _table(
        ["base", "gates open", "encoding", *names],
        [
            [
                *_title(one),
                *(_mib(one["process_peaks"][name]) for name in names),
            ]
            for one in applications
        ],
    )


def _aims(
    sizes: Iterable[Mapping[str, Any]],
    applications: Iterable[Mapping[str, Any]],
) -> Iterable[str]:
    for one in sizes:
        aim = _SIZE_AIMS.get(one["gates"])
        best = _best(one)
        if one["precision"] == "int8" and aim and best:
            share = best / one["patch"]["small"]
            yield _aim(
                f"int8, {one['gates']} open: small patch 1/{share:.1f} of the "
                f"best other tool, at most 1/{aim} (1/"
                f"{_whole(one) / one['patch']['small']:.1f} of the new file "
                "compressed whole)",
                met=share >= aim,
            )
    for one in applications:
        title = ", ".join(_title(one))
        for name, aim in _TIME_AIMS.items():
            ratio = one["warm"][name]["ratio"]
            yield _aim(
                f"{title}: {name}, {ratio:.2f} times a copy, at most {aim}",
                met=ratio <= aim,
            )
        spare = (_own(one, measured.CPP) - one["base"] - one["result"]) / _MIB
        yield _aim(
            f"{title}: C++ holds {spare:+.2f} MiB beside base and result, at "
            f"most {_SPARE_MIB}",
            met=spare <= _SPARE_MIB,
        )


def _aim(text: str, *, met: bool) -> str:
    return f"- {'met' if met else 'MISSED'}: {text}"


def _best(sizes: Mapping[str, Any]) -> int:
    """The least that any tool ships for any pair; 0 without a tool."""
    return min(
        (count for pair in sizes["others"].values() for count in pair.values()),
        default=0,
    )


def _whole(sizes: Mapping[str, Any]) -> int:
    """The new file compressed without looking at the old one; or `_best`."""
    found = [
        count
        for pair in sizes["others"].values()
        for name, count in pair.items()
        if name == phone_peers.WHOLE_FILE
    ]
    return min(found, default=_best(sizes))


def _own(application: Mapping[str, Any], name: str) -> float:
    peak = application["peaks"][name]
    return float(peak["peak"] - peak["idle"])


def _title(application: Mapping[str, Any]) -> list[str]:
    return [application[key] for key in ("precision", "gates", "encoding")]


def _mib(count: float) -> str:
    return f"{count / _MIB:.1f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
