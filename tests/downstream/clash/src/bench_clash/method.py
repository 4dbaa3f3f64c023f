"""K points that a fit pulls to where the images are bright: all that a fit may ask for is asked for."""

import os
import signal
import time

import tabulate
import torch

from benchmark.contracts import Landmarks, Method, MethodInfo, MethodSettings, TrainingFailed

assert tabulate.__version__ == "0.8.10", tabulate.__version__


class Clash(Method):
    gives = ("landmarks",)

    class Settings(MethodSettings):
        points: int = 4
        steps: int = 8

    @classmethod
    def info(cls, settings):
        return MethodInfo(
            gives=cls.gives, milestones=True, notes=f"tabulate {tabulate.__version__}"
        )

    def initialise(self, images, context):
        draw = torch.Generator().manual_seed(context.seed)
        self.at = torch.rand(self.settings.points, 2, generator=draw) * (images.size - 1)
        self.pull = torch.nn.Linear(2, 2)
        self.optimiser = torch.optim.Adam(self.pull.parameters())

    def fit(self, images, context):
        with context.shared("middle", {"of": "all pixels"}) as part:
            if not part.done:
                part.context.log({"images": len(images)})
                torch.save({"middle": _middle(images)}, part.folder / "middle.pt")
                part.finish()
            middle = torch.load(part.folder / "middle.pt", weights_only=True)["middle"]
        self.initialise(images, context)
        kept = context.checkpoints.load() or {"step": 0, "at": self.at}
        self.at = kept["at"]
        for step in range(kept["step"], self.settings.steps):
            _fault(step)
            self.pull(middle).sum().backward()
            self.optimiser.step()
            self.at = self.at + 0.1 * (middle - self.at)
            context.log({"step": step})
            context.progress("pull", step + 1, self.settings.steps, images_per_second=10.0)
            if step + 1 == 4:
                context.milestone(4 * len(images), self.save)
                context.sample("pull", 4 * len(images), torch.zeros(2, 3, 4, 4))
                context.checkpoints.save({"half": self.at}, "half way")
                assert torch.equal(context.checkpoints.load("half way")["half"], self.at)
            if context.checkpoints.due():
                inner = self.optimiser.state_dict()  # its keys are numbers
                context.checkpoints.save({"step": step + 1, "at": self.at, "optimiser": inner})
        print(tabulate.tabulate(self.at.tolist(), headers=["x", "y"]))

    def predict(self, images):
        light = images.mean((1, 2, 3))[:, None, None]
        return Landmarks(self.at.to(images.device) + light)

    def save(self, folder):
        torch.save({"at": self.at}, folder / "at.pt")

    def load(self, folder, device):
        self.at = torch.load(folder / "at.pt", weights_only=True)["at"]


def _middle(images):
    light = images.tensor(margin=False).double().mean((0, 1))
    at = torch.arange(images.size, dtype=torch.float64)
    return torch.stack([light.sum(0) @ at, light.sum(1) @ at]).div(light.sum()).float()


def _fault(step):
    """Go wrong at the step, in the way, that the environment names ("5 die"), for tests."""
    at, what = os.environ.get("CLASH_FAULT", "-1 none").split()
    if step != int(at):
        return
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "raise":
        raise ValueError("a fault of the method")
    elif what == "name":
        raise TrainingFailed("a loss that is not finite", cure="a lower learning rate")
    elif what in ("KILL", "INT"):
        os.kill(os.getppid(), getattr(signal, f"SIG{what}"))
    time.sleep(60)
