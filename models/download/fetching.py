"""Download a file: resumed, retried, verified.

No log and no error shows a credential: addresses appear without user, password and query, and the
texts of the HTTP library's own exceptions, which repeat addresses, are never used.
"""

from __future__ import annotations

import contextlib
import email.utils
import fcntl
import hashlib
import json
import logging
import os
import random
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import requests


logger = logging.getLogger(__name__)

CHUNK = 1 << 16
"""Bytes read and written at a time; a connection that breaks loses no more than these."""

REDIRECTS = 10
"""Redirects followed before giving up, as in curl's common settings."""

RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses that may pass by themselves (RFC 9110, section 15)."""

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and in all; the latter None if unknown."""

LOG_INTERVAL = 5.0
"""Seconds between two log messages on the progress of a download."""


class DownloadError(RuntimeError):
    """A download failed for good; the text says what to do and holds no credential."""


def wrong_file(url: str, wrong: str) -> DownloadError:
    """Return the error for a file that was removed because of its size or hash."""
    return DownloadError(
        f"{url}: the file {wrong}. It was removed; either it was damaged on the way (try again) "
        "or its publisher changed it (check, then update the expected size and hash)."
    )


def safe_url(url: str) -> str:
    """Return ``url`` fit to be shown: without user, password, query and fragment.

    >>> safe_url("https://me:secret@example.org:8443/a/b.csv?token=123")
    'https://example.org:8443/a/b.csv?...'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" + ("?..." if parts.query else "")


def fetch(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    sha256: str | Collection[str] | None = None,
    md5: str | None = None,
    headers: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    retries: int = 5,
    backoff: float = 1.0,
    longest_wait: float = 120.0,
    timeout: tuple[float, float] = (10.0, 60.0),
    session: requests.Session | None = None,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Download ``url`` to ``target``, resuming, retrying and verifying.

    The body grows in ``<target>.part`` and takes its final name, atomically, once its length and
    hash are verified. An interrupted download resumes if the server's ETag or Last-Modified is
    unchanged, or if a hash will verify the result. Processes fetching one target take turns.

    Parameters
    ----------
    url : str
        ``http`` or ``https`` address.
    target : Path
        The file to write; its folder is made.
    size : int, optional
        Exact length in bytes.
    sha256 : str or collection of str, optional
        Accepted hashes in hex. An existing target that matches ``size`` and hash is returned with
        no request; with neither given it is downloaded anew.
    md5 : str, optional
        Hash in hex, for publishers that give no better one; excludes ``sha256``.
    headers, auth : optional
        Extra request headers, and user and password for basic authentication. Neither is sent on
        after a redirect to another host, port or scheme.
    retries : int
        Consecutive failures without a new byte before giving up.
    backoff : float
        Wait in seconds after the first failure; doubled after each, and shortened at random by up
        to half so that many clients don't return at once.
    longest_wait : float
        Upper limit of a wait in seconds, whatever Retry-After says.
    timeout : tuple of float
        Seconds to connect, and seconds without a byte.
    session : requests.Session, optional
        A session to use instead of a new one.
    progress : Progress, optional
        Called after each chunk. By default progress is logged every few seconds.
    sleep : callable
        Replaces `time.sleep` in tests.

    Raises
    ------
    DownloadError
        The retries are spent, the server refuses (401, 403, 404 and the like), or the file has
        another size or hash and was removed.
    """
    import requests

    hashes = expected_hashes(sha256, md5)
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{safe_url(url)}: expected an address that begins with https://")
    if _is_verified(target, size, hashes):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_queries_hidden())
        if session is None:
            session = stack.enter_context(requests.Session())
        part = stack.enter_context(_Part.locked(target))
        if _is_verified(target, size, hashes):  # another process was faster
            part.discard()
            return target
        request = _Request(url, dict(headers or {}), auth, timeout)
        failures, furthest = 0, part.length
        report = progress or _logged(safe_url(url), part.length)
        while (problem := _attempt(session, request, part, size, bool(hashes), report)) is not None:
            if part.length > furthest:
                failures, furthest = 0, part.length
            failures += 1
            if failures > retries:
                raise DownloadError(
                    f"{safe_url(url)}: gave up after {failures} attempts without progress: "
                    f"{problem.text}. {part.length} bytes are kept; run again to go on from there."
                )
            wait = backoff * 2 ** (failures - 1) * random.uniform(0.5, 1.0)
            if problem.retry_after is not None:
                wait = max(wait, problem.retry_after)
            wait = min(wait, longest_wait)
            logger.warning(
                "%s: %s; attempt %d of %d follows in %.1f s",
                *(safe_url(url), problem.text, failures + 1, retries + 1, wait),
            )
            sleep(wait)
        part.verify(safe_url(url), size, hashes)
        part.publish(target)
    return target


def expected_hashes(sha256: str | Collection[str] | None, md5: str | None) -> frozenset[str]:
    """Return the accepted hashes, such as ``md5:d41d8cd98f00b204e9800998ecf8427e``."""
    if sha256 and md5:
        raise ValueError("give sha256 or md5, not both")
    hashes = [f"md5:{md5}"] if md5 else []
    hashes += [
        f"sha256:{value}" for value in ([sha256] if isinstance(sha256, str) else sha256 or ())
    ]
    for expected in hashes:
        algorithm, value = expected.split(":", 1)
        if not re.fullmatch(rf"[0-9a-fA-F]{{{_DIGITS[algorithm]}}}", value):
            raise ValueError(f"not a {algorithm} in hexadecimal digits: {value!r}")
    return frozenset(expected.lower() for expected in hashes)


_DIGITS = {"sha256": 64, "md5": 32}


def _hash_like(path: Path, hashes: frozenset[str]) -> str:
    """Hash a file with the algorithm of ``hashes``, in the same form."""
    algorithm = next(iter(hashes)).split(":", 1)[0]
    with path.open("rb") as file:
        # MD5 shows damage; it does not stop an attacker.
        digest = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False))
    return f"{algorithm}:{digest.hexdigest()}"


def _is_verified(path: Path, size: int | None, hashes: frozenset[str]) -> bool:
    if (size is None and not hashes) or not path.is_file():
        return False
    if size is not None and path.stat().st_size != size:
        return False
    return not hashes or _hash_like(path, hashes) in hashes


@dataclass(frozen=True)
class _Request:
    """A request; its headers and auth are credentials and go to the first origin only."""

    url: str
    headers: dict[str, str]
    auth: tuple[str, str] | None
    timeout: tuple[float, float]


@dataclass(frozen=True)
class _Problem:
    """Why an attempt failed, without credentials, and after how many seconds to retry."""

    text: str
    retry_after: float | None = None


def _logged(url: str, before: int) -> Progress:
    """Log the progress of a download that began with ``before`` bytes, every few seconds."""
    begun = logged = time.monotonic()

    def progress(done: int, total: int | None) -> None:
        nonlocal logged
        now = time.monotonic()
        if now - logged < LOG_INTERVAL:
            return
        logged = now
        text = f"{url}: {done / 1e6:.1f} MB"
        if total is not None and done > before:
            left = (total - done) * (now - begun) / (done - before)
            text += f" of {total / 1e6:.1f} MB, about {left:.0f} s left"
        logger.info("%s", text)

    return progress


class _Part:
    """The locked, growing ``.part`` file of a download, and a note of what it is part of."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.file = file
        self._note = path.with_name(path.name + ".json")

    @classmethod
    @contextlib.contextmanager
    def locked(cls, target: Path) -> Iterator[_Part]:
        path = target.with_name(target.name + ".part")
        while True:
            file = path.open("ab")
            fcntl.flock(file, fcntl.LOCK_EX)
            # The last holder of the lock may have renamed or removed the file.
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                    break
            file.close()
        with file:
            yield cls(path, file)

    @property
    def length(self) -> int:
        return os.fstat(self.file.fileno()).st_size

    def note(self) -> dict[str, Any]:
        """Return the address, validator and total length of the content so far; {} if unknown."""
        try:
            note = json.loads(self._note.read_text())
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def restart(self, note: Mapping[str, Any]) -> None:
        """Empty the file for a body that starts at byte 0."""
        self.file.truncate(0)
        self._note.write_text(json.dumps(note))

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def verify(self, url: str, size: int | None, hashes: frozenset[str]) -> None:
        self.file.flush()
        if size is not None and self.length != size:
            wrong = f"has {self.length} bytes, expected {size}"
        elif hashes and (actual := _hash_like(self.path, hashes)) not in hashes:
            wrong = f"has {actual}, expected {' or '.join(sorted(hashes))}"
        else:
            return
        self.discard()
        raise wrong_file(url, wrong)

    def publish(self, target: Path) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())
        self.path.replace(target)
        self._note.unlink(missing_ok=True)
        sync_folder(target.parent)


def _attempt(
    session: requests.Session,
    request: _Request,
    part: _Part,
    size: int | None,
    verifiable: bool,
    progress: Progress,
) -> _Problem | None:
    """Send one request and append to ``part``. Returns None when the body is complete."""
    import requests
    import urllib3

    note = part.note()
    validator, total = note.get("validator"), note.get("total") or size
    if part.length and (note.get("url") != safe_url(request.url) or not (validator or verifiable)):
        part.restart({})
    if part.length and part.length == total:
        return None
    ranged = {"Accept-Encoding": "identity"}  # lengths and ranges are those of the file itself
    if part.length:
        ranged["Range"] = f"bytes={part.length}-"
        if validator:
            ranged["If-Range"] = validator
    problem: _Problem | None = None
    refusal = ""
    try:
        with _open(session, request, ranged) as response:
            if response.status_code not in (200, 206):
                problem, refusal = _check_status(response, part)
            else:
                problem = _read_body(response, part, safe_url(request.url), size, progress)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        # Only the type: the text may hold the address with its query.
        problem = _Problem(f"the connection failed ({type(error).__name__})")
    if refusal:  # outside the handler, so that nothing is chained to it
        raise DownloadError(f"{safe_url(request.url)}: {refusal}")
    return problem


@contextlib.contextmanager
def _open(
    session: requests.Session, request: _Request, ranged: dict[str, str]
) -> Iterator[requests.Response]:
    """Send the request and follow redirects; credentials go to the first origin only."""
    home, url = _origin(request.url), request.url
    for _ in range(REDIRECTS + 1):
        at_home = _origin(url) == home
        response = session.get(
            url,
            # Elsewhere, drop even the defaults of the session.
            headers={**(request.headers if at_home else dict.fromkeys(_SECRET)), **ranged},
            auth=request.auth if at_home else _no_auth,
            timeout=request.timeout,
            stream=True,
            allow_redirects=False,
        )
        with response:
            if not response.is_redirect:
                yield response
                return
            following = urljoin(url, response.headers["Location"])
        scheme = urlsplit(following).scheme
        if scheme not in ("http", "https") or (scheme == "http" and url.startswith("https:")):
            raise DownloadError(
                f"{safe_url(request.url)}: redirects to {safe_url(following)}, which is not "
                "https. Check the address."
            )
        url = following
    raise DownloadError(
        f"{safe_url(request.url)}: more than {REDIRECTS} redirects. Check the address."
    )


_SECRET = ("Authorization", "Cookie", "Proxy-Authorization")


def _no_auth(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


def _check_status(response: requests.Response, part: _Part) -> tuple[_Problem | None, str]:
    """Return a problem that may pass, or the reason why retrying is useless."""
    status = f"HTTP status {response.status_code}"
    if response.status_code == 416:  # ours is no beginning of theirs
        part.restart({})
        return _Problem(f"{status} (nothing after the bytes already here)"), ""
    if response.status_code in RETRIED_STATUS:
        return _Problem(status, _retry_after(response.headers.get("Retry-After"))), ""
    advice = {
        401: "the server wants credentials; check that they are set and right",
        403: "the server refuses; check the credentials, and that its terms were accepted",
        404: "there is no such file; check the address",
    }.get(response.status_code, "trying again will not help; check the address")
    return None, f"{status}: {advice}."


def _retry_after(value: str | None) -> float | None:
    """Parse Retry-After, seconds or a date, to seconds (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if re.fullmatch(r"\s*\d{1,9}\s*", value):
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _read_body(
    response: requests.Response,
    part: _Part,
    url: str,
    size: int | None,
    progress: Progress,
) -> _Problem | None:
    """Append the body to ``part``. Returns a problem if it is the wrong range or incomplete."""
    if response.status_code == 206:
        content_range = re.fullmatch(
            r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip()
        )
        if content_range is None or int(content_range[1]) != part.length:
            part.restart({})
            return _Problem("the server sent another range than was asked for")
        total = None if content_range[2] == "*" else int(content_range[2])
    else:  # the whole file: the first request, ranges not supported, or the file has changed
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        part.restart({"url": url, "validator": _validator(response.headers), "total": total})
    if size is not None and total is not None and total != size:
        part.discard()
        raise DownloadError(
            f"{url}: the server announces {total} bytes, expected {size}. "
            "Its publisher may have changed the file: check, then update the expected size."
        )
    limit = total if total is not None else size
    for chunk in response.raw.stream(CHUNK, decode_content=False):
        part.file.write(chunk)
        part.file.flush()
        progress(part.length, limit)
        if limit is not None and part.length > limit:
            longer = part.length
            part.restart({})
            return _Problem(f"the body is longer ({longer} bytes) than announced ({limit})")
    if limit is not None and part.length < limit:
        return _Problem(f"the body ended at byte {part.length} of {limit}")
    return None


def _validator(headers: Mapping[str, str]) -> str | None:
    """Return a value for If-Range: a strong ETag, else the date (RFC 9110, section 13.1.5)."""
    etag = headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return headers.get("Last-Modified")


class _QueryFilter(logging.Filter):
    """Remove the queries of addresses from urllib3's debug log."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"\?[^\s\"']*", "?...", value) if isinstance(value, str) else value
                for value in record.args
            )
        return True


@contextlib.contextmanager
def _queries_hidden() -> Iterator[None]:
    names = ("urllib3.connectionpool", "urllib3.util.retry")
    query_filter = _QueryFilter()
    for name in names:
        logging.getLogger(name).addFilter(query_filter)
    try:
        yield
    finally:
        for name in names:
            logging.getLogger(name).removeFilter(query_filter)


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
