"""Who may do what on Kafka, generated from `shared.topics`: `python -m deploy.access --print|--diff|--apply`.

A process writes and reads the topics that the table gives it, and has one consumer group, of its own name. Another
system does what its roles say. Nobody else does anything, and nobody makes or changes topics but the administrator.
Topics and groups are named whole: a group `x.vantaa` by prefix would be `x.vantaa2`, too.

What an operator denies (`--deny PRINCIPAL`: a stolen certificate) is never taken back by `--apply`; `--allow` takes it
back. How to reach Kafka, and as whom, is read from the settings of `shared.settings.KafkaSettings`.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from shared import topics
from shared.settings import KafkaSettings
from shared.topics import CHANGE_SECURITY_FROM, CHANGE_SECURITY_TO, TOPICS, Processes, Role, Systems

SYSTEMS: Final = "systems"
"""Stands for the office in the names of other systems."""

_APPLY_SECONDS: Final = 30.0
_RESOURCES: Final = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}
_OPERATIONS: Final = {"read": AclOperation.READ, "write": AclOperation.WRITE, "all": AclOperation.ALL}
_PATTERNS: Final = {False: ResourcePatternType.LITERAL, True: ResourcePatternType.PREFIXED}


@dataclass(frozen=True, order=True)
class Grant:
    """A principal may read or write a topic, or read as a group. Who may do either also sees that it is there."""

    principal: str
    resource: Literal["topic", "group"]
    name: str
    operation: Literal["read", "write", "all"]
    prefixed: bool = False

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.principal} {self.operation} {self.resource} {self.name}{'*' if self.prefixed else ''}"


def broker(joint: str) -> str:
    """Return the principal of Kafka's brokers."""
    return f"broker.{joint}"


def administrator(joint: str) -> str:
    """Return the principal that may do everything: it makes topics and grants."""
    return f"admin.{joint}"


@dataclass(frozen=True)
class Parties:
    """Everyone who comes to Kafka.

    Attributes:
        joint: the joint office.
        cities: the city offices.
        systems: the other systems, by name, and the roles of each.
        tried: the cities whose consumers the conformance kit may try: for test environments.
    """

    joint: str
    cities: tuple[str, ...]
    systems: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    tried: tuple[str, ...] = ()

    @property
    def processes(self) -> list[tuple[str, str]]:
        """Every service in every office, the service as its principal has it."""
        parties = [party for topic in TOPICS for party in (topic.writes, topic.reads) if isinstance(party, Processes)]
        services = sorted({name.replace("_", "-") for party in parties for name in party.services})
        return [(service, office) for service in services for office in (self.joint, *self.cities)]

    @property
    def console(self) -> str:
        """The operators' console: it asks the processes' APIs, and nothing of Kafka."""
        return f"console.{self.joint}"

    @property
    def conformance(self) -> str:
        """The conformance kit: towards the cities that it tries it plays the joint office."""
        return f"conformance.{self.joint}"

    @property
    def principals(self) -> list[str]:
        """The name of everyone but brokers and administrator."""
        return [
            *(f"{service}.{office}" for service, office in self.processes),
            *(f"{name}.{SYSTEMS}" for name in self.systems),
            self.console,
            *([self.conformance] if self.tried else []),
        ]

    def grants(self) -> set[Grant]:
        """Return what the table of topics gives to whom."""
        found: set[Grant] = set()
        for service, office in self.processes:
            found |= _grants(
                f"{service}.{office}",
                topics.written_by(service, office, self.cities),
                topics.read_by(service, office, self.cities),
            )
        for name, roles in self.systems.items():
            written = [
                topic.name for topic in TOPICS if isinstance(topic.writes, Systems) and topic.writes.role in roles
            ]
            read = [topic.name for topic in TOPICS if isinstance(topic.reads, Systems) and topic.reads.role in roles]
            found |= _grants(f"{name}.{SYSTEMS}", written, read)
        for city in self.tried:
            found.add(Grant(self.conformance, "topic", CHANGE_SECURITY_TO.name_for(city), "write"))
            found.add(Grant(self.conformance, "topic", CHANGE_SECURITY_FROM.name_for(city), "read"))
        return found


def _grants(principal: str, written: Iterable[str], read: Iterable[str]) -> set[Grant]:
    return {
        *(Grant(principal, "topic", name, "write") for name in written),
        *(Grant(principal, "topic", name, "read") for name in read),
        Grant(principal, "group", principal, "read"),
    }


class Cluster:
    """The access lists of a Kafka cluster, as an administrator sees them."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._admin = AdminClient(native_client_of(settings))

    def grants(self) -> set[Grant]:
        """Return what is allowed on the cluster now."""
        return {_grant(one) for one in self._bindings() if one.permission_type == AclPermissionType.ALLOW}

    def denied(self) -> set[str]:
        """Return the principals that an operator has shut out."""
        return {_principal(one) for one in self._bindings() if one.permission_type == AclPermissionType.DENY}

    def allow(self, grants: Iterable[Grant]) -> None:
        """Allow, and wait until the cluster does."""
        wanted = set(grants)
        self._create([_binding(one) for one in wanted])
        self._wait(lambda: wanted <= self.grants())

    def take_away(self, grants: Iterable[Grant]) -> None:
        """Allow no more, and wait until the cluster does not."""
        wanted = set(grants)
        filters = [_filter(_binding(one)) for one in wanted]
        for each in (self._admin.delete_acls(filters) if filters else {}).values():
            each.result()
        self._wait(lambda: not wanted & self.grants())

    def deny(self, principal: str) -> None:
        """Shut a principal out of every topic and group at once, on open connections too."""
        self._create(_denials(principal))
        self._wait(lambda: principal in self.denied())

    def admit(self, principal: str) -> None:
        """Take back `deny`."""
        for each in self._admin.delete_acls([_filter(one) for one in _denials(principal)]).values():
            each.result()
        self._wait(lambda: principal not in self.denied())

    def _create(self, bindings: list[AclBinding]) -> None:
        for each in (self._admin.create_acls(bindings) if bindings else {}).values():
            each.result()

    def _bindings(self) -> list[AclBinding]:
        anyone: Any = None
        every = AclBindingFilter(
            ResourceType.ANY, anyone, ResourcePatternType.ANY, anyone, anyone, AclOperation.ANY, AclPermissionType.ANY
        )
        found: list[AclBinding] = self._admin.describe_acls(every, request_timeout=10).result()
        return found

    def _wait(self, holds: Callable[[], bool]) -> None:
        # Kafka answers before its brokers have taken over what it answers for.
        deadline = time.monotonic() + _APPLY_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError("the brokers have not taken over the access list")
            time.sleep(0.05)


def native_client_of(settings: KafkaSettings) -> dict[str, str]:
    """Return the settings of a librdkafka client."""
    ca: dict[str, str] = {"ssl.ca.location": str(settings.kafka_ca_file)}
    match settings.kafka_security:
        case "plaintext":
            security = {}
        case "mtls":
            own = str(settings.kafka_certificate_file)
            security = {"security.protocol": "ssl", "ssl.certificate.location": own, "ssl.key.location": own} | ca
        case "scram" if settings.kafka_password is not None:
            security = {
                "security.protocol": "sasl_ssl",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": str(settings.kafka_user),
                "sasl.password": settings.kafka_password.get_secret_value(),
            } | ca
        case _:
            raise ValueError("the administrator comes by mtls or scram")
    return {"bootstrap.servers": settings.kafka_bootstrap_servers, "log_level": "2"} | security


def apply(cluster: Cluster, parties: Parties) -> tuple[set[Grant], set[Grant]]:
    """Bring a cluster to what the table says; return what was missing, and what was too much.

    Grants of those who are none of the parties' offices or systems are left alone.
    """
    missing, superfluous = difference(cluster, parties)
    cluster.allow(missing)
    cluster.take_away(superfluous)
    return missing, superfluous


def difference(cluster: Cluster, parties: Parties) -> tuple[set[Grant], set[Grant]]:
    """Return what a cluster lacks, and what it grants too much."""
    offices = {parties.joint, *parties.cities, SYSTEMS}
    wanted = parties.grants()
    there = {one for one in cluster.grants() if one.principal.rpartition(".")[2] in offices}
    return wanted - there, there - wanted


def _binding(grant: Grant, permission: AclPermissionType = AclPermissionType.ALLOW) -> AclBinding:
    return AclBinding(
        _RESOURCES[grant.resource],
        grant.name,
        _PATTERNS[grant.prefixed],
        f"User:{grant.principal}",
        "*",
        _OPERATIONS[grant.operation],
        permission,
    )


def _denials(principal: str) -> list[AclBinding]:
    whole = (Grant(principal, "topic", "*", "all"), Grant(principal, "group", "*", "all"))
    return [_binding(one, AclPermissionType.DENY) for one in whole]


def _filter(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )


def _principal(binding: AclBinding) -> str:
    return str(binding.principal).removeprefix("User:")


def _grant(binding: Any) -> Grant:
    resource = binding.restype.name.lower()
    operation = binding.operation.name.lower()
    prefixed = binding.resource_pattern_type == ResourcePatternType.PREFIXED
    return Grant(_principal(binding), resource, binding.name, operation, prefixed)


def main() -> None:
    """Read the command line, and print, compare or apply."""
    parser = argparse.ArgumentParser(prog="python -m deploy.access", description=__doc__)
    parser.add_argument("--joint", default="pks", help="the joint office")
    parser.add_argument("--offices", default="helsinki,espoo,vantaa", help="city offices, comma separated")
    parser.add_argument("--systems", default="{}", help='JSON: {"<system>": ["<role>", …]}')
    parser.add_argument("--tried", default="", help="cities that the conformance kit may try, comma separated")
    act = parser.add_mutually_exclusive_group(required=True)
    act.add_argument("--print", action="store_true", help="what the table says; asks no cluster")
    act.add_argument("--diff", action="store_true", help="+ is missing, - is too much; exits 1 if there is anything")
    act.add_argument("--apply", action="store_true", help="bring the cluster to what the table says")
    act.add_argument("--deny", metavar="PRINCIPAL", help="shut somebody out at once")
    act.add_argument("--allow", metavar="PRINCIPAL", help="take back --deny")
    given = parser.parse_args()
    systems = {name: frozenset(map(Role, roles)) for name, roles in json.loads(given.systems).items()}
    parties = Parties(
        given.joint, tuple(given.offices.split(",")), systems, tuple(filter(None, given.tried.split(",")))
    )
    if given.print:
        print("\n".join(map(str, sorted(parties.grants()))))
        return
    cluster = Cluster(KafkaSettings())
    if given.deny:
        cluster.deny(given.deny)
    elif given.allow:
        cluster.admit(given.allow)
    else:
        missing, superfluous = apply(cluster, parties) if given.apply else difference(cluster, parties)
        for sign, grants in (("+", missing), ("-", superfluous)):
            print("".join(f"{sign} {one}\n" for one in sorted(grants)), end="")
        if denied := cluster.denied():
            print("".join(f"! {one} is denied\n" for one in sorted(denied)), end="")
        if given.diff and (missing or superfluous):
            sys.exit(1)


if __name__ == "__main__":
    main()
