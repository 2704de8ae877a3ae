"""A throw-away certificate authority for this machine's demo servers.

The authority's own key is dropped as soon as it has signed the one server certificate, so that nobody can ever sign
another one with it.
"""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from w365.own_files import make_folder, opener

LIFETIME = timedelta(days=90)
RENEW_BEFORE = timedelta(days=7)


def ensure_certificates(home: Path, now: datetime | None = None) -> tuple[Path, Path]:
    """Give the CA bundle for clients and the server's file (key and certificate), made anew when missing or old."""
    now = now or datetime.now(UTC)
    make_folder(home)
    authority, server = home / "ca.pem", home / "server.pem"
    if not _is_usable(authority, server, now):
        _write_certificates(authority, server, now)
    return authority, server


def _is_usable(authority: Path, server: Path, now: datetime) -> bool:
    try:
        root = x509.load_pem_x509_certificate(authority.read_bytes())
        leaf = x509.load_pem_x509_certificates(server.read_bytes())[0]
        leaf.verify_directly_issued_by(root)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    return now < leaf.not_valid_after_utc - RENEW_BEFORE


def _write_certificates(authority: Path, server: Path, now: datetime) -> None:
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _make_root_certificate(root_key, now)
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    leaf = _make_server_certificate(leaf_key, root_key, root, now)
    key = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _replace_file(server, key + leaf.public_bytes(serialization.Encoding.PEM))
    _replace_file(authority, root.public_bytes(serialization.Encoding.PEM))


def _make_root_certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _make_name("W365 demo authority")
    builder = _begin_certificate(name, name, key.public_key(), now)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_make_key_usage(signs_certificates=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def _make_server_certificate(
    key: ec.EllipticCurvePrivateKey, root_key: ec.EllipticCurvePrivateKey, root: x509.Certificate, now: datetime
) -> x509.Certificate:
    addresses = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    builder = _begin_certificate(_make_name("W365 demo server"), root.subject, key.public_key(), now)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_make_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(addresses, critical=False)
    builder = builder.add_extension(issuer, critical=False)
    return builder.sign(root_key, hashes.SHA256())


def _make_name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _begin_certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _make_key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _replace_file(path: Path, content: bytes) -> None:
    # Never half-written.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(draft, "xb", opener=opener) as file:
        file.write(content)
    draft.replace(path)
