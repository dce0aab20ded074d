"""JSON and WebSocket frames, written by hand so that several of them can go out in one write."""

from __future__ import annotations

import msgspec

from .settings import Json

TEXT, BINARY, CLOSE = 1, 2, 8


def encode(value: Json) -> bytes:
    """As JSON."""
    return msgspec.json.encode(value)


def decode(text: str | bytes) -> Json:
    """From JSON. ValueError if it is none."""
    return msgspec.json.decode(text)


def dispatch(event: str, seq: int, data: bytes) -> bytes:
    """A gateway dispatch around an encoded payload."""
    return b'{"t":%s,"s":%d,"op":0,"d":%s}' % (encode(event), seq, data)


def frame(opcode: int, payload: bytes) -> bytes:
    """A server's WebSocket frame (unmasked, not fragmented)."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 126)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 127)) + size.to_bytes(8)
    return head + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A closing frame."""
    return frame(CLOSE, code.to_bytes(2) + reason.encode()[:120])
