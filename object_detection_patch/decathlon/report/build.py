"""Results -> sections of tables, in the order in which they are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Section, Table
from object_detection_patch.decathlon.report.tables import (
    budgets,
    claims,
    compact,
    costs,
    failures,
    families,
    family_claims,
    findings,
    gates,
    int8,
    joint,
    joint_claims,
    mobile_tl,
    model_patches,
    rates,
    scores,
    setting,
    spread,
    table_1,
    table_2,
    table_3,
    table_4,
    table_5,
)
from object_detection_patch.decathlon.suite import runs as runs_lib


def build_tables(results: Results) -> tuple[Section, ...]:
    """Sections with every table that the results have something for.

    Keys, which figures are added by: `claims`, `decathlon`, `scores`,
    `gates`, `updating`, `sizes`, `sparsity`, `families`, `mobile_tl`,
    `compact`, `joint`, `spread`, `datasets`, `costs`, `setting`. What a suite
    has no experiment for is left out.
    """
    sections = (
        _claims(results),
        _decathlon(results),
        _scores(results),
        _gates(results),
        *_updating(results),
        _sizes(results),
        *_sparsity(results),
        *_families(results),
        *_mobile_tl(results),
        *_compact(results),
        *_joint(results),
        *_spread(results),
        _section("datasets", "Data sets", table_1.datasets(results)),
        _costs(results),
        _setting(results),
    )
    return tuple(section for section in sections if section.tables)


def _claims(results: Results) -> Section:
    return _section(
        "claims",
        "In short",
        claims.claims(results),
        findings.findings(results),
        failures.failed_runs(results),
    )


def _decathlon(results: Results) -> Section:
    return _section(
        "decathlon",
        "Every method on every task",
        table_2.beside_the_paper(results),
        table_2.ours(results),
        table_2.printed(),
        table_2.ours(results, "pascal"),
    )


def _scores(results: Results) -> Section:
    return _section(
        "scores",
        "What a Score costs",
        *scores.tables(results),
        *budgets.tables(results),
    )


def _gates(results: Results) -> Section:
    return _section(
        "gates", "What each task patches", *gates.open_gates(results)
    )


def _updating(results: Results) -> Iterator[Section]:
    updating = results.suite.updating
    if updating is not None:
        yield _section(
            "updating",
            "Updating a model",
            table_3.accuracies(results, updating),
            table_3.footprints(results, updating),
        )


def _sizes(results: Results) -> Section:
    return _section(
        "sizes",
        "Sizes, and 8 bits",
        table_4.nominal(results),
        table_4.files(results),
        int8.accuracies(results),
    )


def _sparsity(results: Results) -> Iterator[Section]:
    sparsity = results.suite.sparsity
    if sparsity is not None:
        yield _section(
            "sparsity",
            "The weight of sparsity",
            *table_5.ablation(results, sparsity),
        )


def _families(results: Results) -> Iterator[Section]:
    given, tuning = results.suite.families, results.suite.tuning
    if given is None or not results.has_run(runs_lib.FAMILIES):
        return
    yield _section(
        "families",
        "Adapters and routing",
        family_claims.claims(results, given),
        families.ours(results, given),
        families.beside_the_papers(results, given),
        model_patches.beside_the_paper(results, given),
        families.routing(results, given),
        rates.family_trials(results, tuning, given)
        if tuning and given.rates
        else None,
    )


def _mobile_tl(results: Results) -> Iterator[Section]:
    given = results.suite.families
    if given is not None:
        yield _section(
            "mobile_tl",
            "Training that fits a phone",
            mobile_tl.table(results, given),
        )


def _compact(results: Results) -> Iterator[Section]:
    given = results.suite.compact
    if given and results.has_run(runs_lib.COMPACT):
        yield _section(
            "compact",
            "Smaller files",
            compact.table(results, given),
            compact.on_all_tasks(results, given),
        )


def _joint(results: Results) -> Iterator[Section]:
    given, tuning = results.suite.joint, results.suite.tuning
    if given and results.has_run(runs_lib.JOINT):
        yield _section(
            "joint",
            "One base, trained by several tasks",
            joint_claims.claims(results, given),
            joint.beside_the_paper(results, given),
            rates.joint_trials(results, tuning, given)
            if tuning and given.rates
            else None,
        )


def _spread(results: Results) -> Iterator[Section]:
    yield _section("spread", "Chance", *spread.tables(results))


def _costs(results: Results) -> Section:
    return _section(
        "costs",
        "Time and memory",
        costs.by_method(results),
        costs.by_phase(results),
    )


def _setting(results: Results) -> Section:
    tuning = results.suite.tuning
    made = _section(
        "setting",
        "Setting",
        setting.tasks_table(results),
        setting.methods_table(results),
        rates.trials(results, tuning) if tuning else None,
        failures.progress(results),
    )
    settings = results.suite.settings
    opening = ("What differs from the paper, or is not given there:",)
    return dataclasses.replace(
        made, paragraphs=(*opening, *settings) if settings else ()
    )


def _section(key: str, title: str, *tables: Table | None) -> Section:
    made = tuple(table for table in tables if table)
    return Section(key, title, tables=made)
