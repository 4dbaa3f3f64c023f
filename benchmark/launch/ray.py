"""Runs as tasks of a Ray cluster (`pip install structbench[ray]`), whether its nodes share a home or
not.

Of a cluster that goes away and comes back, its head too, the runs that were under way are given to it
again; each goes on from its last checkpoint where its node's home has it.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

from benchmark.contracts.errors import BenchError
from benchmark.contracts.launch import Begun, Ended, Job, Launcher
from benchmark.launch.on_node import TOKEN, Home
from benchmark.launch.said import last_json
from benchmark.settings import SettingsInvalid
from benchmark.verification.edits import import_record

LOST, REFUSED = -9, 1
SECONDS_TO_CONNECT = 120.0
PATIENCE = 600.0
"""Seconds for which a cluster that is gone may come back."""

STAYS = (
    "its record stays on its node, which has a home of its own: what is scored on validation images or "
    "under a draft stands on no board, and is not brought home"
)

GONE_AFTER = "10"
"""Seconds after which Ray gives up a head that doesn't answer."""


class Ray(Launcher):
    """A process of its own speaks with the cluster (`benchmark.launch.ray_bridge`): it ends with it."""

    options = {  # noqa: RUF012
        "address": "of the cluster (default: auto, the one that this machine belongs to)",
        "cpus": "cores of each run (default 1)",
        "gpus": "GPUs of each run (default 0)",
        "home": "shared: all nodes see $BENCH_HOME; own: each has one; auto (default): each is asked",
        "patience": f"seconds for which a cluster that is gone may come back (default {PATIENCE:.0f})",
    }

    def __init__(self, options: Mapping[str, str], folder: Path) -> None:
        super().__init__(options, folder)
        if find_spec("ray") is None:
            raise BenchError(
                "the launcher ray needs Ray, which is not installed",
                cure="pip install 'structbench[ray]'",
            )
        self.home = options.get("home", "auto")
        if self.home not in get_args(Home):
            raise SettingsInvalid(f"home={self.home!r} is none of {', '.join(get_args(Home))}")
        self.address = options.get("address", "auto")
        self.resources = {
            "num_cpus": _number("cpus", options.get("cpus", "1")),
            "num_gpus": _number("gpus", options.get("gpus", "0")),
        }
        self.patience = _number("patience", options.get("patience", str(PATIENCE)))
        self.token = secrets.token_hex(8)
        (folder / TOKEN).write_text(self.token, "ascii")
        self.jobs: dict[str, Job] = {}
        self.count = 0
        self.gone_since: float | None = None
        self.bridge = self._connected()
        if not self.bridge.wait_until_ready(SECONDS_TO_CONNECT):
            said = self.bridge.last_words()
            self.bridge.close()
            raise BenchError(
                f"there is no Ray cluster at {self.address}: {said}",
                cure="`ray start --head` begins one; --launcher-option address=HOST:6379 names another",
            )

    def submit(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            key = str(self.count)
            self.count += 1
            self.jobs[key] = job
            self._order(key)

    def poll(self) -> list[Begun | Ended]:
        events: list[Begun | Ended] = []
        for told in self.bridge.told():
            # that it is connected is no sign of life: it may end over the first order
            if told["kind"] != "ready" and told["key"] in self.jobs:
                self.gone_since = None
                events += self._event(told["key"], told)
        if not self.bridge.alive:
            self._connect_again()
        return events

    def cancel(self, job: Job) -> None:
        for key in [key for key, other in self.jobs.items() if other == job]:
            del self.jobs[key]
            self.bridge.send({"cancel": key})

    def close(self) -> None:
        """Ray ends the tasks of a bridge that is gone, and the runs end with their tasks."""
        self.bridge.close()

    def _log(self, key: str) -> Path:
        return self.folder / f"{key}.log"

    def _order(self, key: str) -> None:
        job = self.jobs[key]
        order = {
            "order": key,
            "memory": job.memory,
            "words": list(job.words),
            "folder": str(self.folder),
            "token": self.token,
            "variables": {
                name: value
                for name, value in os.environ.items()
                if name.startswith("BENCH_") or name == "OMP_NUM_THREADS"
            },
            "home": self.home,
        }
        self.bridge.send(order)

    def _event(self, key: str, told: Mapping[str, Any]) -> list[Begun | Ended]:
        job, log = self.jobs[key], self._log(key)
        if told["kind"] == "begun":
            return [Begun(job, told["where"], log)]
        if told["kind"] == "said":
            with log.open("ab") as file:
                file.write(base64.b64decode(told["text"]))
            return []
        del self.jobs[key]
        if told["kind"] == "ended":
            return [self._ended(job, log, told)]
        with log.open("a", encoding="utf-8") as file:
            file.write(f"\nerror: {told['why']}\n")
        return [Ended(job, LOST if told["kind"] == "lost" else REFUSED, "", log)]

    def _ended(self, job: Job, log: Path, told: Mapping[str, Any]) -> Ended:
        about = last_json(told["output"]) or {}
        if not told["files"]:
            code = told["code"]
            if code == 0 and not Path(about.get("record", os.devnull)).exists():
                with log.open("a", encoding="utf-8") as file:
                    file.write(f"\nerror: {STAYS}\n")
                code = REFUSED
            return Ended(job, code, told["output"], log)
        folder = log.with_suffix("")
        folder.mkdir(exist_ok=True)
        for name, content in told["files"].items():
            (folder / Path(name).name).write_bytes(base64.b64decode(content))
        try:
            imported = [import_record(path) for path in sorted(folder.glob("*.json"))]
        except BenchError as error:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"\nerror: {error.sentence}\n")
            return Ended(job, error.exit_code, "", log)
        here = about | {
            "record": str(imported[0].path),
            "page": "",
        }  # its page stays where it was made
        return Ended(job, told["code"], json.dumps(here), log, brought=True)

    def _connected(self) -> Bridge:
        return Bridge(self.address, self.resources, self.folder / "ray.log")

    def _connect_again(self) -> None:
        """Where the cluster is gone: ask for it again, and give it what it had been given."""
        now = time.monotonic()
        if self.gone_since is None:
            self.gone_since = now
            self.say("the Ray cluster is gone; its runs go on when it is back")
        if now - self.gone_since > self.patience:
            raise BenchError(
                f"the Ray cluster at {self.address} has been gone for {self.patience:.0f} seconds: "
                f"{self.bridge.last_words()}",
                cure="start it, and give the same command again: it goes on",
            )
        self.bridge.close()
        time.sleep(1)
        self.bridge = self._connected()
        for key in self.jobs:
            self._order(key)


class Bridge:
    """The process that speaks with the cluster, and the lines to and from it."""

    def __init__(self, address: str, resources: Mapping[str, float], log: Path) -> None:
        self.log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "benchmark.launch.ray_bridge",
                    address,
                    json.dumps(resources),
                ],
                env={"RAY_gcs_rpc_server_reconnect_timeout_s": GONE_AFTER, **os.environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.ahead: list[dict[str, Any]] = []

    @property
    def alive(self) -> bool:
        """Whether it runs, or has left something that was not read yet."""
        return self.process.poll() is None or self.reader.is_alive() or not self.lines.empty()

    def wait_until_ready(self, seconds: float) -> bool:
        """Whether it is connected before it ends or the seconds are over."""
        end = time.monotonic() + seconds
        while self.alive and time.monotonic() < end:
            self.ahead += self.told()
            if self.ahead:
                return True
            time.sleep(0.1)
        return False

    def told(self) -> list[dict[str, Any]]:
        """What has come since it was last asked."""
        found, self.ahead = self.ahead, []
        while not self.lines.empty():
            found.append(json.loads(self.lines.get()))
        return found

    def send(self, content: Mapping[str, Any]) -> None:
        """An order; into a bridge that has ended it goes nowhere."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(content) + "\n")
            self.process.stdin.flush()
        except OSError:
            pass

    def last_words(self) -> str:
        """The last line that it has left in its log."""
        lines = self.log.read_text("utf-8", "replace").split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "no answer")

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        self.reader.join(timeout=10)
        for stream in (self.process.stdin, self.process.stdout):
            try:
                if stream:
                    stream.close()
            except OSError:  # what could not be sent any more
                pass

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)


def _number(name: str, text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e9:
        raise SettingsInvalid(f"{name}={text!r} is not a number, 0 or more")
    return found
