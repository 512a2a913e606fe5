"""A local server that misbehaves on order, for whatever downloads."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests


@dataclass
class Page:
    """A file on the server, and what goes wrong with the next requests for it, in order."""

    body: bytes
    faults: list[Callable[[Handler, Page], None]]
    etag: str | None = '"v1"'
    ranges: bool = True

    def serve(self, handler: Handler) -> None:
        start, wanted = 0, handler.headers.get("Range")
        same = handler.headers.get("If-Range") in (None, self.etag)
        if wanted and self.ranges and same:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            if start >= len(self.body):
                handler.head(416, {"Content-Range": f"bytes */{len(self.body)}"})
                return
        headers = {"Content-Length": str(len(self.body) - start)}
        if self.etag:
            headers["ETag"] = self.etag
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
        handler.head(206 if start else 200, headers)
        handler.wfile.write(self.body[start:])


@dataclass
class Misbehaving:
    """The server; ``requests`` remembers path and headers of all that came."""

    base: str
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def put(self, path: str, body: bytes, *faults: Callable[[Handler, Page], None]) -> Page:
        self.pages[path] = page = Page(body, list(faults))
        return page

    def url(self, path: str) -> str:
        return self.base + path

    @staticmethod
    def status(code: int, headers: Mapping[str, str] | None = None):
        """Answer with a status and no file."""
        return lambda handler, page: handler.head(code, {"Content-Length": "0", **(headers or {})})

    @staticmethod
    def redirect(url: str):
        return Misbehaving.status(302, {"Location": url})

    @staticmethod
    def reset_after(count: int, when: threading.Event | None = None):
        """Send so many bytes of the body, then reset the connection, once ``when`` is set."""

        def fault(handler: Handler, page: Page) -> None:
            rest = page.body[handler.start(page) :]
            handler.head_of(page, len(rest))
            handler.wfile.write(rest[:count])
            handler.wfile.flush()
            if when is not None:
                assert when.wait(10)
            # Linger of 0 seconds: close with RST, not FIN.
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.drop()

        return fault

    @staticmethod
    def short_by(count: int):
        """Announce the whole body, send less and close politely."""

        def fault(handler: Handler, page: Page) -> None:
            rest = page.body[handler.start(page) :]
            handler.head_of(page, len(rest))
            handler.wfile.write(rest[: len(rest) - count])
            handler.drop()

        return fault


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        site = self.server.site
        site.requests.append((self.path, dict(self.headers)))
        page = site.pages.get(self.path.partition("?")[0])
        if page is None:
            self.head(404, {"Content-Length": "0"})
        elif page.faults:
            page.faults.pop(0)(self, page)
        else:
            page.serve(self)

    def start(self, page: Page) -> int:
        wanted = self.headers.get("Range")
        return int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and page.ranges else 0

    def head_of(self, page: Page, length: int) -> None:
        start = len(page.body) - length
        headers = {"Content-Length": str(length), "ETag": page.etag or '"none"'}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(page.body) - 1}/{len(page.body)}"
        self.head(206 if start else 200, headers)

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def drop(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.rfile.close()
        self.connection.close()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    site: Misbehaving

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: broken connections are what it is for."""


@contextlib.contextmanager
def running() -> Iterator[Misbehaving]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.site = Misbehaving(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.site
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def misbehaving() -> Iterator[Misbehaving]:
    """A server on a free port of the loopback interface."""
    with running() as site:
        yield site


@pytest.fixture
def another_host() -> Iterator[Misbehaving]:
    """A second one: as far as credentials go, another host."""
    with running() as site:
        yield site


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session that ignores the proxies and the netrc file of whoever runs the tests."""
    with requests.Session() as session:
        session.trust_env = False
        yield session
