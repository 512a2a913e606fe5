"""Fetching public data: downloads that survive a bad network, and archives that cannot do harm.

Here belongs what the real sources of all systems share: resuming and verified downloads, safe
unpacking, and the publishers' own doors (Kaggle). What the files mean belongs to the readers of
each system.

No credential reaches a log or an error from here: addresses are shown without user, password and
query, and the texts of the HTTP library's own exceptions, which repeat addresses, are never used.
"""

from __future__ import annotations

import bz2
import contextlib
import email.utils
import fcntl
import gzip
import hashlib
import json
import logging
import lzma
import os
import random
import re
import shutil
import stat
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
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

KAGGLE_API = "https://www.kaggle.com/api/v1"

DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError)
"""What the archive modules raise for a damaged or truncated file."""

Progress = Callable[[int, int | None], None]
"""Told the bytes so far and the bytes in all, if known."""

#: Seconds between two messages on how far a download is.
TELL_EVERY = 5.0


class DownloadError(RuntimeError):
    """A download failed for good; the text says what to do and holds no credential."""


class ArchiveError(ValueError):
    """An archive is damaged, or asks for what unpacking must not do."""


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

    The body grows in ``<target>.part`` and takes its final name, atomically, only after its length
    and hash are right, so ``target`` is never half a file. An interrupted download goes on from
    where it stopped if the server still has the same file (its ETag or Last-Modified says so) or,
    failing both, if a hash will tell. Two processes fetching one target take turns.

    Parameters
    ----------
    url
        ``http`` or ``https`` address.
    target
        Where the file goes; its folder is made.
    size
        Its exact length in bytes, if known.
    sha256
        Its hash in hex, or several that are right. A target already there that matches ``size``
        and the hash is returned with no request; with neither given it is downloaded anew.
    md5
        Its hash in hex, from publishers that give no better one; not beside ``sha256``.
    headers, auth
        Extra request headers, and user and password for basic authentication. Neither is sent on
        after a redirect to another host, port or scheme.
    retries
        Failures in a row, without a new byte between them, before giving up.
    backoff
        Wait in seconds after the first failure; doubled after each, and shortened at random by up
        to half so that many clients don't return at once.
    longest_wait
        No wait is longer, whatever the server's Retry-After says.
    timeout
        Seconds to connect, and seconds without a byte.
    session
        A ``requests`` session to use instead of a new one.
    progress
        Called after each chunk with the bytes that are there and those that there will be, None
        where that isn't known. By default it is logged every few seconds.
    sleep
        How to wait; for tests.

    Raises
    ------
    DownloadError
        When the retries are spent, when the server refuses (401, 403, 404 and the like), and when
        the file has another size or hash; then what was downloaded is removed.
    """
    import requests

    hashes = _hashes(sha256, md5)
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
        tell = progress or _logged(safe_url(url), part.length)
        while (problem := _attempt(session, request, part, size, bool(hashes), tell)) is not None:
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


def _hashes(sha256: str | Collection[str] | None, md5: str | None) -> frozenset[str]:
    """Any of which is right, such as ``md5:d41d8cd98f00b204e9800998ecf8427e``."""
    if sha256 and md5:
        raise ValueError("give sha256 or md5, not both")
    known = [f"md5:{md5}"] if md5 else []
    known += [f"sha256:{one}" for one in ([sha256] if isinstance(sha256, str) else sha256 or ())]
    for one in known:
        algorithm, value = one.split(":", 1)
        if not re.fullmatch(_DIGITS[algorithm], value):
            raise ValueError(f"not a {algorithm} in hexadecimal digits: {value!r}")
    return frozenset(one.lower() for one in known)


_DIGITS = {"sha256": r"[0-9a-fA-F]{64}", "md5": r"[0-9a-fA-F]{32}"}


def _hash_like(path: Path, hashes: frozenset[str]) -> str:
    """Hash a file with the algorithm of ``hashes``, as they are written."""
    algorithm = next(iter(hashes)).split(":", 1)[0]
    with path.open("rb") as file:
        # Against damage, not against an attacker, who could serve what he likes with its MD5.
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
    """What to ask for; headers and auth are credentials and stay with the first origin."""

    url: str
    headers: dict[str, str]
    auth: tuple[str, str] | None
    timeout: tuple[float, float]


@dataclass(frozen=True)
class _Problem:
    """Why an attempt failed, in words fit to be shown, and when the server wants us back."""

    text: str
    retry_after: float | None = None


def _logged(shown: str, before: int) -> Progress:
    """Log how far a download is, of which some bytes were there before, every few seconds."""
    begun = told = time.monotonic()

    def progress(done: int, total: int | None) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told < TELL_EVERY:
            return
        told = now
        text = f"{shown}: {done / 1e6:.1f} MB"
        if total is not None and done > before:
            left = (total - done) * (now - begun) / (done - before)
            text += f" of {total / 1e6:.1f} MB, about {left:.0f} s left"
        logger.info("%s", text)

    return progress


class _Part:
    """The growing ``.part`` file of a download, locked, with what identifies its content."""

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
            # Whoever held the lock may have renamed or removed the file that we opened.
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
        """Return what the server said of the content so far: validator and total length."""
        try:
            found = json.loads(self._note.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def restart(self, note: Mapping[str, Any]) -> None:
        """Empty the file, for a body that comes from its beginning."""
        self.file.truncate(0)
        self._note.write_text(json.dumps(note))

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def verify(self, shown: str, size: int | None, hashes: frozenset[str]) -> None:
        self.file.flush()
        if size is not None and self.length != size:
            wrong = f"has {self.length} bytes, expected {size}"
        elif hashes and (actual := _hash_like(self.path, hashes)) not in hashes:
            wrong = f"has {actual}, expected {' or '.join(sorted(hashes))}"
        else:
            return
        self.discard()
        raise DownloadError(
            f"{shown}: the file {wrong}. It was removed; either it was damaged on the way (try "
            "again) or its publisher changed it (check, then update the expected size and hash)."
        )

    def publish(self, target: Path) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())
        self.path.replace(target)
        self._note.unlink(missing_ok=True)
        _sync_folder(target.parent)


def _attempt(
    session: requests.Session,
    request: _Request,
    part: _Part,
    size: int | None,
    verifiable: bool,
    progress: Progress,
) -> _Problem | None:
    """Ask once, appending to ``part``; None when the body is whole."""
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
                problem, refusal = _judge_status(response, part)
            else:
                problem = _read_body(response, part, safe_url(request.url), size, progress)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        # Only the kind: the text may hold the address with its query.
        problem = _Problem(f"the connection failed ({type(error).__name__})")
    if refusal:  # outside the handler, so that nothing is chained to it
        raise DownloadError(f"{safe_url(request.url)}: {refusal}")
    return problem


@contextlib.contextmanager
def _open(
    session: requests.Session, request: _Request, ranged: dict[str, str]
) -> Iterator[requests.Response]:
    """Send the request, following redirects ourselves so that credentials stay at home."""
    home, url = _origin(request.url), request.url
    for _ in range(REDIRECTS + 1):
        at_home = _origin(url) == home
        response = session.get(
            url,
            # Away from home not even what a session was given as a default goes along.
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


def _judge_status(response: requests.Response, part: _Part) -> tuple[_Problem | None, str]:
    """Whether to come back later, or why never to."""
    status = f"HTTP status {response.status_code}"
    if response.status_code == 416:  # what we have is not a beginning of what they have
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
    """Seconds to wait: the header holds seconds or a date (RFC 9110, section 10.2.3)."""
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
    shown: str,
    size: int | None,
    progress: Progress,
) -> _Problem | None:
    """Append the body; the problem if it is not the one asked for, or not whole."""
    if response.status_code == 206:
        found = re.fullmatch(
            r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip()
        )
        if found is None or int(found[1]) != part.length:
            part.restart({})
            return _Problem("the server sent another range than was asked for")
        total = None if found[2] == "*" else int(found[2])
    else:  # the whole file: the first request, ranges not supported, or the file has changed
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        part.restart({"url": shown, "validator": _validator(response.headers), "total": total})
    if size is not None and total is not None and total != size:
        part.discard()
        raise DownloadError(
            f"{shown}: the server announces {total} bytes, expected {size}. "
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
    """What If-Range may hold: a strong ETag, else the date (RFC 9110, section 13.1.5)."""
    etag = headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return headers.get("Last-Modified")


class _QueryFilter(logging.Filter):
    """Takes the queries out of the addresses that urllib3 writes into its debug log."""

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


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unpack(archive: Path, folder: Path, *, max_bytes: int, max_files: int) -> Path:
    """Unpack a zip, tar (plain, gz, bz2 or xz) or gzip file into a new folder, safely.

    Only regular files and folders whose names stay inside ``folder`` are accepted; permissions,
    owners and times in the archive are ignored. The limits count bytes as they come out, not as
    the archive declares them. ``folder`` appears whole or not at all.

    Parameters
    ----------
    archive
        The file; its kind is told from its content. A single gzipped file is unpacked under the
        archive's name without ``.gz``.
    folder
        Where to; must not exist yet.
    max_bytes
        Bytes that may come out, in all.
    max_files
        Files that may come out.

    Returns
    -------
    Path
        ``folder``.

    Raises
    ------
    ArchiveError
        For a name that leaves the folder, a link, a device, a name twice, an encrypted member,
        more than the limits, and a damaged or unknown archive.
    FileExistsError
        If ``folder`` exists.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists; remove it to unpack {archive.name} anew")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        out = _Unpacked(archive, temporary, max_bytes, max_files)
        try:
            _unpack_known(archive, out)
        except (*DAMAGED, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's fault; gzip's and bz2's own have no number
            raise ArchiveError(
                f"{archive}: damaged or truncated ({error}). Remove it and download it again."
            ) from error
        temporary.chmod(0o755)
        _sync_folder(temporary)
        temporary.rename(folder)
        _sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def _unpack_known(archive: Path, out: _Unpacked) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as pack:
            for member in pack.infolist():
                mode = member.external_attr >> 16
                if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise out.refusal(f"{member.filename!r} is a link or a device")
                if member.flag_bits & 1:
                    raise out.refusal(f"{member.filename!r} is encrypted")
                if member.is_dir():
                    out.add_folder(member.filename)
                    continue
                with pack.open(member) as source:
                    out.add_file(member.filename, source)
    elif _is_tar(archive):
        with _decompressed(archive) as plain:
            metered = _Metered(plain, out)
            with tarfile.open(fileobj=metered, mode="r|") as tar:  # type: ignore[call-overload]
                while (entry := tar.next()) is not None:
                    if entry.isdir():
                        out.add_folder(entry.name)
                    elif entry.isreg():
                        metered.allow(entry.size)
                        out.add_file(entry.name, tar.extractfile(entry))
                    else:
                        raise out.refusal(f"{entry.name!r} is a link or a device")
                    metered.allow(0)
    elif _starts_with(archive, b"\x1f\x8b"):
        with _decompressed(archive) as plain:
            out.add_file(archive.name.removesuffix(".gz"), plain)
    else:
        raise out.refusal("it is not a zip, tar or gzip file")


def _decompressed(path: Path) -> IO[bytes]:
    openers: dict[bytes, Callable[[Path], Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZh": bz2.open,
        b"\xfd7zXZ\x00": lzma.open,
    }
    for magic, opener in openers.items():
        if _starts_with(path, magic):
            opened: IO[bytes] = opener(path)
            return opened
    return path.open("rb")


def _is_tar(path: Path) -> bool:
    # Not tarfile.is_tarfile, which takes zeros for an empty archive.
    try:
        with _decompressed(path) as file:
            return file.read(512)[257:262] == b"ustar"
    except (*DAMAGED, OSError):
        return False


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


class _Metered:
    """Feeds tarfile, and stops it when a header is a bomb.

    tarfile keeps a whole extended header in memory and, in Python before 3.11.10 and 3.12.6, spends
    time on it that grows with the square of its length (CVE-2024-6232).
    """

    #: Bytes that headers between two members may take: names, and tarfile's own read-ahead.
    HEADERS = 16_384 + tarfile.RECORDSIZE

    def __init__(self, source: IO[bytes], out: _Unpacked) -> None:
        self._source, self._out = source, out
        self.allow(0)

    def allow(self, size: int) -> None:
        """Let a member of ``size`` bytes and the headers after it through."""
        self._left = size + self.HEADERS

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise self._out.refusal("a header in it is too long")
        return data


class _Unpacked:
    """The files that came out of an archive so far, and the rules they must keep."""

    def __init__(self, archive: Path, folder: Path, max_bytes: int, max_files: int) -> None:
        self.archive, self.folder = archive, folder
        self.max_bytes, self.max_files = max_bytes, max_files
        self._bytes = self._files = 0

    def refusal(self, why: str) -> ArchiveError:
        return ArchiveError(
            f"{self.archive}: not unpacked: {why}. Nothing was written; get the archive from its "
            "publisher again, and unpack it by hand if you trust it."
        )

    def too_large(self) -> ArchiveError:
        return self.refusal(f"more than {self.max_bytes} bytes come out")

    def _path(self, name: str) -> Path:
        pure = PurePosixPath(name)
        parts = pure.parts
        if not parts or pure.is_absolute() or ".." in parts or "\\" in name or "\0" in name:
            raise self.refusal(f"the name {name!r} leaves the folder")
        if re.match(r"[A-Za-z]:", parts[0]):
            raise self.refusal(f"the name {name!r} has a drive in it")
        return self.folder.joinpath(*parts)

    def _count(self) -> None:
        self._files += 1
        if self._files > self.max_files:
            raise self.refusal(f"it holds more than {self.max_files} files")

    def add_folder(self, name: str) -> None:
        self._count()
        if PurePosixPath(name).parts:  # "./" is the folder itself
            self._path(name).mkdir(parents=True, exist_ok=True)

    def add_file(self, name: str, source: Any) -> None:
        self._count()
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("xb")
        except (FileExistsError, NotADirectoryError):
            raise self.refusal(f"the name {name!r} occurs twice") from None
        with file:
            while data := source.read(CHUNK):
                self._bytes += len(data)
                if self._bytes > self.max_bytes:
                    raise self.too_large()
                file.write(data)
            file.flush()
            os.fsync(file.fileno())


def kaggle_credentials() -> tuple[str, str]:
    """Return Kaggle's user name and key, from the environment or from Kaggle's own file.

    Read, in this order: ``KAGGLE_USERNAME`` and ``KAGGLE_KEY``; ``kaggle.json`` in the folder
    ``KAGGLE_CONFIG_DIR`` (``~/.kaggle`` by default).

    Raises
    ------
    DownloadError
        When there are none; the text says where to get them and never shows them.
    """
    user, key = os.environ.get("KAGGLE_USERNAME"), os.environ.get("KAGGLE_KEY")
    if user and key:
        return user, key
    folder = os.environ.get("KAGGLE_CONFIG_DIR")
    path = (Path(folder) if folder else Path.home() / ".kaggle") / "kaggle.json"
    wrong = "is not there"
    if path.is_file():
        wrong = 'does not hold {"username": "...", "key": "..."}'
        try:
            found = json.loads(path.read_text())
            user, key = found["username"], found["key"]
        except (ValueError, KeyError, TypeError):
            user = key = None
        if isinstance(user, str) and isinstance(key, str) and user and key:
            return user, key
    raise DownloadError(
        "Kaggle needs credentials: KAGGLE_USERNAME and KAGGLE_KEY are not both set, and "
        f"{path} {wrong}. Make a key under Settings, API on kaggle.com and set both."
    )


def kaggle_dataset_file(
    dataset: str,
    name: str,
    target: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    max_bytes: int = 1 << 30,
    base_url: str = KAGGLE_API,
    session: requests.Session | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    r"""Download one text file of a Kaggle data set.

    Kaggle sends a file as it is or zipped, and sets exist with either kind of line end, so size
    and hash are those of the unzipped file with ``\r\n`` read as ``\n``.

    Parameters
    ----------
    dataset
        ``owner/slug``.
    name
        Name of the file in the set.
    target
        Where it goes. If it is there and right, it is returned with no request.
    size, sha256
        Length in bytes and hash of the file, line ends as above.
    max_bytes
        Bytes that a zipped file may unpack to.
    base_url
        Address of the API.
    session, sleep
        As for `fetch`.

    Raises
    ------
    DownloadError
        As `fetch` and `kaggle_credentials`.
    ArchiveError
        If Kaggle sent a zip file that doesn't hold exactly that file.
    """
    if target.is_file() and (size or sha256) and not _text_fault(target, size, sha256):
        return target
    url = f"{base_url.rstrip('/')}/datasets/download/{dataset}/{name}"
    sent = fetch(
        url,
        target.with_name(target.name + ".sent"),
        auth=kaggle_credentials(),
        session=session,
        sleep=sleep,
    )
    folder = target.with_name(target.name + ".unpacked")
    shutil.rmtree(folder, ignore_errors=True)  # left by a run that was killed
    try:
        file = sent
        if _starts_with(sent, b"PK\x03\x04"):
            unpack(sent, folder, max_bytes=max_bytes, max_files=1)
            file = folder / name
            if not file.is_file():
                raise ArchiveError(f"{safe_url(url)}: the zip file does not hold {name}")
        if wrong := _text_fault(file, size, sha256):
            raise DownloadError(
                f"{safe_url(url)}: the file {wrong}. It was removed; either it was damaged on the "
                "way (try again) or its publisher changed it (check, then update the expected "
                "size and hash)."
            )
        file.replace(target)
        _sync_folder(target.parent)
    finally:
        sent.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _text_fault(path: Path, size: int | None, sha256: str | None) -> str:
    r"""What is wrong with a text file's length or hash, ``\r\n`` read as ``\n``; "" if nothing."""
    digest, length, held = hashlib.sha256(), 0, b""
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            data = held + data
            held = b"\r" if data.endswith(b"\r") else b""  # its \n may come with the next chunk
            data = data[: len(data) - len(held)].replace(b"\r\n", b"\n")
            digest.update(data)
            length += len(data)
    digest.update(held)
    length += len(held)
    if size is not None and length != size:
        return f"has {length} bytes, expected {size}"
    if sha256 is not None and f"sha256:{digest.hexdigest()}" not in _hashes(sha256, None):
        return f"has sha256 {digest.hexdigest()}, expected {sha256.lower()}"
    return ""
