"""usage: check_page.py FILE: an HTML page that is well-formed and needs nothing but itself."""
import html.parser
import re
import sys

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
        self.problems = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action") or name.startswith("on"):
                self.problems.append(f"<{tag} {name}={value!r}>")
        if tag in ("script", "iframe", "object", "embed", "link"):
            self.problems.append(f"<{tag}>")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> where {self.open[-1:]} is open")
        else:
            self.open.pop()


def main():
    text = open(sys.argv[1], encoding="utf-8").read()
    page = Page()
    page.feed(text)
    page.close()
    problems = page.problems + [f"<{tag}> is not closed" for tag in page.open]
    if re.search(r"url\(|@import|https?://", text):
        problems.append("it refers to something outside")
    if "prefers-color-scheme" not in text or "color-scheme" not in text:
        problems.append("it does not say how it looks in the dark")
    if not text.startswith("<!DOCTYPE html>"):
        problems.append("it does not begin as HTML")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
