"""What exported folders and files are called: by artist and title, told apart in a DJ's list of twenty tracks."""

from __future__ import annotations

import re
import unicodedata

# What Windows, macOS or a URL can't have in a name, and surrogates, which are no letters.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]+')
# What Windows takes for a device, whatever follows behind a dot: learn.microsoft.com, "Naming Files, Paths, and
# Namespaces".
_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])(?= *(?:\.|$))", re.IGNORECASE)
_NAME_BYTES = 180  # of the 255 a file name may have: leaves room for the hash, the part and temporary names


def folder_name(artist: str | None, title: str | None, sha256: str) -> str:
    """`{Artist} - {Title}_{Hash}`, safe as a file name on every system; Hash is 12 hex digits of the source's."""
    name = f"{artist or 'Unknown Artist'} - {title or 'Untitled'}"
    return f"{safe_name(name)}_{sha256[:12]}"


def file_name(artist: str | None, title: str | None, part: str, suffix: str) -> str:
    """`{Artist} - {Title} ({Part}).{suffix}`, safe likewise; without an artist that is not known."""
    name = safe_name(" - ".join(word for word in (artist, title or "Untitled") if word))
    return f"{name} ({part}).{suffix}"


def safe_name(name: str) -> str:
    """A name without what some system can't have in one, of at most 181 bytes; empty where nothing is left."""
    name = re.sub(r"\s+", " ", _UNSAFE.sub(" ", name)).strip(" .")
    name = name.encode()[:_NAME_BYTES].decode(errors="ignore").strip(" .")
    return _DEVICE.sub(r"\1_", name, count=1) if _DEVICE.match(name) else name


def same_on_fat(name: str) -> str:
    """What names have in common that FAT or macOS take for one: without letters' case, accents composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
