"""Checks the built site, site/obj/site or the folder given: every local link leads to a page, every anchor to an element, every
picture to a file, and every page has a title. Prints what is wrong; exit status 1 where something is."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links, anchors and title of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.title = ""
        self._in_title = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._in_title = tag == "title"
        for name in ("id", "name"):
            if values.get(name):
                self.anchors.add(values[name])
        for name in ("href", "src"):
            if values.get(name) and tag in ("a", "img", "script", "link"):
                self.links.append(values[name])

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False


def wrong(root: Path) -> list[str]:
    """What is wrong in a site, a line each."""
    found = []
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.html"))}
    for path, page in pages.items():
        own = path.relative_to(root.resolve())
        # The table of contents is a part of pages.
        if path.name != "toc.html" and not page.title.strip():
            found.append(f"{own}: no title")
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target = target / "index.html"
            if not target.exists():
                found.append(f"{own}: {link} leads nowhere")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{own}: {link} has no such place")
    if not pages:
        found.append(f"{root}: no pages")
    return found


if __name__ == "__main__":
    lines = wrong(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "obj" / "site"))
    print("\n".join(lines[:40]) or "Every link leads somewhere.")
    sys.exit(bool(lines))
