"""The demo's table and pictures, from the results that its jobs wrote."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from object_detection_patch import pictures
from object_detection_patch.demo import drawn, phone_report, runner
from object_detection_patch.demo.plan import SOURCE, TARGETS, Job, Plan

_DRAWN_METHODS = ("FINE_TUNING", "SPOTPATCH")


def draw_pictures(plan: Plan) -> None:
    """Writes the PNG files of the demo into its output directory."""
    results = _results(plan)
    for task in TARGETS:
        pictures.save_png(
            os.path.join(plan.output_dir, f"detections_{task}.png"),
            _detections(plan, task),
        )
    pictures.save_png(
        os.path.join(plan.output_dir, "gates.png"),
        pictures.gate_comparison(
            {
                f"SPOTPATCH on {task}": [
                    (gate["name"], gate["place"], gate["open"], gate["weights"])
                    for gate in results[task]["SPOTPATCH"]["gates"]
                ]
                for task in TARGETS
            }
        ),
    )
    pictures.save_png(
        os.path.join(plan.output_dir, "cost.png"),
        pictures.cost_scatter(
            {
                task: {
                    method: (result["map"]["coco"], result["file_bytes"])
                    for method, result in by_method.items()
                }
                for task, by_method in results.items()
            },
            title="mAP@0.5 over bytes of the patch file",
        ),
    )
    pictures.save_png(
        os.path.join(plan.output_dir, "phone.png"), phone_report.picture(plan)
    )


def write_report(plan: Plan, seconds: dict[str, float]) -> str:
    """Writes report.txt and results.json; returns the report's text."""
    results = _results(plan)
    with open(plan.base_job().result, encoding="utf-8") as file:
        base = json.load(file)
    phone = phone_report.numbers(plan)
    lines = [
        f"Base trained on {SOURCE}: mAP@0.5 {base['map']['coco']:.3f}",
        "",
        _table(results),
        "",
        *_claims(results),
        "",
        phone_report.table(phone, base, results),
        "",
        "seconds: "
        + ", ".join(f"{name} {value:.0f}" for name, value in seconds.items())
        + f"; {sum(seconds.values()) / 60:.1f} minutes in all",
        f"pictures, patches and merged models: {plan.output_dir}",
    ]
    text = "\n".join(lines)
    with open(
        os.path.join(plan.output_dir, "report.txt"), "w", encoding="utf-8"
    ) as file:
        file.write(text + "\n")
    with open(
        os.path.join(plan.output_dir, "results.json"), "w", encoding="utf-8"
    ) as file:
        json.dump(
            {
                "base": base,
                "tasks": results,
                "phone": phone,
                "seconds": seconds,
            },
            file,
            indent=2,
        )
    return text


def _table(results: dict[str, dict[str, Any]]) -> str:
    header = (
        f"{'task':<9}{'method':<13}{'mAP@0.5':>8}{'Pascal':>8}"
        f"{'patched':>9}{'nominal':>9}{'file bytes':>12}{'of weights':>12}"
    )
    rows = [header, "-" * len(header)]
    for task, by_method in results.items():
        for method, result in by_method.items():
            rows.append(
                f"{task:<9}{method:<13}{result['map']['coco']:>8.3f}"
                f"{result['map']['pascal']:>8.3f}{_patched(result):>9}"
                f"{result['nominal_fraction']:>9.2%}"
                f"{result['file_bytes']:>12,}"
                f"{result['file_bytes'] / result['model_bytes']:>12.2%}"
            )
    rows.append(
        "mAP is that of the shipped file, merged. Files: float16 values, "
        "COMPACT's of a grid of 5\nand 4 bits, everything in them; weights: "
        "the fine-tuned model's in float32; nominal:\nthe paper's count, 32 "
        "bits a float."
    )
    return "\n".join(rows)


def _patched(result: dict[str, Any]) -> str:
    gates = result["gates"]
    if not gates:
        return "-"
    return f"{sum(gate['open'] for gate in gates)}/{len(gates)}"


def _claims(results: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for task, by_method in results.items():
        tuned, spot = by_method["FINE_TUNING"], by_method["SPOTPATCH"]
        lines.append(
            f"{task}: SPOTPATCH reaches "
            f"{spot['map']['coco'] / max(tuned['map']['coco'], 1e-9):.1%} of "
            "FINE_TUNING's mAP with a file of "
            f"{spot['file_bytes'] / tuned['model_bytes']:.1%} of the "
            "fine-tuned weights "
            f"({spot['file_bytes'] / tuned['file_bytes']:.1%} of its file)."
        )
        compact = by_method["COMPACT"]
        lines.append(
            f"{task}: COMPACT's file is "
            f"{compact['file_bytes'] / spot['file_bytes']:.0%} of SPOTPATCH's, "
            "its mAP "
            f"{100 * (compact['map']['coco'] - spot['map']['coco']):+.1f} "
            "points."
        )
    near, far = (results[task]["SPOTPATCH"] for task in TARGETS)
    lines.append(
        f"Open gates: {_patched(near)} on the near task ({TARGETS[0]}), "
        f"{_patched(far)} on the far one ({TARGETS[1]})."
    )
    worst = max(
        result["largest_output_difference"]
        for by_method in results.values()
        for result in by_method.values()
    )
    lines.append(
        "Merged models against training checkpoints, before rounding to "
        f"float16: raw outputs differ by {worst:.1e} of the largest at most."
    )
    return lines


def _results(plan: Plan) -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = {}
    for job in plan.task_jobs():
        with open(job.result, encoding="utf-8") as file:
            results.setdefault(job.task, {})[job.method] = json.load(file)
    return results


def _detections(plan: Plan, task: str) -> np.ndarray:
    jobs = [
        job
        for job in plan.task_jobs()
        if job.task == task and job.method in _DRAWN_METHODS
    ]
    base = plan.base_job()
    columns = {
        "base model": runner.drawn_path(base, task),
        **{_column(job): runner.drawn_path(job) for job in jobs},
    }
    images = [drawn.draw(path) for path in columns.values()]
    count = min(map(len, images))
    return pictures.side_by_side(
        [[column[row] for column in images] for row in range(count)],
        list(columns),
        [f"image {row + 1}" for row in range(count)],
    )


def _column(job: Job) -> str:
    return f"{job.method}\n{os.path.getsize(job.patch):,} bytes"
