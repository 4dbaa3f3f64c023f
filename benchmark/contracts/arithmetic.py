"""What torch computes with: the same in bench, in the processes of a fit, and in a method's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def arithmetic() -> Iterator[None]:
    """`set_arithmetic` for a while: afterwards numbers below the smallest normal one are as before.

    Threads that were started meanwhile keep what they have, and products of float32 stay exact.
    """
    import torch

    before = smallest_are_zero()
    set_arithmetic()
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def smallest_are_zero() -> bool:
    """Whether this thread's numbers below the smallest normal one are zero."""
    import torch

    return float(torch.tensor(1e-30) * 1e-10) == 0


def set_arithmetic() -> None:
    """Keep a GPU's float32 products exact, and a CPU out of numbers that are too small to matter.

    TF32 would round a GPU's products to 10 bits under the same run id. torch has two interfaces to
    it, and the newer one wins where code of a method has used that.

    Below the smallest normal number (1.2e-38 of float32) many CPUs compute ten to a hundred times
    slower, and what a softmax or a Gaussian leaves far from its peak is mostly there: such numbers are
    zero. A thread has that from the one that starts it, so this comes before torch starts its own.

    Example: afterwards `torch.backends.cuda.matmul.allow_tf32` is False, and
    `torch.tensor(1e-30) * 1e-10` is 0.
    """
    import torch

    torch.set_flush_denormal(True)
    backends = torch.backends
    backends.cudnn.allow_tf32 = backends.cuda.matmul.allow_tf32 = False
    inner: list[Any] = [getattr(backends.cudnn, name, None) for name in ("conv", "rnn")]
    for part in (backends, backends.cudnn, *inner, backends.cuda.matmul):
        if hasattr(part, "fp32_precision"):
            setattr(part, "fp32_precision", "ieee")  # noqa: B010 - not all versions of torch have it
