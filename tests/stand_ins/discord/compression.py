"""The transport compressions of the gateway. Each message is flushed, the stream never ends."""

from __future__ import annotations

import importlib
import zlib
from typing import Any, Protocol


class Compression(Protocol):
    """One connection's stream."""

    def pack(self, text: bytes) -> bytes:
        """One gateway message as the payload of one WebSocket message."""
        ...


class Plain:
    """None: text frames."""

    def pack(self, text: bytes) -> bytes:
        """As it is."""
        return text


class Zlib:
    """`zlib-stream`: every message ends with Z_SYNC_FLUSH (00 00 ff ff)."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(level=1)

    def pack(self, text: bytes) -> bytes:
        """Compressed with what came before."""
        return self._stream.compress(text) + self._stream.flush(zlib.Z_SYNC_FLUSH)


class Zstd:
    """`zstd-stream`: every message ends a block, the frame stays open. ImportError where there is no zstd."""

    def __init__(self) -> None:
        self._stream, self._flush = _zstd()

    def pack(self, text: bytes) -> bytes:
        """Compressed with what came before."""
        packed: bytes = self._stream.compress(text) + self._stream.flush(self._flush)
        return packed


def _zstd() -> tuple[Any, Any]:
    try:
        library = importlib.import_module("zstandard")
    except ImportError:
        library = importlib.import_module("compression.zstd")
        return library.ZstdCompressor(), library.ZstdCompressor.FLUSH_BLOCK
    return library.ZstdCompressor(level=1).compressobj(), library.COMPRESSOBJ_FLUSH_BLOCK


def stream(name: str | None) -> Compression:
    """By the `compress` of the gateway's URL; what is unknown is ignored, as the real gateway does."""
    if name == "zlib-stream":
        return Zlib()
    if name == "zstd-stream":
        return Zstd()
    return Plain()
