"""Sections of a page of results: each begins with a heading of its own, and is written in place of what it was."""

from __future__ import annotations

import re
from pathlib import Path


def write_section(page: Path, section: str) -> None:
    """Put a section, which begins with its heading, into a page: where it stood before, or at the end."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    page.write_text(placed(text, section), encoding="utf-8")


def placed(text: str, section: str) -> str:
    """The page with the section in it."""
    heading = section.partition("\n")[0]
    parts = [part.rstrip("\n") for part in re.split(r"(?m)^(?=# )", text) if part.strip()]
    headings = [part.partition("\n")[0] for part in parts]
    at = headings.index(heading) if heading in headings else len(parts)
    parts[at : at + 1] = [section.rstrip("\n")]
    return "\n\n".join(parts) + "\n"
