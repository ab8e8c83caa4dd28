"""Random access to BGZF, the blocked gzip of samtools.

pyfaidx reads BGZF through biopython, which it doesn't install, only under the
names .gz and .bgz, and fails where a read starts with a block of 65,536 bytes.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

BLOCK_BYTES = 0xFF00
"""Most bytes of data that a block of ours holds, as in htslib."""

END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty block that ends a whole file."""

_HEADER = struct.Struct("<4BI2BH2BHH")


def is_gzip(head: bytes) -> bool:
    """Return whether a file that begins with these bytes is gzip, BGZF included."""
    return head[:2] == b"\x1f\x8b"


def is_bgzf(head: bytes) -> bool:
    """Return whether a file that begins with these bytes (18 or more) is BGZF."""
    return is_gzip(head) and len(head) >= 18 and bool(head[3] & 4) and head[12:16] == b"BC\x02\x00"


def block(data: bytes) -> bytes:
    """Return one BGZF block of at most `BLOCK_BYTES` bytes of data; the same data gives the same bytes."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = squeeze.compress(data) + squeeze.flush()
    header = _HEADER.pack(31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(body) + _HEADER.size + 7)
    return header + body + struct.pack("<II", zlib.crc32(data), len(data))


def find_blocks(file: BinaryIO) -> np.ndarray:
    """Find the blocks of a BGZF file from their headers.

    Returns (blocks, 2) int64: where each block starts in the file, and in the
    data. Raises ValueError when the file is cut short or is not BGZF.
    """
    size = file.seek(0, 2)
    starts: list[tuple[int, int]] = []
    position = unpacked = 0
    while position < size:
        file.seek(position)
        head = file.read(18)
        if not is_bgzf(head):
            raise ValueError(f"no BGZF block at byte {position:,}")
        length = int.from_bytes(head[16:18], "little") + 1
        if position + length > size:
            raise ValueError(f"cut short in the block at byte {position:,}")
        starts.append((position, unpacked))
        file.seek(position + length - 4)
        unpacked += int.from_bytes(file.read(4), "little")
        position += length
    if not starts or starts[-1][1] != unpacked:
        raise ValueError("cut short: its end block is missing")
    return np.array(starts, dtype=np.int64).reshape(-1, 2)


def whole_blocks(file: BinaryIO) -> np.ndarray:
    """Find the blocks of a BGZF file that may be cut short, up to where it is.

    Returns (blocks + 1, 2) int64: where each block starts in the file, and in the data; the last row is where the
    next one would start.
    """
    size = file.seek(0, 2)
    starts = [(0, 0)]
    while True:
        position, unpacked = starts[-1]
        file.seek(position)
        head = file.read(18)
        if not is_bgzf(head):
            break
        after = position + int.from_bytes(head[16:18], "little") + 1
        if after > size:
            break
        file.seek(after - 4)
        starts.append((after, unpacked + int.from_bytes(file.read(4), "little")))
    return np.array(starts, dtype=np.int64)


def write_gzi(blocks: np.ndarray, file: BinaryIO) -> None:
    """Write the blocks as htslib's .gzi, which leaves out the first and the empty last one."""
    listed = blocks[1:-1] if len(blocks) > 1 else blocks[:0]
    file.write(struct.pack("<Q", len(listed)) + listed.astype("<u8").tobytes())


def read_gzi(path: Path) -> np.ndarray:
    """Read htslib's .gzi as (blocks, 2) int64, with the first block; raises ValueError when damaged."""
    data = path.read_bytes()
    if len(data) < 8 or len(data) != 8 + 16 * int.from_bytes(data[:8], "little"):
        raise ValueError("damaged .gzi")
    return np.concatenate([np.zeros((1, 2), np.int64), np.frombuffer(data, "<i8", offset=8).reshape(-1, 2)])


class BgzfFile:
    """A BGZF file that is read like the file inside: `seek` and `read` count bytes of its data.

    blocks: (blocks, 2) int64 from `find_blocks` or `read_gzi`. `read` raises
    ValueError or zlib.error on damaged data. Not for use by several threads at once.
    """

    def __init__(self, path: Path, blocks: np.ndarray) -> None:
        self._file = path.open("rb")
        self._packed, self._unpacked = blocks[:, 0], blocks[:, 1]
        self._position = 0
        self._block = -1
        self._data = b""

    def seek(self, position: int) -> int:
        """Go to a byte of the data, counted from its start."""
        self._position = position
        return position

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes from here, fewer only at the end."""
        number = max(0, int(np.searchsorted(self._unpacked, self._position, side="right")) - 1)
        parts: list[bytes] = []
        while count > 0 and number < len(self._packed):
            data = self._load(number)
            start = self._position - int(self._unpacked[number])
            part = data[start : start + count]
            if not part and number == len(self._packed) - 1:
                break
            parts.append(part)
            self._position += len(part)
            count -= len(part)
            number += 1
        return b"".join(parts)

    def _load(self, number: int) -> bytes:
        if number != self._block:
            self._file.seek(int(self._packed[number]))
            head = self._file.read(18)
            if not is_bgzf(head):
                raise ValueError(f"no BGZF block at byte {self._packed[number]:,}")
            body = self._file.read(int.from_bytes(head[16:18], "little") + 1 - 18)
            data = zlib.decompress(body[:-8], -15)
            if struct.pack("<II", zlib.crc32(data), len(data)) != body[-8:]:
                raise ValueError(f"wrong checksum in the block at byte {self._packed[number]:,}")
            self._data, self._block = data, number
        return self._data

    def close(self) -> None:
        """Close the file."""
        self._file.close()
