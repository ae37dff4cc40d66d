"""Plots and CSV of supply planning."""

import io
from collections.abc import Sequence
from typing import Literal

from services.training.domain.supply import Line
from shared.http.csv import as_csv


def queue_plot(lines: Sequence[Line], kind: Literal["svg", "png"]) -> bytes:
    """Return a plot of who waits and who is expected, by occupation and municipality; at most the 20 longest queues."""
    # Half a second and 30 MB that only the process which draws pays. The figure is made without pyplot, whose state is
    # shared by all threads.
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    shown = list(lines[:20])[::-1]
    names = [f"{line.occupation or '–'} · {line.municipality or '–'}" for line in shown]
    figure = Figure(figsize=(9, 1.2 + 0.34 * len(shown)), layout="constrained")
    axes = figure.subplots()
    axes.barh(names, [line.waiting for line in shown], color="#1f5a8a", label="jonossa · i kö · waiting")
    axes.barh(
        names,
        [line.arrivals for line in shown],
        left=[line.waiting for line in shown],
        color="#9cc3e0",
        label="odotettu 13 vk · väntas 13 v · expected in 13 weeks",
    )
    for place, line in enumerate(shown):
        if line.waiting:
            axes.annotate(f" {line.median_age:.0f} d", (line.waiting + line.arrivals, place), va="center", fontsize=8)
    axes.set_xlabel("hakemuksia · ansökningar · applications   (d: mediaani-ikä · medianålder · median age)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, fontsize=8, loc="outside upper center", ncols=2)
    target = io.BytesIO()
    # Without a date, so that the same queue gives the same file.
    figure.savefig(target, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return target.getvalue()


def queue_csv(lines: Sequence[Line]) -> bytes:
    """Return the lines as CSV."""
    return as_csv(Line.__slots__, ([getattr(line, name) for name in Line.__slots__] for line in lines))
