"""Downloads from servers that misbehave: resumed, verified, and silent on credentials."""

from __future__ import annotations

import hashlib
import logging
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from models.download import DownloadError, fetch, safe_url

BODY = bytes(range(256)) * 12_000  # 3 MB, three chunks
SHA = hashlib.sha256(BODY).hexdigest()


class Waits(list):
    """Stands in for time.sleep and remembers how long each wait would have been."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def ranges(site):
    return [headers.get("Range") for _, headers in site.requests]


def test_a_good_download_is_whole_verified_and_leaves_nothing_else(misbehaving, session, tmp_path):
    misbehaving.put("/a.csv", BODY)
    seen = []
    target = fetch(
        misbehaving.url("/a.csv"),
        tmp_path / "deep" / "a.csv",
        size=len(BODY),
        sha256=SHA.upper(),
        session=session,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert target.read_bytes() == BODY
    assert [path.name for path in target.parent.iterdir()] == ["a.csv"]
    assert seen[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_how_far_a_download_is_is_logged_with_what_is_left_and_no_credential(
    misbehaving, session, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr("models.download.fetching.LOG_INTERVAL", 0.0)
    misbehaving.put("/a.csv", BODY)
    with caplog.at_level("INFO", logger="models"):
        fetch(misbehaving.url("/a.csv?token=secret"), tmp_path / "a.csv", session=session)
    messages = [text for text in caplog.messages if "MB" in text]
    assert len(messages) > 1
    assert all(text.startswith(misbehaving.url("/a.csv")) for text in messages)
    assert all(" MB of 3.1 MB, about " in text for text in messages)
    assert messages[-1].endswith("3.1 MB of 3.1 MB, about 0 s left")
    assert "secret" not in caplog.text


def test_a_verified_target_is_returned_with_no_request(misbehaving, session, tmp_path):
    target = tmp_path / "a.csv"
    target.write_bytes(BODY)
    fetch(misbehaving.url("/a.csv"), target, sha256=["0" * 64, SHA], session=session)
    assert misbehaving.requests == []


def test_an_altered_target_is_downloaded_again(misbehaving, session, tmp_path):
    misbehaving.put("/a.csv", BODY)
    target = tmp_path / "a.csv"
    target.write_bytes(BODY[:-1] + b"?")
    fetch(misbehaving.url("/a.csv"), target, size=len(BODY), sha256=SHA, session=session)
    assert target.read_bytes() == BODY


def test_a_reset_in_the_middle_is_resumed_from_the_last_byte(misbehaving, session, tmp_path):
    arrived = threading.Event()  # a reset takes with it what the client has not read yet
    misbehaving.put("/a.csv", BODY, misbehaving.reset_after(2_000_000, when=arrived))
    seen, waits = [], Waits()

    def progress(done: int, total: int) -> None:
        seen.append(done)
        if done > 1_500_000:
            arrived.set()

    target = fetch(
        misbehaving.url("/a.csv"),
        tmp_path / "a.csv",
        sha256=SHA,
        session=session,
        progress=progress,
        sleep=waits,
    )
    assert target.read_bytes() == BODY
    first, second = ranges(misbehaving)
    assert first is None
    resumed = int(second.removeprefix("bytes=").removesuffix("-"))
    assert 1_500_000 < resumed <= 2_000_000
    assert resumed in seen
    assert misbehaving.requests[1][1]["If-Range"] == '"v1"'
    assert len(waits) == 1


def test_a_short_body_is_noticed_and_resumed(misbehaving, session, tmp_path):
    misbehaving.put("/a.csv", BODY, misbehaving.short_by(10), misbehaving.short_by(3))
    target = fetch(misbehaving.url("/a.csv"), tmp_path / "a", session=session, sleep=Waits())
    assert target.read_bytes() == BODY
    assert ranges(misbehaving) == [None, f"bytes={len(BODY) - 10}-", f"bytes={len(BODY) - 3}-"]


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(misbehaving, session, tmp_path):
    page = misbehaving.put("/a.csv", BODY, misbehaving.short_by(10), misbehaving.status(503))
    url, target = misbehaving.url("/a.csv"), tmp_path / "a.csv"
    with pytest.raises(DownloadError, match=f"{len(BODY) - 10} bytes are kept"):
        fetch(url, target, retries=0, session=session, sleep=Waits())
    assert not target.exists()
    page.faults.clear()
    fetch(url, target, session=session)
    assert target.read_bytes() == BODY
    assert ranges(misbehaving)[-1] == f"bytes={len(BODY) - 10}-"


def test_a_file_that_changed_between_attempts_is_not_mixed(misbehaving, session, tmp_path):
    page = misbehaving.put("/a.csv", BODY, misbehaving.short_by(10))

    def changed(seconds: float) -> None:
        page.body, page.etag = b"new" + BODY[3:], '"v2"'

    target = fetch(misbehaving.url("/a.csv"), tmp_path / "a", session=session, sleep=changed)
    assert target.read_bytes() == page.body


def test_a_server_without_ranges_is_read_from_the_beginning(misbehaving, session, tmp_path):
    page = misbehaving.put("/a.csv", BODY, misbehaving.short_by(10))
    page.ranges = False
    target = fetch(
        misbehaving.url("/a.csv"), tmp_path / "a", sha256=SHA, session=session, sleep=Waits()
    )
    assert target.read_bytes() == BODY


def test_a_server_that_always_stops_early_and_ignores_ranges_ends_in_an_error(
    misbehaving, session, tmp_path
):
    page = misbehaving.put("/a.csv", BODY, *[misbehaving.short_by(10)] * 20)
    page.ranges = False
    with pytest.raises(DownloadError, match="gave up after 4 attempts"):
        fetch(misbehaving.url("/a.csv"), tmp_path / "a", retries=3, session=session, sleep=Waits())


def test_server_errors_are_retried_with_growing_waits(misbehaving, session, tmp_path):
    misbehaving.put("/a.csv", BODY, *[misbehaving.status(500)] * 4)
    waits = Waits()
    fetch(misbehaving.url("/a.csv"), tmp_path / "a", backoff=1.0, session=session, sleep=waits)
    for wait, full in zip(waits, [1, 2, 4, 8], strict=True):
        assert full / 2 <= wait <= full


def test_retries_end(misbehaving, session, tmp_path):
    misbehaving.put("/a.csv", BODY, *[misbehaving.status(502)] * 9)
    with pytest.raises(DownloadError, match=r"gave up after 3 attempts.*HTTP status 502"):
        fetch(misbehaving.url("/a.csv"), tmp_path / "a", retries=2, session=session, sleep=Waits())
    assert len(misbehaving.requests) == 3


def test_retry_after_is_honoured_in_seconds_and_as_a_date_up_to_a_cap(
    misbehaving, session, tmp_path
):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    misbehaving.put(
        "/a.csv",
        BODY,
        misbehaving.status(429, {"Retry-After": "7"}),
        misbehaving.status(503, {"Retry-After": soon}),
        misbehaving.status(429, {"Retry-After": "86400"}),
        misbehaving.status(429, {"Retry-After": "soon"}),
    )
    waits = Waits()
    fetch(
        misbehaving.url("/a.csv"),
        tmp_path / "a",
        backoff=0.01,
        longest_wait=90,
        session=session,
        sleep=waits,
    )
    assert waits[0] == 7
    assert 30 < waits[1] <= 40
    assert waits[2] == 90
    assert waits[3] < 0.1


@pytest.mark.parametrize(("status", "advice"), [(401, "credentials"), (404, "check the address")])
def test_a_refusal_is_not_retried_and_says_what_to_do(
    misbehaving, session, tmp_path, status, advice
):
    misbehaving.put("/a.csv", BODY, misbehaving.status(status))
    with pytest.raises(DownloadError, match=f"HTTP status {status}.*{advice}"):
        fetch(misbehaving.url("/a.csv"), tmp_path / "a", session=session)
    assert len(misbehaving.requests) == 1


def test_a_wrong_hash_is_removed_and_both_hashes_are_named(misbehaving, session, tmp_path):
    misbehaving.put("/a.csv", BODY)
    old = tmp_path / "a.csv"
    old.write_bytes(b"what was there before")
    with pytest.raises(DownloadError, match=f"has sha256:{SHA}, expected sha256:{'1' * 64}"):
        fetch(misbehaving.url("/a.csv"), old, sha256="1" * 64, session=session)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert old.read_bytes() == b"what was there before"


def test_an_md5_sum_verifies_where_a_publisher_gives_no_better(misbehaving, session, tmp_path):
    misbehaving.put("/a.csv", BODY)
    target, right = tmp_path / "a.csv", hashlib.md5(BODY, usedforsecurity=False).hexdigest()
    fetch(misbehaving.url("/a.csv"), target, md5=right.upper(), session=session)
    assert fetch(misbehaving.url("/a.csv"), target, md5=right, session=session) == target
    assert len(misbehaving.requests) == 1
    with pytest.raises(DownloadError, match=f"has md5:{right}, expected md5:{'0' * 32}"):
        fetch(misbehaving.url("/a.csv"), tmp_path / "b.csv", md5="0" * 32, session=session)
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(ValueError, match="not a md5 in hexadecimal digits: '123'"):
        fetch(misbehaving.url("/a.csv"), target, md5="123", session=session)
    with pytest.raises(ValueError, match="sha256 or md5, not both"):
        fetch(misbehaving.url("/a.csv"), target, md5=right, sha256=SHA, session=session)


def test_a_wrong_size_is_seen_before_the_body_is_read(misbehaving, session, tmp_path):
    misbehaving.put("/a.csv", BODY)
    with pytest.raises(DownloadError, match=f"announces {len(BODY)} bytes, expected 5"):
        fetch(misbehaving.url("/a.csv"), tmp_path / "a.csv", size=5, session=session)
    assert list(tmp_path.iterdir()) == []


def test_credentials_stay_with_the_first_host(misbehaving, another_host, session, tmp_path):
    another_host.put("/file", BODY)
    misbehaving.put("/a.csv", b"", misbehaving.redirect("/b.csv"))
    misbehaving.put("/b.csv", b"", misbehaving.redirect(another_host.url("/file?signature=s3cr3t")))
    session.headers["Authorization"] = "Bearer s3cr3t"
    session.headers["Cookie"] = "id=s3cr3t"
    fetch(
        misbehaving.url("/a.csv"),
        tmp_path / "a",
        headers={"X-Token": "s3cr3t"},
        session=session,
    )
    for _, headers in misbehaving.requests:
        assert (headers["Authorization"], headers["X-Token"]) == ("Bearer s3cr3t", "s3cr3t")
    ((_, headers),) = another_host.requests
    assert "s3cr3t" not in str(headers)

    misbehaving.put("/a.csv", b"", misbehaving.redirect(another_host.url("/file")))
    fetch(misbehaving.url("/a.csv"), tmp_path / "b", auth=("me", "s3cr3t"), session=session)
    assert misbehaving.requests[-1][1]["Authorization"].startswith("Basic ")
    assert "Authorization" not in another_host.requests[-1][1]


def test_redirects_end(misbehaving, session, tmp_path):
    misbehaving.put("/a", b"", *[misbehaving.redirect("/a")] * 20)
    with pytest.raises(DownloadError, match="more than 10 redirects"):
        fetch(misbehaving.url("/a"), tmp_path / "a", session=session)


@pytest.mark.parametrize("fault", ["reset", "refused", "status", "hash", "unreachable"])
def test_credentials_never_reach_a_log_or_an_error(misbehaving, session, tmp_path, caplog, fault):
    faults = {
        "reset": [misbehaving.reset_after(5)] * 3,
        "refused": [misbehaving.status(403)],
        "status": [misbehaving.status(500)] * 3,
    }.get(fault, [])
    misbehaving.put("/a.csv", BODY, *faults)
    url = misbehaving.url("/a.csv?token=s3cr3t").replace("http://", "http://me:s3cr3t@")
    if fault == "unreachable":
        url = "http://me:s3cr3t@127.0.0.1:1/a.csv?token=s3cr3t"  # port 1: nobody listens
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DownloadError) as caught:
        fetch(
            url,
            tmp_path / "a",
            headers={"Authorization": "Bearer s3cr3t"},
            sha256="2" * 64,
            retries=1,
            session=session,
            sleep=Waits(),
        )
    chain: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        chain.append(repr(error))
        error = error.__cause__ or error.__context__
    assert "s3cr3t" not in caplog.text + "".join(chain)
    assert "/a.csv?..." in str(caught.value)
    assert not any("s3cr3t" in path.read_text("latin1") for path in tmp_path.iterdir())


def test_only_web_addresses_are_fetched(tmp_path):
    with pytest.raises(ValueError, match="begins with https"):
        fetch("file:///etc/hostname", tmp_path / "a")


def test_safe_url_keeps_what_tells_files_apart():
    assert safe_url("https://u:p@h:1/x/y.csv?k=v#f") == "https://h:1/x/y.csv?..."
    assert safe_url("https://h/x") == "https://h/x"
