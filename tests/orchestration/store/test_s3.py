"""The store on a real S3 server, healthy and not: nothing is lost, nothing is taken for good.

The server and the proxy before it, which answers some requests with an error, late, or not at all,
are in `tests/conftest.py`.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any


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
