"""The plot of the resourcing review."""

import io
from collections.abc import Mapping, Sequence
from typing import Literal

from services.advisory.domain.resources import Compared


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
