"""The documentation names what is there: links and anchors, commands and their options, configurations that validate, and
a navigation in which every page stands."""

import functools
import importlib.util
import re

import pytest
import yaml

from support.documentation import DOCS, FENCE, PAGES, SECTIONS, blocks, completed, name_of
from support.holdfast import ROOT, run

# ---- links ----


@functools.cache
def anchors(page):
    """As GitHub and mkdocs make them of headings."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.M):
        text = re.sub(r"[^\w\- ]", "", heading.lower()).strip()
        found.add(text.replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        assert not anchor or place.suffix != ".md" or anchor in anchors(place), f"{target}: {sorted(anchors(place))}"


# ---- configurations ----


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_configurations_validate(page, text, tmp_path):
    content = yaml.safe_load(text)
    if not isinstance(content, dict) or not SECTIONS & set(content):
        return  # a file of tests, values of a chart
    unknown = set(content) - SECTIONS
    assert not unknown, unknown
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(completed(content), sort_keys=False))
    done = run("validate", "--config", path)
    assert done.returncode == 0, done.stderr


# ---- commands ----


@functools.cache
def options_of(*words):
    return set(re.findall(r"--[a-z][a-z-]*", run(*words, "--help").stdout))


@functools.cache
def commands():
    found = re.search(r"^Commands, each with --help:\n(.*?)\n\n", run("--help").stdout, re.M | re.S)
    return set(re.findall(r"^  ([a-z-]+)", found.group(1), re.M))


def invocations(text):
    """The words behind `holdfast` in code: fenced, indented or inline."""
    code = "\n".join(content for kind, content in FENCE.findall(text) if kind in ("", "sh", "bash", "console"))
    rest = FENCE.sub("", text)
    code += "\n".join(re.findall(r"^(?:    |\t)(.*)$", rest, re.M)) + "\n" + "\n".join(re.findall(r"`([^`\n]+)`", rest))
    for line in code.splitlines():
        found = re.search(r"(?:^|[\s/])holdfast ((?:--)?[a-z][^|>&;#()]*)", line)
        if found:
            yield found.group(1).split()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_are_there(page):
    for words in invocations(page.read_text()):
        command = () if words[0].startswith("-") else (words[0],)
        assert not command or command[0] in commands(), " ".join(words)
        known = options_of(*command) | options_of() | {"--help"}
        for word in words:
            option = word.split("=")[0]
            assert not option.startswith("--") or option.rstrip("`.,") in known, " ".join(words)


# ---- the site ----


def load_hooks():
    specification = importlib.util.spec_from_file_location("hooks", ROOT / "conf" / "site" / "hooks.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def listed(entries):
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            for content in entry.values():
                yield from listed(content if isinstance(content, list) else [content])


def test_every_page_is_in_the_navigation():
    settings = yaml.safe_load((ROOT / "conf" / "site" / "mkdocs.yml").read_text())
    config = load_hooks().on_config({"nav": settings["nav"]})
    found = sorted(listed(config["nav"]))
    assert found == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_each_promise_has_a_page_with_its_experiment():
    hooks, text = load_hooks(), (DOCS / "guarantees.md").read_text()
    rows = hooks.promises(text)
    assert len(rows) == len(re.findall(r"^\| [A-Z]\d+ \|", text, re.M)) > 50
    for name, promise, state, shown in rows:
        page = hooks.page_of(name, promise, state, shown)
        for experiment in re.findall(r"`chaos\.(\w+)`", shown):
            assert f"### The experiment {experiment}\n" in page and f"    ./dev chaos {experiment}\n" in page, name
        for target in re.findall(r"\]\(([^):#]+)", page):
            assert (DOCS / "promises" / target).resolve().exists(), f"{name}: {target}"


def test_the_benchmarks_are_drawn():
    hooks = load_hooks()
    rows = hooks.charted((DOCS / "benchmarks.md").read_text())
    assert len(rows) > 3
    picture = hooks.drawn(rows)
    assert picture.count("<rect") == 2 * len(rows)
    assert "Holdfast 1," in picture
