"""Keeps the whole suite running on fixed ports, and says where everything is: `make up`."""

import sys
import time

from rich.console import Console
from rich.table import Table

from deploy.local.processes import StartError, stop_on_signals
from deploy.local.stack import ADMINISTRATOR, CITIES, JOINT, OFFICES, SERVICES, Ports, Stack


def main() -> None:
    """Start everything, print addresses and tokens, and wait for Ctrl-C."""
    console = Console()
    stop_on_signals()
    ports = Ports(kafka=9092, zipkin=9411, issuer=8090, first_api=8101)
    try:
        with console.status("starting") as status, Stack(ports=ports, tell=status.update) as stack:
            status.stop()
            desks = {city: stack.start_desk(city, 8090 - place) for place, city in enumerate(CITIES, 1)}
            _print_addresses(console, stack, stack.start_console(8100), desks)
            while True:
                time.sleep(1)
    except StartError as error:
        console.print(f"[red]not started:[/] {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("stopped")


def _print_addresses(console: Console, stack: Stack, operators: str, desks: dict[str, str]) -> None:
    table = Table(show_header=False)
    for service in SERVICES:
        for office in OFFICES:
            table.add_row(f"{service} @ {office}", f"{stack.url(service, office)}/docs")
    table.add_row("operators' console", operators)
    for city, address in desks.items():
        table.add_row(f"officers' desk of {city}", address)
    table.add_row("Kafka", stack.kafka.bootstrap)
    if stack.kafka.guard is not None:
        table.add_row("certificates for Kafka", str(stack.identities.certificate(ADMINISTRATOR).ca.parents[1]))
    for office, database in stack.databases.items():
        table.add_row(f"PostgreSQL of {office}", database.url)
    if stack.zipkin is not None:
        table.add_row("trace viewer", f"{stack.zipkin.url}/zipkin/")
    table.add_row("token issuer's keys", stack.issuer.jwks_url)
    table.add_row("logs", str(stack.logs))
    console.print(table)
    console.print("Tokens, good for twelve hours (Authorization: Bearer …):\n")
    tokens = {
        "system that files notices": stack.issuer.system("employer-portal", "notices:write", "notices:read"),
        f"coordinator and operator @ {JOINT}": stack.issuer.officer("helsinki", "coordinator", "officer", "operator"),
        **{f"officer and operator @ {city}": stack.issuer.officer(city, "officer", "operator") for city in CITIES},
    }
    for who, token in tokens.items():
        console.print(f"[bold]{who}[/]")
        print(token, end="\n\n")
    console.print("Ctrl-C stops everything.")


if __name__ == "__main__":
    main()
