"""The web UI of `faint ui`: Dagster's web server and daemon, with pictures and reports.

What links in metadata name (`orchestration.pictures`) is read from the store, wherever that is, by
the store's own file layer. An address is a slot and the name of a file in it, of a form that no
other file of the store has; nothing outside the store can be addressed.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Any, TextIO

import dagster as dg
import uvicorn
import yaml
from dagster._cli.proxy_server_manager import ProxyServerManager
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.webserver import DagsterWebserver
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from orchestration.errors import ProjectError, StoreUnreachableError, UsageError
from orchestration.pictures import (
    PAGE,
    PICTURE_ROUTE,
    REPORT_ROUTE,
    picture_name,
    picture_path,
    report_path,
)
from orchestration.project import Project
from orchestration.store import PICTURES, Store

STOP_SECONDS = 30.0
"""How long the daemon may take to end."""
LAST_PORT = 65535
POLL_MILLISECONDS = 2000
STATEMENT_TIMEOUT, POOL_RECYCLE, MAX_OVERFLOW = 15000, 3600, 20
"""Of the instance's database connections, as Dagster's own web server has them."""

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".wav": "audio/wav",
}
"""Files of a report that are served, by suffix."""

STYLE = f"""<style>img[src^="{PICTURE_ROUTE}/"] {{
    max-width: max(17rem, calc(100vw - 63rem)); height: auto; background: #fff
}}</style>"""
"""The rest of the width is taken by Dagster's columns beside the pictures of an asset."""

# What is named by its content never changes. A report's scripts can't use the UI's session.
ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
CACHED = ALWAYS | {"Cache-Control": "private, max-age=31536000, immutable"}
FRAMED = CACHED | {
    "Content-Security-Policy": "sandbox allow-scripts allow-popups; default-src 'none'; "
    "img-src 'self' data:; media-src 'self' data:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'"
}


class Webserver(DagsterWebserver[Any, Any]):
    """Dagster's web server, which answers links to pictures and reports as well.

    Parameters
    ----------
    context
        Dagster's workspace.
    store
        Where pictures and reports are.
    """

    def __init__(self, context: WorkspaceProcessContext, store: Store) -> None:
        self._store = store
        super().__init__(context, live_data_poll_rate=POLL_MILLISECONDS)

    def build_routes(self) -> list[BaseRoute]:
        """Add routes, before the one of Dagster's that answers every other address."""
        dagsters: list[BaseRoute] = super().build_routes()  # type: ignore[no-untyped-call]
        return [*routes(self._store), *dagsters]

    def index_html_endpoint(self, request: Request) -> HTMLResponse:
        """Let pictures fit in the page beside what Dagster shows there."""
        page: HTMLResponse = super().index_html_endpoint(request)
        page.body = bytes(page.body).replace(b"</head>", STYLE.encode() + b"</head>", 1)
        page.headers["content-length"] = str(len(page.body))
        return page


def routes(store: Store) -> list[BaseRoute]:
    """Build the routes that serve pictures and reports from a store; only reading is answered."""

    def answered(read: Callable[[Store, str], Response]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            try:
                return read(store, request.path_params.get("address", ""))
            except FileNotFoundError as error:
                return _problem(request, 404, str(error))
            except StoreUnreachableError as error:
                return _problem(request, 503, str(error))

        return answer

    return [
        Route(f"{PICTURE_ROUTE}/{{address:path}}", answered(_picture)),
        Route(f"{REPORT_ROUTE}/{{address:path}}", answered(_report)),
        Route("/faint/{address:path}", answered(_nothing)),
        Route("/faint", answered(_nothing)),
    ]


def _nothing(store: Store, address: str) -> Response:
    raise FileNotFoundError(f"there is no page /faint/{address}")


def _picture(store: Store, address: str) -> Response:
    path = picture_path(address)
    if path is None:
        raise FileNotFoundError("this is no address of a picture")
    png = _stored(store, path, "picture")
    if picture_name(png) != path.rpartition("/")[2]:
        raise FileNotFoundError(f"this picture is damaged in the store: {path}")
    return Response(png, media_type="image/png", headers=CACHED)


def _report(store: Store, address: str) -> Response:
    parts = report_path(address)
    if parts is None:
        raise FileNotFoundError("this is no address of a report")
    archive, name = parts
    kind = TYPES.get(Path(name).suffix)
    try:
        with zipfile.ZipFile(io.BytesIO(_stored(store, archive, "report"))) as files:
            if kind is None or not {name, PAGE} <= set(files.namelist()):
                raise FileNotFoundError(f"this report has no page {name!r}")
            return Response(files.read(name), media_type=kind, headers=FRAMED)
    except zipfile.BadZipFile as error:
        raise FileNotFoundError(f"this report is damaged in the store: {archive}") from error


def _stored(store: Store, path: str, what: str) -> bytes:
    try:
        return store.files.read_below(path)
    except (OSError, ValueError) as error:
        asset = path.rpartition("/")[0].removesuffix(f"/{PICTURES}").partition("/@")[0]
        raise FileNotFoundError(
            f"This {what} is not in the store. That of an earlier build goes when the build is "
            f"collected (faint gc); the present one is made anew by: faint rebuild {asset}"
        ) from error


def _problem(request: Request, status: int, text: str) -> Response:
    """Say what is wrong; as a picture where the page of an asset wants one."""
    if not request.headers.get("accept", "").startswith("image/"):
        return PlainTextResponse(text + "\n", status, headers=ALWAYS)
    words, lines = text.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 60:
            lines.append("")
        lines[-1] += f"{word} "
    spans = "".join(f'<tspan x="8" dy="18">{escape(line)}</tspan>' for line in lines)
    image = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="440" height="{18 * len(lines) + 14}">'
        '<rect width="100%" height="100%" fill="#fff3e0" stroke="#d55e00"/>'
        f'<text font-family="sans-serif" font-size="13" fill="#333">{spans}</text></svg>'
    )
    return Response(image, status, media_type="image/svg+xml", headers=ALWAYS)


# faint ui ---------------------------------------------------------------------------------------


def serve(project: Project, host: str, port: int) -> int:
    """Serve the UI with Dagster's daemon beside it, until it is interrupted; its exit status.

    Raises
    ------
    UsageError
        The address can't be used.
    """
    listening = _listen(host, port)
    project.enter()
    os.chdir(project.root)
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    log = project.home / "ui.log"
    _greet(listening, log)
    with _logged(log) as terminal:
        try:
            _serve(project, listening)
        except KeyboardInterrupt:
            return 0
        except Exception as error:
            traceback.print_exc()
            print(f"faint: the UI ended: {error} (more in {log})", file=terminal)
    return 1


def _listen(host: str, port: int) -> socket.socket:
    try:
        if port > LAST_PORT:
            raise OverflowError(f"ports end at {LAST_PORT}")
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"{host}, port {port}, can't be listened on ({error}): choose another --port or --host"
        ) from error


def _greet(listening: socket.socket, log: Path) -> None:
    host, port = listening.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if host != "::1" and not host.startswith("127."):
        print(
            f"faint: whoever can reach {host} can launch runs: there is no password",
            file=sys.stderr,
        )
    print(f"Dagster's UI:  {address}")
    print(f"Open first:    {address}/asset-groups (the lineage; a click on an asset shows more)")
    print(f"To stop it:    Ctrl-C (messages of the servers: {log})", flush=True)


@contextmanager
def _logged(log: Path) -> Iterator[TextIO]:
    """Write what this process and those it starts print to a file; yields the terminal."""
    sys.stdout.flush()
    kept = [os.dup(number) for number in (1, 2)]
    with log.open("w", encoding="utf-8") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    try:
        with open(kept[1], "w", buffering=1, closefd=False) as terminal:
            yield terminal
    finally:
        sys.stdout.flush()
        for number, old in zip((1, 2), kept, strict=True):
            os.dup2(old, number)
            os.close(old)


def _serve(project: Project, listening: socket.socket) -> None:
    store = Store(project.store, project.locks, project.sources)
    with ExitStack() as stack:
        instance = stack.enter_context(dg.DagsterInstance.get())
        instance.optimize_for_webserver(STATEMENT_TIMEOUT, POOL_RECYCLE, MAX_OVERFLOW)
        # One code server for both, started again where it ends.
        target = WorkspaceFileTarget([str(project.root / "workspace.yaml")])
        code = stack.enter_context(ProxyServerManager(instance, target, "warning"))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        workspace = Path(folder) / "workspace.yaml"
        workspace.write_text(yaml.dump({"load_from": code.get_code_server_specs()}))
        context = stack.enter_context(
            WorkspaceProcessContext(instance, WorkspaceFileTarget([str(workspace)]))
        )
        app = Webserver(context, store).create_asgi_app(lifespan=_lifespan)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        daemon = stack.enter_context(_daemon(workspace))
        threading.Thread(target=_end_with, args=(daemon, server), daemon=True).start()
        server.run(sockets=[listening])
        raise ProjectError(f"Dagster's daemon ended with status {daemon.poll()}")


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    with suppress(asyncio.CancelledError):  # an interrupted server is cancelled
        yield


@contextmanager
def _daemon(workspace: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w", str(workspace)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _end_with(daemon: subprocess.Popen[bytes], server: uvicorn.Server) -> None:
    """End the server when the daemon ends: schedules and queued runs would wait for ever."""
    daemon.wait()
    server.should_exit = True
