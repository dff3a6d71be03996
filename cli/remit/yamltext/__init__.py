"""YAML text in and out: read it as JSON types with places, write new files, edit and merge old ones.

Four promises hold the parts together. What ``read`` accepts, every YAML reader takes the same way. What ``dump``
writes, ``read`` gives back. What ``edit`` was not asked to change keeps its bytes. What ``merge_records`` gives holds
both changes, or it says why not. Everything here is pure: text in, text out.
"""

from remit.yamltext.dumping import dump
from remit.yamltext.editing import DELETE, Edit, edit
from remit.yamltext.merging import Conflict, Conflicts, Merged, Versions, merge_files, merge_records
from remit.yamltext.reading import Document, PackedDocument, read
from remit.yamltext.scalars import forbidden_character

__all__ = [
    "DELETE",
    "Conflict",
    "Conflicts",
    "Document",
    "Edit",
    "Merged",
    "PackedDocument",
    "Versions",
    "dump",
    "edit",
    "forbidden_character",
    "merge_files",
    "merge_records",
    "read",
]
