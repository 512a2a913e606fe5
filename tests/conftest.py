"""What all tests share."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

# Before anything imports tensorflow: quiet start-up, and nothing that reaches for a network.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
os.environ.setdefault("MPLBACKEND", "Agg")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings beside the checkout."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"needs the real recordings in {folder}, which are not here")
    return folder


CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium without a window, driven by Playwright."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs Debian's Chromium as {CHROMIUM}: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


LATE = 0.3
"""Seconds that a slow answer takes."""
FAILURE = b"<Error><Code>InternalError</Code><Message>We are sorry</Message></Error>"


class Proxy(BaseHTTPRequestHandler):
    """Passes requests on to the server; every so many-th goes wrong, in turn in each way."""

    protocol_version = "HTTP/1.1"
    upstream = ""
    every = 0
    seen = 0
    lock = threading.Lock()
    faults: ClassVar[list[str]] = []

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.lock:
            cls = type(self)
            cls.seen += 1
            wrong = cls.every and cls.seen % cls.every == 0
            fault = ("500", "slow", "dropped")[cls.seen // cls.every % 3] if wrong else ""
            if fault:
                cls.faults.append(fault)
        if fault == "dropped":
            # To close it would only let go of it, and leave the client to wait for its timeout.
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if fault == "slow":
            time.sleep(LATE)
        status, headers, content = (500, [], FAILURE) if fault == "500" else self.passed_on(body)
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = {name.lower(): value for name, value in headers}.get("content-length", "0")
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def passed_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.upstream)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.getheaders(), content

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """Address of moto's S3 server."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"{host}:{port}"
    running.stop()


@pytest.fixture
def s3(s3_server: str, tmp_path: Any) -> Iterator[SimpleNamespace]:
    """A bucket behind a proxy that is well until told otherwise."""
    import boto3

    handler = type(
        "Handler", (Proxy,), {"upstream": s3_server, "faults": [], "every": 0, "seen": 0}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{proxy.server_port}"
        credentials = {
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{s3_server}",
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
        bucket = tmp_path.name.replace("_", "-").lower()[:60]
        client.create_bucket(Bucket=bucket)
        environment = {
            "FAINT_STORE": f"s3://{bucket}/toy",
            "AWS_ENDPOINT_URL": address,
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            **credentials,
        }
        yield SimpleNamespace(
            environment=environment, client=client, bucket=bucket, handler=handler
        )
        proxy.shutdown()
        thread.join()
        client.close()
