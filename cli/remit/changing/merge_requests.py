"""A change on a forge: the push options that open a merge request for it, and the page on which people open one."""

from __future__ import annotations

import re
from urllib.parse import quote

_ADDRESS = re.compile(r"(?:https?://|ssh://)?(?:[^@/]+@)?([^:/]+)(?::[0-9]+)?[:/](.+?)(?:\.git)?/?")


def merge_request(branch: str, message: str) -> list[str]:
    """Push options that have a forge which listens to them open a merge request into ``branch``."""
    title = message.partition("\n")[0]
    return ["merge_request.create", f"merge_request.target={branch}", f"merge_request.title={title}"]


def page_of(address: str, source: str, branch: str) -> str:
    """Where a merge request of ``source`` into ``branch`` is opened by hand; empty for what is no known forge."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return ""
    host, path = found[1].casefold(), quote(found[2].strip("/"))
    if host == "github.com":
        return f"https://{host}/{path}/compare/{quote(branch)}...{quote(source)}?expand=1"
    if host.split(".")[0] == "gitlab" or host == "gitlab.com":
        sides = {"source_branch": source, "target_branch": branch}
        asked = "&".join(f"merge_request[{side}]={quote(name, safe='')}" for side, name in sides.items())
        return f"https://{host}/{path}/-/merge_requests/new?{asked}"
    return ""
