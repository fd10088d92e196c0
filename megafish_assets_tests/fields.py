"""H.264 with a packet a field, as broadcast cameras write it (PAFF): no encoder at hand does, so it is spelled here.

Macroblocks are raw samples (I_PCM), so that nothing of a codec is needed but its headers. Source: ITU-T H.264, 7.3.
"""

import numpy as np

from megafish_assets_tests.numbered import SIZE_WH, picture

GROUP = 12
"""Frames from one that needs no other to the next."""


class Bits:
    """A string of bits, and the three ways in which headers spell numbers."""

    def __init__(self) -> None:
        self.text: list[str] = []

    def fixed(self, value: int, n_bits: int) -> "Bits":
        self.text.append(f"{value:0{n_bits}b}")
        return self

    def flags(self, flags: str) -> "Bits":
        self.text.append(flags)
        return self

    def golomb(self, *values: int) -> "Bits":
        for value in values:
            digits = f"{value + 1:b}"
            self.text.append("0" * (len(digits) - 1) + digits)
        return self

    def filled(self, bit: str = "0") -> bytes:
        """Whole bytes, the last filled with this bit."""
        text = "".join(self.text)
        text += bit * (-len(text) % 8)
        return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def unit(kind: int, importance: int, body: bytes) -> bytes:
    """A NAL unit with its start code; no start code can arise within."""
    escaped = bytearray()
    for byte in body:
        if escaped[-2:] == b"\0\0" and byte <= 3:
            escaped.append(3)
        escaped.append(byte)
    return b"\0\0\0\1" + bytes([importance << 5 | kind]) + bytes(escaped)


def parameter_sets() -> bytes:
    """Main profile, fields allowed, 25 frames a second."""
    width, height = SIZE_WH
    sequence = Bits().fixed(77, 8).fixed(0, 8).fixed(30, 8).golomb(0, 4, 0, 4, 1).flags("0")
    sequence.golomb(width // 16 - 1, height // 32 - 1).flags("0010100001")
    sequence.fixed(1, 32).fixed(50, 32).flags("10000")
    pictures = Bits().golomb(0, 0).flags("00").golomb(0, 0, 0).flags("0").fixed(0, 2).golomb(0, 0, 0).flags("100")
    return unit(7, 3, sequence.flags("1").filled()) + unit(8, 3, pictures.flags("1").filled())


def field_unit(luma: np.ndarray, at: int, is_bottom: bool) -> bytes:
    """One field of the picture that is the `at`-th of its group; luma uint8 `(height / 2, width)`, grey."""
    is_first = at == 0 and not is_bottom
    head = Bits().golomb(0, 7, 0).fixed(at, 8).flags(f"1{is_bottom:d}")
    if is_first:
        head.golomb(0)
    head.fixed(2 * at + is_bottom, 8).flags("00" if is_first else "0").golomb(0, 1)
    body = b""
    for row in range(0, luma.shape[0], 16):
        for column in range(0, luma.shape[1], 16):
            head.golomb(25)
            samples = np.maximum(luma[row : row + 16, column : column + 16], 1).tobytes() + bytes([128]) * 128
            body, head = body + head.filled() + samples, Bits()
    return unit(5 if is_first else 1, 3 if is_first else 2, body + Bits().flags("1").filled())


def field_units(numbers: range) -> list[bytes]:
    """The packets of these pictures: a top field, a bottom field, and so on."""
    units = []
    for place, number in enumerate(numbers):
        luma, at = picture(number)[..., 0], place % GROUP
        headers = parameter_sets() if at == 0 else b""
        units.append(b"\0\0\0\1\x09\x10" + headers + field_unit(luma[0::2], at, False))
        units.append(b"\0\0\0\1\x09\x30" + field_unit(luma[1::2], at, True))
    return units
