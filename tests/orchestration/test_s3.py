"""The store on a real S3 server, healthy and not: nothing is lost, nothing is taken for good.

The server is moto's, on loopback. Before it stands a proxy that answers some requests with an
error, late, or not at all.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

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
            self.connection.close()
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
def server() -> Iterator[str]:
    """Address of moto's S3 server."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"{host}:{port}"
    running.stop()


@pytest.fixture
def s3(server: str, tmp_path: Any) -> Iterator[SimpleNamespace]:
    """A bucket behind a proxy that is well until told otherwise."""
    import boto3

    handler = type("Handler", (Proxy,), {"upstream": server, "faults": [], "every": 0, "seen": 0})
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
            endpoint_url=f"http://{server}",
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


def rebuilt(toy: Any, s3: Any, *arguments: str) -> dict[str, Any]:
    done = toy.faint("rebuild", *arguments, "--json", env=s3.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def planned(toy: Any, s3: Any, *arguments: str) -> dict[str, list[str]]:
    done = toy.faint("plan", *arguments, "--json", env=s3.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    stale = json.loads(done.stdout)["stale"]
    return {item["asset"]: [reason["kind"] for reason in item["reasons"]] for item in stale}


def keys(s3: Any) -> list[str]:
    listed = s3.client.list_objects_v2(Bucket=s3.bucket).get("Contents", [])
    return sorted(entry["Key"] for entry in listed)


def test_a_project_is_built_into_a_bucket_and_read_back(new_toy: Any, s3: Any) -> None:
    assert len(rebuilt(new_toy, s3)["materialized"]) == 13
    assert all(key.startswith("toy/alpha/") for key in keys(s3))
    assert sum(key.endswith("current.json") for key in keys(s3)) == 13
    assert not (new_toy.root / ".faint" / "store").exists()
    assert rebuilt(new_toy, s3)["materialized"] == []
    assert planned(new_toy, s3, "--verify") == {}

    # What is put back is restored, not computed.
    new_toy.edit("2 * shift(value)", "3 * shift(value)")
    rebuilt(new_toy, s3)
    new_toy.ran()
    new_toy.edit("3 * shift(value)", "2 * shift(value)")
    back = rebuilt(new_toy, s3)
    assert back["materialized"] == []
    assert "alpha/features" in back["restored"]
    assert new_toy.ran() == []


def test_a_lost_or_altered_object_is_noticed_and_only_it_is_rebuilt(new_toy: Any, s3: Any) -> None:
    rebuilt(new_toy, s3)
    new_toy.ran()
    [scaled] = [
        k
        for k in keys(s3)
        if k.startswith("toy/alpha/scaled/") and "current" not in k and "builds" not in k
    ]
    s3.client.delete_object(Bucket=s3.bucket, Key=scaled)
    assert planned(new_toy, s3)["alpha/scaled"] == ["missing"]
    assert rebuilt(new_toy, s3)["materialized"] == ["alpha/scaled"]
    body = s3.client.get_object(Bucket=s3.bucket, Key=scaled)["Body"].read()
    s3.client.put_object(Bucket=s3.bucket, Key=scaled, Body=bytes([body[0] ^ 1]) + body[1:])
    assert planned(new_toy, s3)["alpha/scaled"] == ["corrupt"]
    assert rebuilt(new_toy, s3)["materialized"] == ["alpha/scaled"]
    assert new_toy.ran() == ["alpha/scaled"] * 2


def test_a_server_that_fails_delays_and_drops_loses_nothing(new_toy: Any, s3: Any) -> None:
    s3.handler.every = 40
    assert len(rebuilt(new_toy, s3)["materialized"]) == 13
    assert {"500", "slow", "dropped"} == set(s3.handler.faults)
    s3.handler.every = 0
    assert planned(new_toy, s3, "--verify") == {}
    assert len(new_toy.ran()) == 13


def test_without_the_server_it_says_so_and_goes_on_later(new_toy: Any, s3: Any) -> None:
    rebuilt(new_toy, s3, "alpha/curves")
    away = SimpleNamespace(
        environment=s3.environment
        | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    )
    done = new_toy.faint("rebuild", env=away.environment)
    assert done.returncode != 0
    assert "faint: the store s3://" in done.stderr
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(rebuilt(new_toy, s3)["materialized"]) == 12
