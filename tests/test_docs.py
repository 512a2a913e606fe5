"""The documentation: its pages, commands, settings and links hold, and no picture is stale."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from docs.pictures import FOLDER, lineage, systems

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    """Code blocks of a language, each with its page."""
    return [
        (str(page.relative_to(ROOT)), text)
        for page in PAGES
        for kind, text in BLOCK.findall(page.read_text(encoding="utf-8"))
        if kind == language
    ]


def commands(program: str) -> list[tuple[str, list[str]]]:
    """The arguments of a program wherever a page calls it."""
    return [
        (page, shlex.split(line, comments=True)[1:])
        for page, text in blocks("console")
        for line in text.splitlines()
        if line.startswith(f"{program} ")
    ]


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    kinds = {kind for page in PAGES for kind, _ in BLOCK.findall(page.read_text(encoding="utf-8"))}
    assert kinds == {"console", "toml"}
    programs = {line.split()[0] for _, text in blocks("console") for line in text.splitlines()}
    assert programs == {"faint", "make", "python"}


@pytest.mark.parametrize(("page", "arguments"), commands("faint"), ids=str)
def test_a_command_is_one_that_faint_understands(page: str, arguments: list[str]) -> None:
    from orchestration.cli import _parser
    from orchestration.project import find

    assert callable(_parser(find(ROOT)).parse_args(arguments).run)


def test_selections_are_of_assets_that_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.cli import _listed, _parser
    from orchestration.project import find
    from orchestration.rebuild.session import Session

    monkeypatch.setenv("FAINT_STATE", str(tmp_path))
    session = Session(find())
    for page, arguments in commands("faint"):
        asked = _parser(find(ROOT)).parse_args(arguments)
        if getattr(asked, "selection", None):
            assert session.select(asked.selection, _listed(asked.partitions)), page
    session.close()


@pytest.mark.parametrize(("page", "arguments"), commands("make"), ids=str)
def test_a_make_target_is_in_the_makefile(page: str, arguments: list[str]) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(arguments) <= set(targets)


@pytest.mark.parametrize(("page", "arguments"), commands("python"), ids=str)
def test_a_module_that_is_run_is_there(page: str, arguments: list[str]) -> None:
    assert arguments[0] == "-m"
    assert (ROOT / arguments[1].replace(".", "/")).with_suffix(".py").is_file()


@pytest.mark.parametrize(("page", "text"), blocks("toml"), ids=str)
def test_settings_are_accepted(page: str, text: str, tmp_path: Path) -> None:
    assert tomllib.loads(text)
    settings = tmp_path / "faint.toml"
    settings.write_text(text)
    code = "import assets.definitions"
    env = {"FAINT_SETTINGS": str(settings), "FAINT_STATE": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("system", systems())
def test_no_lineage_is_stale(system: str) -> None:
    stored = (FOLDER / f"{system}.svg").read_bytes()
    assert lineage(system) == stored, "renew it with: python -m docs.pictures"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    mkdocs = Path(sys.executable).with_name("mkdocs")
    done = subprocess.run(
        [mkdocs, "build", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


class Links(HTMLParser):
    """What a page links, shows and names."""

    def __init__(self) -> None:
        super().__init__()
        self.to: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.without_text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if identity := given.get("id"):
            self.ids.add(identity)
        if tag == "a" and (target := given.get("href")):
            self.to.append(target)
        loads = given.get("src") if tag in ("img", "script") else None
        if tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            loads = given.get("href")
        if loads:
            self.loaded.append(loads)
        if tag == "img" and not given.get("alt"):
            self.without_text.append(str(given.get("src")))


def read(page: Path) -> Links:
    links = Links()
    links.feed(page.read_text(encoding="utf-8"))
    return links


def test_no_link_is_broken_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = {page: read(page) for page in site.rglob("*.html") if page.name != "404.html"}
    assert len(pages) >= len(PAGES)
    broken = []
    for page, links in pages.items():
        assert not links.without_text, page
        for target in [*links.to, *links.loaded]:
            url = urlsplit(target)
            if url.scheme in ("http", "https", "mailto"):
                assert target not in links.loaded, (page, target)
                continue
            there = (page.parent / unquote(url.path)).resolve() if url.path else page
            named = pages.get(there)
            if not there.is_file() or (url.fragment and named and url.fragment not in named.ids):
                broken.append(f"{page.relative_to(site)}: {target}")
    assert broken == []
