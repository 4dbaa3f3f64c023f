"""How two processes call each other: one message at a time, written to a file, announced on a pipe.

While a side waits for what it asked, it answers what the other asks in between, so that a fit may ask
for a checkpoint and a milestone may ask for the model. Messages hold plain values and tensors and are
read with `weights_only`: nothing is unpickled.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.contracts.errors import BenchError


class Gone(Exception):
    """The other process has ended."""


class Raised(Exception):
    """What a call raised in the other process: the class's name, message, cure and traceback."""

    def __init__(self, kind: str, message: str, cure: str, trace: str) -> None:
        super().__init__(message)
        self.kind, self.message, self.cure, self.trace = kind, message, cure, trace


class Wire:
    """One side. `answer(name, *arguments)` does what the other side asks for."""

    def __init__(
        self, pipe: Connection, folder: Path, mine: str, theirs: str, answer: Callable[..., Any]
    ) -> None:
        self.pipe, self.answer = pipe, answer
        self.outgoing, self.incoming = folder / mine, folder / theirs

    def call(self, name: str, *arguments: Any) -> Any:
        """What the other side gives back; raises `Raised` or `Gone`."""
        self._send("call", name, arguments)
        while True:
            kind, *content = self._receive()
            if kind == "return":
                return content[0]
            if kind == "raise":
                raise Raised(*content)
            name, arguments = content
            self._send("return", self.answer(name, *arguments))

    def serve(self) -> None:
        """Answer until the other side has ended; what goes wrong is told to it."""
        while True:
            _, name, arguments = self._receive()
            try:
                self._send("return", self.answer(name, *arguments))
            except Gone:
                raise
            except BaseException as error:
                self._send("raise", *described(error))

    def _send(self, *message: Any) -> None:
        torch.save(plain(message), self.outgoing)
        try:
            self.pipe.send_bytes(b"+")
        except (BrokenPipeError, ConnectionResetError):
            raise Gone from None

    def _receive(self) -> Any:
        try:
            self.pipe.recv_bytes()
        except (EOFError, ConnectionResetError):
            raise Gone from None
        message = torch.load(self.incoming, map_location="cpu", weights_only=True)
        self.incoming.unlink()
        return message


def described(error: BaseException) -> tuple[str, str, str, str]:
    """An error in words: its class, message, cure and traceback."""
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, BenchError):
        return type(error).__name__, error.message, error.cure, trace
    return type(error).__name__, f"{type(error).__name__}: {error}", "", trace


def plain(value: Any) -> Any:
    """A value as a message may hold it; tensors come to the host without what they are a view of."""
    if isinstance(value, torch.Tensor):
        tensor = value.detach().cpu()
        whole = tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
        return tensor if whole else tensor.clone()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value).copy())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, tuple | list):
        return (
            type(value)(plain(v) for v in value)
            if type(value) in (tuple, list)
            else [*map(plain, value)]
        )
    return str(value) if isinstance(value, Path) else value
