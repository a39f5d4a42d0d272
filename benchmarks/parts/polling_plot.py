"""Draws the comparison of `polling_policy`: one small panel for each trace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.parts.comparison import Comparison

INK, QUIET, OURS = "#27313a", "#9aa5ae", "#c2562d"
LIMIT_FILL = "#eef1f3"
LOOKS = {
    "fixed 30 s": {"marker": "s", "color": QUIET, "ms": 5},
    "fixed 60 s": {"marker": "s", "color": QUIET, "ms": 5, "mfc": "white"},
    "10 s x 1.1, at most 600 s": {"marker": "^", "color": QUIET, "ms": 5.5},
    "5 s x 1.5, at most 300 s": {"marker": "^", "color": QUIET, "ms": 5.5, "mfc": "white"},
    "Trainbell, no history": {"marker": "o", "color": OURS, "ms": 7, "zorder": 4},
    "Trainbell, 200 earlier jobs": {"marker": "o", "color": OURS, "ms": 7, "mfc": "white"},
}
POLLS, DELAY = (8, 900), (8, 160)

# The same file from the same numbers: no date, and ids that do not change. Text stays text.
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "trainbell",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
}


def draw(comparisons: Sequence[Comparison], path: Path) -> None:
    """Write the plot; its format follows from the file's name."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(11.5, 3.5), facecolor="white")
        panels = figure.subplots(1, len(comparisons), sharex=True, sharey=True)
        for panel, comparison in zip(panels, comparisons, strict=True):
            _draw_panel(panel, comparison)
        figure.legend(
            *panels[0].get_legend_handles_labels(),
            ncols=3,
            loc="upper right",
            bbox_to_anchor=(0.995, 1.0),
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            handletextpad=0.2,
            columnspacing=1.2,
        )
        panels[0].set_ylabel("mean delay, s", color=INK, fontsize=9)
        title = "How many polls, and how late the end is seen"
        figure.text(0.052, 0.93, title, color=INK, fontsize=12.5, weight="bold")
        figure.supxlabel("polls per job", color=INK, fontsize=9, y=0.03)
        figure.subplots_adjust(left=0.052, right=0.99, top=0.79, bottom=0.19, wspace=0.09)
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(path, metadata=kept, dpi=150)


def _draw_panel(panel: Any, comparison: Comparison) -> None:
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlim(*POLLS)
    panel.set_ylim(*DELAY)
    limit = [comparison.limit / polls for polls in POLLS]
    panel.fill_between(POLLS, limit, DELAY[0] / 10, color=LIMIT_FILL, linewidth=0, zorder=0)
    panel.plot(POLLS, limit, color=QUIET, linewidth=0.9, zorder=1)
    panel.text(9.5, 8.9, "out of reach", color=QUIET, fontsize=7.5, style="italic")
    for label, look in LOOKS.items():
        got = comparison.outcomes[label]
        panel.plot([got.polls], [got.delay], linestyle="", label=label, **{"zorder": 3, **look})
    panel.set_title(comparison.trace, color=INK, fontsize=10, loc="left")
    panel.set_xticks([10, 100], ["10", "100"])
    panel.set_yticks([10, 30, 100], ["10", "30", "100"])
    panel.minorticks_off()
    panel.tick_params(colors=INK, labelsize=8, length=0)
    for side, spine in panel.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(QUIET)
