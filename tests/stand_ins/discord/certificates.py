"""A certification authority for one run, and a certificate that says it is Discord."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import trustme

HOSTS: Final = ("discord.com", "gateway.discord.gg", "*.discord.gg", "cdn.discordapp.com", "localhost", "127.0.0.1")


def is_discord(host: str) -> bool:
    """Whether the certificate is good for a host: nothing else may be dialled."""
    return host in HOSTS or host.endswith(".discord.gg")


class Certificates:
    """`ca.pem` in the folder is what clients have to trust."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self.server)
        self.client = ssl.create_default_context(cafile=str(self.ca_file))
