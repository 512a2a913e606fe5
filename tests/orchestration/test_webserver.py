"""Pictures and reports are served from the store, and nothing else is."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from orchestration.errors import UsageError
from orchestration.pictures import picture_name
from orchestration.project import find
from orchestration.store import Description, Slot, Store
from orchestration.store.gc import collect
from orchestration.webserver import _greet, _listen, routes, serve

PNG = b"\x89PNG made for this test"
NAME = picture_name(PNG)
SLOT = Slot("system/cnn/evaluation", "a|b")
AT = "/faint/picture/system/cnn/evaluation/@a%257Cb"
REPORT = Slot("system/report")
FILES = {
    "index.html": b"<p>hello</p>",
    "pictures/a.png": PNG,
    "report.md": b"# hello",
    "notes.exe": b"MZ",
    "beside.js": b"document.getElementById('script').textContent = 'beside'",
    "asking.html": b"""<p id=inline></p><p id=script></p><p id=asked></p><p id=kept></p>
<script>
inline.textContent = "inline";
fetch("/graphql").then(() => asked.textContent = "answered", () => asked.textContent = "refused");
try { localStorage.x = 1; kept.textContent = "kept" } catch { kept.textContent = "not kept" }
</script><script src=beside.js></script>""",
}


def fill(store: Store) -> Store:
    version: dict[str, Any] = {"version": {"code": "1"}, "inputs": {}, "build": "one"}
    store.write(SLOT, [1], "json", describe=lambda _: Description("", {NAME: PNG}), **version)
    store.write(REPORT, FILES, "folders", **version)
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("served")
    return fill(Store(folder / "store", folder / "locks"))


def start(store: Store) -> Iterator[Any]:
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes(store)), log_level=logging.ERROR, lifespan="off")
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()

        def ask(path: str, method: str = "GET", **headers: str) -> SimpleNamespace:
            connection = http.client.HTTPConnection(*listening.getsockname(), timeout=60)
            connection.request(method, path, headers=headers)  # as it is: nothing is normalised
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return SimpleNamespace(status=answer.status, body=body, headers=headers)

        ask.address = "http://{}:{}".format(*listening.getsockname())
        yield ask
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def ask(store: Store) -> Iterator[Any]:
    yield from start(store)


@pytest.fixture
def written(store: Store) -> Iterator[Store]:
    """The store, which the test may damage: it is filled anew afterwards."""
    yield store
    fill(store)


def archive(store: Store) -> str:
    record = store.current(REPORT)
    assert record is not None
    return record.artifact.file


def test_a_picture_is_served_and_may_be_cached_for_ever(ask: Any) -> None:
    answer = ask(f"{AT}/{NAME}")
    assert (answer.status, answer.body) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ask(f"{AT}/{NAME}", "HEAD").status == 200


def test_a_report_is_served_file_by_file_and_its_scripts_can_ask_nobody(
    ask: Any, store: Store
) -> None:
    at = f"/faint/report/system/report/{archive(store)}"
    page = ask(f"{at}/index.html")
    assert (page.status, page.body) == (200, b"<p>hello</p>")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert ask(f"{at}/pictures/a.png").body == PNG
    assert ask(f"{at}/report.md").headers["content-type"] == "text/plain; charset=utf-8"


def test_a_reports_scripts_run_but_reach_neither_the_server_nor_the_uis_session(
    ask: Any, store: Store, browser: Any
) -> None:
    page = browser.new_page()
    page.goto(f"{ask.address}/faint/report/system/report/{archive(store)}/asking.html")
    page.wait_for_function("asked.textContent")
    shown = {name: page.inner_text(f"#{name}") for name in ("inline", "script", "asked", "kept")}
    page.close()
    assert shown == {
        "inline": "inline", "script": "beside", "asked": "refused", "kept": "not kept",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["none.html", "notes.exe", "", "../index.html", "pictures/"])
def test_a_report_has_no_other_files(ask: Any, store: Store, name: str) -> None:
    answer = ask(f"/faint/report/system/report/{archive(store)}/{name}")
    assert answer.status == 404
    assert b"this report has no page" in answer.body


def test_a_folder_that_is_no_report_is_not_served(ask: Any, store: Store) -> None:
    record = store.write(
        Slot("system/words"),
        {"words.html": b"private"},
        "folders",
        version={},
        inputs={},
        build="one",
    )
    assert ask(f"/faint/report/system/words/{record.artifact.file}/words.html").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/faint",
        "/faint/",
        "/faint/picture",
        "/faint/picture/",
        "/faint/pictures/a.png",
        "/faint/picture/../../etc/passwd",
        f"/faint/picture/../picture/{NAME}",
        f"/faint/picture/%2e%2e/%2e%2e/{NAME}",
        f"/faint/picture/..%2f..%2f{NAME}",
        f"/faint/picture/system/cnn/evaluation/@a%257Cb/_builds/one.json",  # noqa: F541
        "/faint/picture/system/cnn/evaluation/@a%257Cb/current.json",
        f"/faint/picture/system/cnn/evaluation/@a%257Cb/%00{NAME}",
        f"/faint/picture//{NAME}",
        "/faint/report/../../etc/passwd",
        "/faint/report/system/report/current.json",
    ],
)
def test_other_paths_are_not_found(ask: Any, path: str) -> None:
    assert ask(path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", [f"{AT}/{NAME}", "/faint/report/a/b", "/faint/other"])
def test_nothing_but_reading_is_answered(ask: Any, path: str, method: str) -> None:
    assert ask(path, method).status == 405


def test_an_unknown_picture_is_not_found_and_where_an_image_is_wanted_one_says_so(ask: Any) -> None:
    unknown = f"{AT}/{'0' * 32}.png"
    answer = ask(unknown)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"This picture is not in the store." in answer.body
    image = ask(unknown, accept="image/avif,image/webp,image/*,*/*;q=0.8")
    assert image.status == 404
    assert image.headers["content-type"] == "image/svg+xml"
    assert b"This picture is not in the store." in image.body


def test_what_was_collected_says_so_and_how_to_see_the_present_one(
    ask: Any, written: Store
) -> None:
    at = f"/faint/report/system/report/{archive(written)}/index.html"
    for slot in (SLOT, REPORT):
        written.write(slot, {"new": b""}, "folders", version={}, inputs={}, build="two")
    assert ask(f"{AT}/{NAME}").status == ask(at).status == 200
    collect(written, keep=0)
    picture, report = ask(f"{AT}/{NAME}"), ask(at)
    assert picture.status == report.status == 404
    said = b"That of an earlier build goes when the build is collected (faint gc)"
    assert said in picture.body
    assert b"faint rebuild system/cnn/evaluation" in picture.body
    assert said in report.body
    assert report.body.endswith(b"faint rebuild system/report\n")


def test_a_damaged_picture_is_not_served(ask: Any, written: Store) -> None:
    (written.folder(SLOT) / "_pictures" / NAME).write_bytes(b"other")
    answer = ask(f"{AT}/{NAME}")
    assert answer.status == 404
    assert b"damaged" in answer.body


def test_a_damaged_report_is_not_served(ask: Any, written: Store) -> None:
    (written.folder(REPORT) / archive(written)).write_bytes(b"no archive")
    answer = ask(f"/faint/report/system/report/{archive(written)}/index.html")
    assert answer.status == 404
    assert b"damaged" in answer.body


def test_a_link_out_of_the_store_is_not_followed(ask: Any, store: Store, tmp_path: Path) -> None:
    secret = b"elsewhere"
    (tmp_path / "secret").write_bytes(secret)
    name = picture_name(secret)
    (store.folder(SLOT) / "_pictures" / name).symlink_to(tmp_path / "secret")
    assert ask(f"{AT}/{name}").status == 404


def test_pictures_of_a_store_in_a_bucket_are_served_and_one_that_fails_is_said(
    s3: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    store = fill(Store(s3.environment["FAINT_STORE"], tmp_path / "locks"))
    running = start(store)
    ask = next(running)
    assert ask(f"{AT}/{NAME}").body == PNG
    assert ask(f"/faint/report/system/report/{archive(store)}/index.html").body == b"<p>hello</p>"
    assert ask(f"{AT}/{'0' * 32}.png").status == 404
    monkeypatch.setattr(
        type(store.files), "read_below", lambda *_: (_ for _ in ()).throw(unreachable())
    )
    answer = ask(f"{AT}/{NAME}")
    assert (answer.status, answer.body) == (503, b"the store doesn't answer\n")
    next(running, None)


def unreachable() -> Exception:
    from orchestration.errors import StoreUnreachableError

    return StoreUnreachableError("the store doesn't answer")


def test_an_address_in_use_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1, port {port}, can't be listened on"):
            serve(find(), "127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 65536), ("no such host", 3000)])
def test_an_impossible_address_is_one_clear_error(host: str, port: int) -> None:
    with pytest.raises(UsageError, match="choose another --port or --host"):
        _listen(host, port)


def test_three_lines_say_where_what_first_and_how_to_stop(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with _listen("127.0.0.1", 0) as listening:
        _greet(listening, Path("ui.log"))
        port = listening.getsockname()[1]
    said = capsys.readouterr()
    assert said.err == ""
    first, second, third = said.out.splitlines()
    assert first.endswith(f"http://127.0.0.1:{port}")
    assert f"http://127.0.0.1:{port}/asset-groups" in second
    assert "Ctrl-C" in third
    assert "ui.log" in third


def test_an_address_that_others_can_reach_comes_with_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with _listen("0.0.0.0", 0) as listening:
        _greet(listening, Path("ui.log"))
    assert "whoever can reach 0.0.0.0 can launch runs" in capsys.readouterr().err
