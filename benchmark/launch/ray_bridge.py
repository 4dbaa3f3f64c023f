"""The process that speaks with a Ray cluster for a launch: orders come in as lines, events go out.

Ray ends a process whose cluster goes away, so this is never the one that people have started. Each line
is a JSON object. In: `{"order": KEY, …}` and `{"cancel": KEY}`. Out: the key beside what
`benchmark.launch.on_node.execute` tells, `{"kind": "lost"}` where worker or node died, and once
`{"kind": "ready"}`.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from queue import Empty, Queue
from typing import Any, TextIO

EVERY_SECONDS = 0.2


def main() -> None:
    """Connect, do what the lines say until they end."""
    # whatever Ray prints goes to standard error; lines of ours alone go out
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    import ray

    address, resources = sys.argv[1], json.loads(sys.argv[2])
    ray.init(address=address, log_to_driver=False, configure_logging=False)
    _tell(out, {"kind": "ready"})
    orders: Queue[dict[str, Any] | None] = Queue()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    Bridge(ray, out, orders, resources).work()


def _read(orders: Queue[dict[str, Any] | None]) -> None:
    for line in sys.stdin:
        orders.put(json.loads(line))
    orders.put(None)


def _tell(out: TextIO, content: dict[str, Any]) -> None:
    out.write(json.dumps(content) + "\n")


class Bridge:
    """Tasks of a cluster by key; each is a stream of what it tells."""

    def __init__(
        self,
        ray: Any,
        out: TextIO,
        orders: Queue[dict[str, Any] | None],
        resources: dict[str, float],
    ) -> None:
        self.ray, self.out, self.orders, self.resources = ray, out, orders, resources
        self.streams: dict[str, Any] = {}

        def task(order: dict[str, Any]) -> Any:
            from benchmark.launch.on_node import Order, execute

            yield from execute(Order(**order))

        # a lost run is submitted again by whoever launched it, who counts how often
        self.task = ray.remote(task)
        self.usual = {"num_returns": "streaming", "max_retries": 0}

    def work(self) -> None:
        """Until the lines end."""
        while True:
            try:
                order = self.orders.get(timeout=0 if self._listen() else EVERY_SECONDS)
            except Empty:
                continue
            if order is None:
                return
            self._take(order)

    def _take(self, order: dict[str, Any]) -> None:
        if "cancel" in order:
            if (stream := self.streams.pop(order["cancel"], None)) is not None:
                self.ray.cancel(stream, force=True)
            return
        key, memory = order.pop("order"), order.pop("memory")
        asked = self.usual | self.resources | ({"memory": memory} if memory else {})
        self.streams[key] = self.task.options(**asked).remote(order)

    def _listen(self) -> bool:
        """Pass on what tasks have told; whether there was anything."""
        streams = list(self.streams.values())
        if not streams:
            return False
        ready, _ = self.ray.wait(streams, num_returns=len(streams), timeout=0, fetch_local=False)
        for key in [key for key, stream in self.streams.items() if stream in ready]:
            self._pass_on(key)
        return bool(ready)

    def _pass_on(self, key: str) -> None:
        try:
            told = self.ray.get(next(self.streams[key]))
        except (StopIteration, self.ray.exceptions.RayError) as error:
            self.streams.pop(key)
            # an error of its own code would come again, a lost worker need not
            lost = isinstance(error, StopIteration) or not isinstance(
                error, self.ray.exceptions.RayTaskError
            )
            kind = "lost" if lost else "failed"
            _tell(self.out, {"key": key, "kind": kind, "why": str(error)[:2000]})
            return
        if told["kind"] == "ended":
            self.streams.pop(key)
        _tell(self.out, {"key": key, **{name: _plain(value) for name, value in told.items()}})


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return value


if __name__ == "__main__":
    main()
