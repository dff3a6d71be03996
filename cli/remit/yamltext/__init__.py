"""YAML text in and out: read it as JSON types with places, write new files, and edit old ones without disturbing them.

Three promises hold the parts together. What ``read`` accepts, every YAML reader takes the same way. What ``dump``
writes, ``read`` gives back. What ``edit`` was not asked to change keeps its bytes. Everything here is pure: text in,
text out.
"""

from remit.yamltext.dumping import dump
from remit.yamltext.editing import DELETE, Edit, edit
from remit.yamltext.reading import Document, read
from remit.yamltext.scalars import forbidden_character

__all__ = ["DELETE", "Document", "Edit", "dump", "edit", "forbidden_character", "read"]
