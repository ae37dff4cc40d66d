"""A certificate authority in a folder, for one machine and for tests: who runs it can be anyone.

`python -m deploy.certificates --folder F --joint pks --offices a,b,c --systems portal --host kafka` makes an authority
the first time, and each time a new certificate for everyone, of three days unless `--days` says otherwise:
`F/<principal>/client.pem` (private key, then certificate) beside the authority's own `ca.crt`. A process is given its
own folder and no other.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy import access
from shared.topics import Role

ORGANIZATION: Final = "employment-services"
_LIFETIME: Final = timedelta(hours=72)
_AUTHORITY_LIFETIME: Final = timedelta(days=365)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Certificate:
    """Where a principal's files are: its private key and certificate, and the authority's certificate."""

    own: Path
    ca: Path


class Authority:
    """Issues certificates whose subject names a principal: CN=service, OU=office.

    Attributes:
        certificate: the authority's own, as PEM.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        kept = folder / "authority.pem"
        if kept.exists():
            written = kept.read_bytes()
            self._key = _private(serialization.load_pem_private_key(written, None))
            self._certificate = x509.load_pem_x509_certificate(written[written.index(b"-----BEGIN CERT") :])
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._key = ec.generate_private_key(ec.SECP256R1())
            self._certificate = self._own()
            _write_secret(kept, _pem_of(self._key) + self._certificate.public_bytes(serialization.Encoding.PEM))
        self.certificate = self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self, principal: str, *, hosts: Sequence[str] = (), lifetime: timedelta = _LIFETIME, folder: str | None = None
    ) -> Certificate:
        """Issue a certificate, in the place of the one before it.

        Args:
            principal: `<service>.<office>`.
            hosts: for a server: the names and addresses it is reached at.
            lifetime: from now on; it may be negative.
            folder: where to put it, when not in the principal's own place.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        service, _, office = principal.partition(".")
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(service, office))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now, now + lifetime) - _CLOCKS_DIFFER)
            .not_valid_after(now + lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [])]
                ),
                critical=False,
            )
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        place = self._folder / (folder or principal)
        place.mkdir(exist_ok=True)
        made = Certificate(place / "client.pem", place / "ca.crt")
        _write_secret(made.own, _pem_of(key) + certificate.public_bytes(serialization.Encoding.PEM))
        made.ca.write_bytes(self.certificate)
        return made

    def _own(self) -> x509.Certificate:
        now = datetime.now(UTC)
        public = self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(_name("authority", "certificates"))
            .issuer_name(_name("authority", "certificates"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCKS_DIFFER)
            .not_valid_after(now + _AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=True,
                    crl_sign=True,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .sign(self._key, hashes.SHA256())
        )


def _private(key: object) -> ec.EllipticCurvePrivateKey:
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is of another kind")
    return key


def _name(service: str, office: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, office),
            x509.NameAttribute(NameOID.COMMON_NAME, service),
        ]
    )


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    # PKCS#8, since Kafka reads no other form.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_secret(path: Path, content: bytes) -> None:
    """Put a file in its place whole, readable by its owner alone: whoever looks meanwhile sees the old one."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.replace(path)


def issue_all(authority: Authority, parties: access.Parties, hosts: Sequence[str], lifetime: timedelta) -> None:
    """Issue a certificate to the brokers, to the administrator, and to every principal."""
    authority.issue(access.broker(parties.joint), hosts=hosts, lifetime=lifetime)
    for principal in (access.administrator(parties.joint), *parties.principals):
        authority.issue(principal, lifetime=lifetime)


def main() -> None:
    """Read the command line and issue the certificates."""
    parser = argparse.ArgumentParser(prog="python -m deploy.certificates", description=__doc__)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--joint", required=True, help="the joint office")
    parser.add_argument("--offices", required=True, help="city offices, comma separated")
    parser.add_argument("--systems", default="", help="names of other systems, comma separated")
    parser.add_argument("--host", required=True, action="append", help="where the broker is reached; may be repeated")
    parser.add_argument("--days", type=int, default=3, help="how long the certificates are good")
    given = parser.parse_args()
    systems = {name: frozenset[Role]() for name in given.systems.split(",") if name}
    parties = access.Parties(given.joint, tuple(given.offices.split(",")), systems)
    issue_all(Authority(given.folder), parties, given.host, timedelta(days=given.days))


if __name__ == "__main__":
    main()
