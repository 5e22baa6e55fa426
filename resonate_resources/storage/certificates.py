"""What is wrong with the certificate of a PostgreSQL server, which libpq does not tell."""

from __future__ import annotations

import os
import socket
import ssl
import struct
from pathlib import Path

import sqlalchemy as sa

_SECONDS = 5.0
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""PostgreSQL's documentation, "Message Formats", SSLRequest; the server answers S where it speaks TLS."""
_PORT = 5432


def fault_of_certificate(url: str) -> str:
    """In OpenSSL's words, such as `certificate has expired`; held to what libpq trusts. url: of SQLAlchemy."""
    address = sa.make_url(url)
    host = address.host or ""
    named = address.query.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    trusted = str(named or Path("~/.postgresql/root.crt").expanduser())  # libpq's own place
    try:
        context = ssl.create_default_context(cafile=None if trusted == "system" else trusted)
        with socket.create_connection((host, address.port or _PORT), _SECONDS) as connection:
            connection.sendall(_SSL_REQUEST)
            connection.recv(1)
            with context.wrap_socket(connection, server_hostname=host):
                return "libpq does not take it"
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError as error:
        return str(error)
