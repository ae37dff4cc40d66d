"""The plots of the resourcing review."""

import io
from collections.abc import Mapping, Sequence
from typing import Literal

from services.advisory.domain.resources import Compared, Review


def shares_plot(rows: Sequence[Compared], words: Mapping[str, str], kind: Literal["svg", "png"]) -> bytes:
    """Return a plot of agreed and actual shares by task and authority, in the words of one language."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second that only the process which draws pays
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    shown = list(rows)[::-1]
    names = [f"{words.get(row.task, row.task)} · {words.get(row.authority, row.authority)}" for row in shown]
    figure = Figure(figsize=(9, 1.4 + 0.3 * len(shown)), layout="constrained")
    axes = figure.subplots()
    axes.barh(names, [row.actual_share or 0 for row in shown], color="#1f5a8a", label=words["actual_share"])
    axes.plot(
        [row.agreed_share for row in shown], names, "|", color="#c8501e", markersize=14, label=words["agreed_share"]
    )
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, fontsize=8, loc="outside upper center", ncols=2)
    target = io.BytesIO()
    figure.savefig(target, format=kind, dpi=140, metadata={"Date": None} if kind == "svg" else None)
    return target.getvalue()


def trend_plot(quarters: Sequence[Review], words: Mapping[str, str], kind: Literal["svg", "png"]) -> bytes:
    """Return a plot of the authorities' actual shares of all tasks by quarter, in the words of one language."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second that only the process which draws pays
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    names = [f"{review.since.year}/{(review.since.month - 1) // 3 + 1}" for review in quarters]
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots()
    for authority in dict.fromkeys(total.authority for review in quarters for total in review.totals):
        share_of = [
            next((total.actual_share for total in review.totals if total.authority == authority), None)
            for review in quarters
        ]
        # A quarter without a share is a gap in the line.
        shares = [float("nan") if share is None else share for share in share_of]
        axes.plot(names, shares, marker="o", label=words.get(authority, authority))
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, fontsize=8, loc="outside upper center", ncols=3)
    target = io.BytesIO()
    figure.savefig(target, format=kind, dpi=140, metadata={"Date": None} if kind == "svg" else None)
    return target.getvalue()
