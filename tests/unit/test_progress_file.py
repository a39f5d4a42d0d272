"""The progress file: what counts, what is left out, and that nothing in it is fatal."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainbell.domain.job import Performance
from trainbell.providers.local.progress_file import (
    MAX_BYTES,
    MAX_CURVE_POINTS,
    MAX_LINE_BYTES,
    MAX_NAMES,
    Report,
    read_report,
    report_of,
)


def lines(*entries: Any) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def test_no_file_reports_nothing(tmp_path: Path) -> None:
    assert read_report(tmp_path / "progress.jsonl") == Report()


def test_the_last_word_on_each_name_counts_and_the_curve_grows() -> None:
    report = report_of(
        lines(
            {"progress": 0.2, "stage": "training", "metrics": {"loss": 2, "accuracy": 0.5}},
            {"progress": 0.4, "message": "epoch 2", "metrics": {"loss": 1.5}, "curve": {"x": 1}},
            {"curve": {"x": 2}, "per_tag": {"cat": {"recall": 0.5}}, "cost": {"usd": 1}},
            {"per_tag": {"cat": {"precision": 0.7}}, "artifacts": {"model": "s3://b/m"}},
        )
    )

    assert (report.progress, report.message, report.stage) == (0.4, "epoch 2", "training")
    assert report.performance == Performance(
        metrics={"loss": 1.5, "accuracy": 0.5},
        per_tag={"cat": {"recall": 0.5, "precision": 0.7}},
        curve=({"x": 1.0}, {"x": 2.0}),
        cost={"usd": 1.0},
        artifacts={"model": "s3://b/m"},
    )


@pytest.mark.parametrize(
    "bad",
    [
        b"not json\n",
        b"[1, 2]\n",
        b"null\n",
        b'{"progress": NaN}\n',
        b'{"progress": Infinity}\n',
        b'{"progress": 1e999}\n',
        b'{"progress": 40}\n',
        b'{"progress": -0.1}\n',
        b'{"progress": true}\n',
        b'{"progress": "0.9"}\n',
        b'{"metrics": {"loss": NaN, "x": null, "y": [1], "": 1}}\n',
        b'{"metrics": [1], "per_tag": 3, "curve": [{"a": 1}], "artifacts": {"a": 1}, "cost": ""}\n',
        b'{"per_tag": {"cat": 3, "dog": {}}, "message": 5, "stage": " "}\n',
        b'{"metrics": {"big": ' + b"9" * 400 + b"}}\n",
        b'{"metrics": {"bigger": ' + b"9" * 5000 + b"}}\n",
        b"[" * 60_000 + b"\n",
        b"\xff\xfe\x00\n",
        b'{"message": "' + b"x" * MAX_LINE_BYTES + b'"}\n',
        b'{"progress": 0.9}',
        b'{"unknown": {"deep": [1]}}\n',
    ],
)
def test_what_cannot_be_used_is_left_out_and_the_rest_counts(bad: bytes) -> None:
    report = report_of(lines({"progress": 0.3, "metrics": {"loss": 1}}) + bad)

    assert report == Report(progress=0.3, performance=Performance(metrics={"loss": 1.0}))


def test_a_bad_line_does_not_hide_the_next() -> None:
    assert report_of(b'{"progress": 0.1\n' + lines({"progress": 0.2})).progress == 0.2


def test_what_is_too_much_is_cut() -> None:
    report = report_of(
        lines({"metrics": {f"m{i}": i for i in range(MAX_NAMES + 50)}, "message": "x" * 9000})
        + lines(*({"curve": {"step": i}} for i in range(5000)))
    )

    assert len(report.performance.metrics) == MAX_NAMES
    assert len(report.message or "") == 500
    curve = report.performance.curve
    assert len(curve) == MAX_CURVE_POINTS
    assert (curve[0], curve[-1]) == ({"step": 0.0}, {"step": 4999.0})


def test_words_are_fit_to_be_stored_and_shown() -> None:
    report = report_of(rb'{"message": "a\u001b[31mb\ud800c\u0000"}' + b"\n")

    assert report.message == "a [31mb?c "


def test_of_a_giant_file_only_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    with path.open("wb") as file:
        file.write(lines({"metrics": {"early": 1}}))
        file.truncate(3 * 1024**3)  # sparse: no disk is used
        file.seek(0, 2)
        file.write(b"\n" + lines({"progress": 0.7}))

    report = read_report(path)

    assert report == Report(progress=0.7)
    assert path.stat().st_size > MAX_BYTES


@given(st.binary(max_size=300))
def test_no_content_is_fatal(data: bytes) -> None:
    report_of(data + b"\n")


_scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_flat = st.dictionaries(st.text(max_size=5), _scalar, max_size=3)
_json = _scalar | _flat | st.dictionaries(st.text(max_size=5), _flat, max_size=2)
_fields = ("progress", "message", "stage", "metrics", "per_tag", "curve", "cost", "artifacts")


# On a busy machine it takes long to think these up, which says nothing of the code.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(st.sampled_from(_fields), _json), max_size=3))
def test_whatever_is_reported_can_be_stored_as_json(entries: list[dict[str, Any]]) -> None:
    report = report_of(lines(*entries))

    json.dumps(dataclasses.asdict(report), allow_nan=False)
    assert report.progress is None or 0.0 <= report.progress <= 1.0
