"""`bench data get` against a server of our own: whole, broken off, altered, slow, hostile."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.datasets import download, trees
from benchmark.datasets.download import get

FILES = {
    "data/test_frames_keypoints.csv": b"x,y\n1,2\n" * 300,
    "data/training/A_00.jpg": bytes(range(256)) * 700,
    "data/test/A_00.jpg": b"another frame " * 9000,
}


def archive_of(files: dict[str, bytes], top: str = "P1-6e55adc/") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(top + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def registry(bench_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """bench knows of three small files instead of 4,234; returns where they are to go."""
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()}
    short = {path: digest[:32] for path, digest in hashes.items()}
    monkeypatch.setattr(download, "published", lambda _: short)
    known = {"ytf68": {"as-published": trees.tree_digest(hashes)}}
    monkeypatch.setattr(download, "TREES", known)
    monkeypatch.setattr("time.sleep", lambda _: None)  # pooch waits between its attempts
    return bench_home / "data" / "ytf68"


Answer = Callable[[BaseHTTPRequestHandler, int], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            requests = 0

            def do_GET(self) -> None:
                Handler.requests += 1
                answer(self, Handler.requests)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/archive.tar.gz"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, content: bytes, announced: int | None = None) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(announced or len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def nothing_left(target: Path) -> bool:
    return {p.name for p in target.parent.iterdir()} <= {".ytf68.lock"}


def test_a_download_puts_the_published_files_there_and_nothing_else(
    registry: Path, serve: Callable[[Answer], str]
) -> None:
    content = archive_of({**FILES, "README.md": b"not asked for", "data/test/B.jpg": b"nor this"})
    told: list[tuple[int, int]] = []
    url = serve(lambda handler, _: send(handler, content))
    assert get("ytf68", url=url, progress=lambda *p: told.append(p)) == registry
    found = {str(p.relative_to(registry)): p for p in registry.rglob("*") if p.is_file()}
    assert {name: path.read_bytes() for name, path in found.items()} == FILES
    assert told[-1] == (len(content), len(content))
    assert all(done <= total for done, total in told)
    assert {p.name for p in registry.parent.iterdir()} == {"ytf68", ".ytf68.lock"}


def test_the_address_can_come_from_the_environment(
    registry: Path, serve: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve(lambda handler, _: send(handler, archive_of(FILES)))
    monkeypatch.setenv("BENCH_YTF68_URL", url)
    assert get("ytf68") == registry


def test_data_that_is_there_is_not_fetched_again(registry: Path) -> None:
    registry.mkdir(parents=True)
    (registry / "something").touch()
    assert get("ytf68", url="http://127.0.0.1:9/never-asked") == registry


def test_a_connection_broken_off_twice_succeeds_the_third_time(
    registry: Path, serve: Callable[[Answer], str]
) -> None:
    content = archive_of(FILES)
    asked = []

    def answer(handler: BaseHTTPRequestHandler, count: int) -> None:
        asked.append(count)
        send(handler, content if count == 3 else content[: len(content) // 2], len(content))

    assert get("ytf68", url=serve(answer)) == registry
    assert asked == [1, 2, 3]


def test_a_connection_always_broken_off_is_a_clear_error_and_leaves_nothing(
    registry: Path, serve: Callable[[Answer], str]
) -> None:
    content = archive_of(FILES)
    url = serve(lambda handler, _: send(handler, content[:1000], len(content)))
    with pytest.raises(DataMissing, match=r"could not be fetched from .* in 3 attempts") as caught:
        get("ytf68", url=url)
    assert str(registry) in caught.value.cure
    assert nothing_left(registry)


def test_a_server_that_falls_silent_is_given_up(
    registry: Path, serve: Callable[[Answer], str]
) -> None:
    content = archive_of(FILES)
    over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler, _: int) -> None:
        send(handler, content[:1000], len(content))
        handler.wfile.flush()
        over.wait(20)

    begin = time.monotonic()
    with pytest.raises(DataMissing, match="timed out"):
        get("ytf68", url=serve(answer), timeout=0.2)
    over.set()
    assert time.monotonic() - begin < 10
    assert nothing_left(registry)


def test_an_address_that_is_not_found_is_a_clear_error(
    registry: Path, serve: Callable[[Answer], str]
) -> None:
    with pytest.raises(DataMissing, match="404"):
        get("ytf68", url=serve(lambda handler, _: handler.send_error(404)))
    assert nothing_left(registry)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({**FILES, "data/test/A_00.jpg": b"altered"}, r"data/test/A_00\.jpg has sha256"),
        (dict(list(FILES.items())[:2]), r"lacks data/test/A_00\.jpg \(1 of 3 files\)"),
        ({}, r"lacks data/test/A_00\.jpg \(3 of 3 files\)"),
    ],
)
def test_other_content_than_published_is_refused(
    registry: Path, serve: Callable[[Answer], str], files: dict[str, bytes], message: str
) -> None:
    url = serve(lambda handler, _: send(handler, archive_of(files)))
    with pytest.raises(DataAltered, match=message):
        get("ytf68", url=url)
    assert nothing_left(registry)


@pytest.mark.parametrize("damage", [lambda a: b"<html>", lambda a: a[:-2000], lambda a: b""])
def test_a_damaged_archive_is_refused(
    registry: Path, serve: Callable[[Answer], str], damage: Callable[[bytes], bytes]
) -> None:
    content = damage(archive_of(FILES))
    with pytest.raises(DataAltered, match="archive is damaged"):
        get("ytf68", url=serve(lambda handler, _: send(handler, content)))
    assert nothing_left(registry)


def test_names_that_climb_out_and_links_are_never_followed(
    registry: Path, serve: Callable[[Answer], str], tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in ("top/../../../escaped", "/escaped", str(tmp_path / "escaped")):
            member = tarfile.TarInfo(name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"evil"))
        link = tarfile.TarInfo("top/data/test/A_00.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
        for name, content in FILES.items():
            member = tarfile.TarInfo("top/" + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    get("ytf68", url=serve(lambda handler, _: send(handler, buffer.getvalue())))
    assert {str(p.relative_to(registry)) for p in registry.rglob("*") if p.is_file()} == set(FILES)
    assert not [p for p in registry.rglob("*") if p.is_symlink()]
    assert not list(tmp_path.rglob("escaped"))


def test_sets_whose_terms_forbid_it_are_not_downloaded(bench_home: Path) -> None:
    with pytest.raises(DataMissing) as caught:
        get("celeba", url="http://127.0.0.1:9/never-asked")
    assert "non-commercial" in caught.value.cure
    assert "Img/img_align_celeba" in caught.value.cure
