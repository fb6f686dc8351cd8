"""What mkdocs does besides, for `./dev docs`: folders of the navigation, links that leave docs/, charts of the benchmarks, a
page for each promise."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BAR, GAP, LEFT, WIDTH = 22, 8, 260, 420


def on_config(config):
    config["nav"] = [_filled(one) for one in config["nav"]]
    return config


def _filled(entry):
    """A folder in the navigation becomes the list of its pages."""
    if isinstance(entry, str):
        return entry
    ((title, content),) = entry.items()
    if isinstance(content, list):
        return {title: [_filled(one) for one in content]}
    folder = DOCS / content
    if not folder.is_dir():
        return entry
    return {title: [str(page.relative_to(DOCS)) for page in sorted(folder.glob("*.md"))]}


def on_page_markdown(markdown, page, **_):
    source = DOCS / page.file.src_uri
    markdown = re.sub(r"\[([^\]]*)\]\((\.\./[^)#]*)(#[^)]*)?\)", lambda found: _kept(found, source), markdown)
    if page.file.src_uri == "guarantees.md":
        return re.sub(r"^\| ([A-Z]\d+) \|", r"| [\1](promises/\1.md) |", markdown, flags=re.M)
    return _with_charts(markdown) if page.file.src_uri == "benchmarks.md" else markdown


def on_files(files, config):
    from mkdocs.structure.files import File

    for promise in promises((DOCS / "guarantees.md").read_text()):
        files.append(File.generated(config, f"promises/{promise[0]}.md", content=page_of(*promise)))
    return files


# ---- a page for each promise ----


def promises(markdown):
    """Rows (id, promise, whether it holds, what shows it) of the tables of guarantees.md."""
    rows = re.findall(r"^\| ([A-Z]\d+) \| (.*) \|$", markdown, re.M)
    return [(name, *(cell.strip() for cell in rest.split(" | "))) for name, rest in rows]


def page_of(name, promise, state, shown):
    """The page of one: what is promised, whether it holds, and how to try each experiment and test that shows it."""
    texts = [f"# Promise {name}\n\n**{_from_below(promise)}**\n\n{_from_below(state)}\n"]
    tried = [_tried(one) for one in re.findall(r"`([^`]+)`", shown)]
    texts += [f"## Try it\n\n{_from_below(shown)}\n", *filter(None, tried)]
    return "\n".join([*texts, "[All promises](../guarantees.md)\n"])


def _from_below(text):
    """Links as a page in promises/ needs them."""
    return re.sub(r"\]\((?!\w+:)", "](../", text)


def _tried(word):
    """How to try what is named so, and what it does, as it says itself."""
    if found := re.fullmatch(r"chaos\.(\w+)", word):
        text = ast.get_docstring(ast.parse((ROOT / "chaos" / "experiments" / f"{found.group(1)}.py").read_text()))
        return f"### The experiment {found.group(1)}\n\n{text}\n\n    ./dev chaos {found.group(1)}\n"
    if found := re.fullmatch(r"(\w+)((?:::\w+)*)", word):
        file = ROOT / "tests" / "integration" / f"test_{found.group(1)}.py"
        if file.exists():
            named = found.group(2).split("::")[1:]
            return f"    ./dev test {file.name}{f' -k {named[-1]}' if named else ''}\n"
    return None


def _kept(found, source):
    """A link out of docs/ names its file; the site does not have it."""
    target = (source.parent / found.group(2)).resolve()
    if target.is_relative_to(DOCS):
        return found.group(0)
    return f"{found.group(1)} (`{target.relative_to(ROOT)}`)"


def _number(cell):
    """The first number of a cell: "1,207,000 (1,152,000 to ...)"; None: it has none."""
    found = re.match(r"\s*([\d,]+(?:\.\d+)?)", cell)
    return float(found.group(1).replace(",", "")) if found else None


def charted(markdown):
    """Rows (name, ours, theirs) of the table that begins with spans per CPU-second."""
    rows, inside = [], False
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| spans per CPU-second | Holdfast"):
            inside = True
        elif inside and not line.startswith("|"):
            break
        elif inside and len(cells) > 2 and _number(cells[1]) and _number(cells[2]):
            rows.append((cells[0], _number(cells[1]), _number(cells[2])))
    return rows


def drawn(rows):
    """Two bars for each row, as SVG that takes its colours from the page."""
    most = max(value for _, ours, theirs in rows for value in (ours, theirs))
    height = len(rows) * (2 * BAR + GAP) + GAP
    parts = [
        f'<svg viewBox="0 0 {LEFT + WIDTH + 130} {height}" role="img" aria-label="Spans per CPU-second" '
        'style="width:100%;font-size:13px;fill:currentColor">'
    ]
    for number, (name, *values) in enumerate(rows):
        top = GAP + number * (2 * BAR + GAP)
        parts.append(f'<text x="{LEFT - 8}" y="{top + BAR + 4}" text-anchor="end">{name}</text>')
        for which, value in enumerate(values):
            y, size = top + which * BAR, max(1, WIDTH * value / most)
            label = ("Holdfast", "Go collector")[which]
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{size:.0f}" height="{BAR - 4}" opacity="{(0.9, 0.4)[which]}"/>'
                f'<text x="{LEFT + size + 6:.0f}" y="{y + 14}">{label} {value:,.0f}</text>'
            )
    return "".join([*parts, "</svg>"])


def _with_charts(markdown):
    rows = charted(markdown)
    if not rows:
        return markdown
    return markdown.replace("| spans per CPU-second | Holdfast", f"{drawn(rows)}\n\n| spans per CPU-second | Holdfast", 1)
