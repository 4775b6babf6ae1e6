"""Twilio's identifiers: two letters for the kind and 32 hexadecimal digits."""

import secrets


def new_sid(prefix: str) -> str:
    """`prefix`: SM a text, MM one with media, ME a media file, RQ a request, FA one of our faults."""
    return prefix + secrets.token_hex(16)
