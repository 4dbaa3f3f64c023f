"""Products of float32 matrices are float32 products, in bench and in a method's own process."""

from __future__ import annotations

from typing import Any


def exact_products() -> None:
    """Keep a GPU's float32 products exact: TF32 would round them to 10 bits under the same run id.

    torch has two interfaces to it, and the newer one wins where code of a method has used that.

    Example: afterwards `torch.backends.cuda.matmul.allow_tf32` is False.
    """
    import torch

    backends = torch.backends
    backends.cudnn.allow_tf32 = backends.cuda.matmul.allow_tf32 = False
    inner: list[Any] = [getattr(backends.cudnn, name, None) for name in ("conv", "rnn")]
    for part in (backends, backends.cudnn, *inner, backends.cuda.matmul):
        if hasattr(part, "fp32_precision"):
            setattr(part, "fp32_precision", "ieee")  # noqa: B010 - not all versions of torch have it
