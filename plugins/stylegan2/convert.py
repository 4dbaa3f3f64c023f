"""From a pickle of the official release to a file of weights that `stylegan2-file` reads.

Run it on your own machine, beside a checkout of NVlabs/stylegan2-ada-pytorch: unpickling executes what
the file says, which bench never does. Its weights keep their names and numbers.

    python convert.py --repository stylegan2-ada-pytorch ffhq.pkl ffhq.safetensors

prints the settings of the network and the command that measures it.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from safetensors.torch import save_file


def main() -> None:
    """Read, write, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("pickle", type=Path)
    parser.add_argument("weights", type=Path)
    given = parser.parse_args()
    sys.path.insert(0, str(given.repository))
    import legacy  # type: ignore[import-not-found]

    with given.pickle.open("rb") as file:
        network = legacy.load_network_pkl(file)["G_ema"]
    if network.c_dim:
        sys.exit(f"{given.pickle} generates by class, which stylegan2-file does not")
    state = {k: v for k, v in network.state_dict().items() if not k.endswith("resample_filter")}
    save_file({k: v.float().contiguous() for k, v in state.items()}, given.weights)
    size = network.img_resolution
    settings = {
        "file": given.weights.name,
        "sha256": hashlib.sha256(given.weights.read_bytes()).hexdigest(),
        "size": size,
        "z": network.z_dim,
        "w": network.w_dim,
        "mapping": network.mapping.num_layers,
        "base": state[f"synthesis.b{size}.conv1.weight"].shape[0] * size,
        "most": state["synthesis.b4.const"].shape[0],
    }
    print(f"put {given.weights.name} where weights lie ($BENCH_HOME/weights), then")
    words = " ".join(f"--set {key}={value}" for key, value in settings.items())
    print(f"bench run --method stylegan2-file --protocol ffhq256_ada {words}")


if __name__ == "__main__":
    main()
