"""The main job, from a notice to three cities' receipts, on a real Kafka and real databases: `make demo`."""

import sys
import time

from rich.console import Console
from rich.panel import Panel

from deploy.local.chapters.advisory import AdvisoryChapter
from deploy.local.chapters.change_security import (
    CasesChapter,
    DeclinedChapter,
    FilingChapter,
    JointChapter,
    LedgerChapter,
    RevisionChapter,
    RoutingChapter,
    UnroutedChapter,
    WithdrawalChapter,
)
from deploy.local.chapters.chapter import Chapter, Story
from deploy.local.chapters.placement import PlacementChapter
from deploy.local.chapters.trace import TraceChapter
from deploy.local.chapters.training import TrainingChapter
from deploy.local.processes import StartError, stop_on_signals
from deploy.local.stack import Stack

CHAPTERS: tuple[type[Chapter], ...] = (
    FilingChapter,
    RoutingChapter,
    CasesChapter,
    LedgerChapter,
    RevisionChapter,
    WithdrawalChapter,
    UnroutedChapter,
    JointChapter,
    DeclinedChapter,
    TraceChapter,
    PlacementChapter,
    TrainingChapter,
    AdvisoryChapter,
)


def main() -> None:
    """Start everything, tell the chapters, stop everything."""
    console = Console(width=118, highlight=False)
    stop_on_signals()
    begun = time.monotonic()
    try:
        with console.status("starting …") as status:

            def tell(what: str) -> None:
                status.update(f"starting {what} …")
                if not console.is_terminal:
                    print(f"starting {what} …", flush=True)

            with Stack(tell=tell) as stack:
                status.stop()
                console.print(
                    Panel(
                        f"Kafka, a PostgreSQL for each of {', '.join(stack.databases)}, the trace viewer and"
                        f" {len(stack.databases) * len(stack.services)} processes run:"
                        f" {time.monotonic() - begun:.0f} s",
                        title="Joint employment services of the Helsinki capital region",
                    )
                )
                story = Story()
                for number, chapter in enumerate(CHAPTERS, 1):
                    chapter(stack, console, story).tell(number)
        console.print(f"\nDone in {time.monotonic() - begun:.0f} s. `make up` keeps everything running.")
    except StartError as error:
        console.print(f"[red]not started:[/] {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("interrupted; everything is stopped")
        sys.exit(130)


if __name__ == "__main__":
    main()
