"""What the site needs beyond this folder: the documents at the top, which stand beside it and lead into it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

TOP = Path(__file__).parents[1]
BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE")


def on_files(files: Files, config: Any) -> Files:
    """Put them among the pages; security.md and SECURITY.md become different addresses."""
    for name in BESIDE:
        text = (TOP / name).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=_lead_inside(text)))
    for file in files:
        if file.src_uri == "SECURITY.md":
            file.dest_uri = "security-policy/index.html"
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let what leads to the top lead there within the site."""
    depth = page.file.src_uri.count("/")
    up = "../" * depth
    text = re.sub(rf"\]\({re.escape(up)}\.\./({'|'.join(map(re.escape, BESIDE))})", rf"]({up}\1", markdown)
    return text.replace(f"]({up}../README.md)", f"]({up}README.md)")


def _lead_inside(text: str) -> str:
    return re.sub(r"\]\(docs/", "](", text)
