"""`bench data get`: fetch what may be fetched, check every file, and put it there whole."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
import zlib
from pathlib import Path

import pooch
from requests.exceptions import RequestException

from benchmark.contracts.dataset import DatasetSpec
from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.datasets.places import locate, missing, spec_of
from benchmark.datasets.prepared import Progress
from benchmark.datasets.trees import TREES, published, tree_digest
from benchmark.files import made_once, naming_a_full_disk, whole_folder
from benchmark.home import home

# One archive rather than 4,234 requests; every file in it is checked on its own.
ARCHIVES = {
    "ytf68": "https://codeload.github.com/udacity/P1_Facial_Keypoints/tar.gz/"
    "6e55adc6bd032d9fb1ad41a4c3e68aae847cdf81"
}
ATTEMPTS = 3
LARGEST = 32 * 2**20  # bytes; no published file comes near


def get(
    dataset_id: str,
    *,
    url: str = "",
    timeout: float = 60.0,
    progress: Progress | None = None,
) -> Path:
    """The folder of a data set, downloaded to `$BENCH_HOME/data` if it is nowhere yet.

    `url` (or `$BENCH_YTF68_URL` for ytf68) names another place of the same tar.gz; `timeout` is how
    many seconds the server may be silent; `progress(bytes, total)` is told, with total 0 where the
    server does not say. Raises DataMissing when the set can't be fetched by a program or the network
    fails, DataAltered when what came is not what was published. Then nothing is left behind.
    """
    spec = spec_of(dataset_id)
    url = (
        url or os.environ.get(f"BENCH_{dataset_id.upper()}_URL", "") or ARCHIVES.get(dataset_id, "")
    )
    target = home() / "data" / (spec.folder or dataset_id)
    found = locate(dataset_id)
    if found is not None:
        return found
    if not spec.downloadable or not url:
        raise missing(spec)

    def fetch() -> None:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            archive = _fetch(spec, url, Path(folder), timeout, progress)
            with whole_folder(target) as temporary:
                unpack(dataset_id, archive, temporary)

    made_once(target, fetch, lambda: locate(dataset_id) is not None)
    return locate(dataset_id) or target


class _ProgressBar:
    """What pooch takes for a progress bar; it counts in chunks, so the last one is cut."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.total = 0
        self.done = 0

    def update(self, count: int) -> None:
        self.done += count
        if self.total:
            self.done = min(self.done, self.total)
        self.progress(self.done, self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass


def _fetch(
    spec: DatasetSpec, url: str, folder: Path, timeout: float, progress: Progress | None
) -> Path:
    pooch.get_logger().setLevel("WARNING")
    name = f"{spec.id}.tar.gz"
    source = pooch.create(
        folder, base_url="", registry={name: None}, urls={name: url}, retry_if_failed=ATTEMPTS - 1
    )
    bar = _ProgressBar(progress) if progress else False
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**16, timeout=timeout)
    try:
        with naming_a_full_disk(folder):
            return Path(source.fetch(name, downloader=downloader))
    except (RequestException, ValueError) as error:
        raise DataMissing(
            f"{spec.id!r} could not be fetched from {url} in {ATTEMPTS} attempts: {error}",
            cure="look at the network and run the same command again; or put the files into "
            f"{home() / 'data' / spec.id} by hand. {spec.obtain} From: {spec.homepage}",
        ) from None


def unpack(dataset_id: str, archive: Path, target: Path) -> None:
    """Take from the archive the files that were published, each checked, and nothing else.

    Names in the archive are only compared, never used as paths: what is written goes to the paths of
    the list that bench carries. Raises DataAltered when a file is absent or differs.
    """
    cure = "run the command again; if this stays, the source has changed: verify it by hand"
    stated = published(dataset_id)
    hashes: dict[str, str] = {}
    for path in {str(Path(path).parent) for path in stated}:
        (target / path).mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                path = member.name.partition("/")[2]  # without the archive's own top folder
                if path not in stated or not member.isreg() or member.size > LARGEST:
                    continue
                file = tar.extractfile(member)
                assert file is not None  # a regular file
                content = file.read()
                hashes[path] = hashlib.sha256(content).hexdigest()
                if hashes[path][:32] != stated[path]:
                    raise DataAltered(
                        f"the download's {path} has sha256 {hashes[path][:12]}…, published was "
                        f"{stated[path][:12]}…; nothing was kept",
                        cure=cure,
                    )
                (target / path).write_bytes(content)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk, not the archive
        raise DataAltered(f"the downloaded archive is damaged ({error})", cure=cure) from None
    absent = sorted(set(stated) - set(hashes))
    if absent:
        raise DataAltered(
            f"the download lacks {absent[0]} ({len(absent):,} of {len(stated):,} files)", cure=cure
        )
    if tree_digest(hashes) != TREES[dataset_id]["as-published"]:
        raise DataAltered("the download's files do not add up to the published tree", cure=cure)
