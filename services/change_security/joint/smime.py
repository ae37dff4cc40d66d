"""S/MIME: a letter encrypted to an authority's certificate (CMS enveloped data, AES-256)."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from shared.errors import RefusedError

_LEAST_BITS: Final = 2048


class Certificate(NamedTuple):
    """What a coordinator sees of a certificate, to compare it by telephone."""

    subject: str
    fingerprint: str
    valid_until: datetime


def read(pem: str, now: datetime) -> Certificate:
    """Read a certificate that letters can be encrypted to.

    Raises:
        RefusedError: it is none, is not valid now, or is not for encrypting.
    """
    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        key = found.public_key()
        usage = _usage(found)
    except (ValueError, x509.UnsupportedGeneralNameType) as error:
        raise _refused("wrong-certificate", "The certificate cannot be read.") from error
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise _refused("certificate-not-valid", "The certificate is not valid now.")
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_BITS:
        raise _refused("wrong-certificate", f"An RSA key of at least {_LEAST_BITS} bits is needed.")
    if usage is not None and not usage.key_encipherment:
        raise _refused("wrong-certificate", "The certificate is not for encrypting.")
    fingerprint = found.fingerprint(hashes.SHA256()).hex(":").upper()
    return Certificate(found.subject.rfc4514_string(), fingerprint, found.not_valid_after_utc)


def is_valid(pem: str, now: datetime) -> bool:
    """Whether letters can be encrypted to a certificate that was accepted before: it may have expired since."""
    found = x509.load_pem_x509_certificate(pem.encode())
    return found.not_valid_before_utc <= now <= found.not_valid_after_utc


def encrypt(letter: EmailMessage, pem: str) -> EmailMessage:
    """Return a letter with the same addresses and subject, whose content is encrypted: text, headers of it and all."""
    inner = EmailMessage(policy=SMTP)
    outer = EmailMessage()
    for name, value in letter.items():
        wanted = inner if name.lower().startswith("content-") else outer
        if name.lower() != "mime-version":
            wanted[name] = value
    inner.set_payload(letter.get_payload())
    sealed = (
        pkcs7.PKCS7EnvelopeBuilder()
        .set_data(inner.as_bytes())
        .add_recipient(x509.load_pem_x509_certificate(pem.encode()))
        .set_content_encryption_algorithm(algorithms.AES256)
        .encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    )
    outer.set_content(
        sealed,
        maintype="application",
        subtype="pkcs7-mime",
        params={"smime-type": "enveloped-data", "name": "smime.p7m"},
        filename="smime.p7m",
    )
    return outer


def _usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _refused(code: str, text: str) -> RefusedError:
    return RefusedError("/certificate", code, text)
