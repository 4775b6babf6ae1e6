"""How many parts the network cuts a text into (section 1, "Segments").

GSM-7 holds 160 characters alone and 153 in each part of a longer text; UCS-2, used as soon as one character is outside
GSM-7, holds 70 and 67 UTF-16 units.
"""

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")

# What SmartEncoded replaces: typographic characters that have a look-alike in GSM-7.
LOOK_ALIKES = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2033": '"',
    "\u2013": "-", "\u2014": "-", "\u2010": "-", "\u2011": "-", "\u2212": "-",
    "\u2026": "...", "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2009": " ", "\u202f": " ", "\u200b": "",
})  # fmt: skip


def utf16_units(text: str) -> int:
    """Length as Twilio counts the 1600 characters: an emoji counts as two (21617)."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_gsm7(text: str) -> bool:
    return all(character in GSM_BASIC or character in GSM_EXTENDED for character in text)


def smart_encoded(text: str) -> str:
    """Smart quotes, dashes and the like replaced by their GSM-7 look-alikes."""
    return text.translate(LOOK_ALIKES)


def count_segments(text: str) -> int:
    """At least 1, also for an empty text."""
    if is_gsm7(text):
        widths = [2 if character in GSM_EXTENDED else 1 for character in text]
        return _parts(widths, alone=160, joined=153)
    return _parts([utf16_units(character) for character in text], alone=70, joined=67)


def _parts(widths: list[int], *, alone: int, joined: int) -> int:
    """Parts needed when no character may be torn in two."""
    if sum(widths) <= alone:
        return 1
    parts, filled = 1, 0
    for width in widths:
        if filled + width > joined:
            parts, filled = parts + 1, 0
        filled += width
    return parts
