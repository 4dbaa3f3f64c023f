"""A launcher: one process after the other."""

import subprocess

from benchmark.contracts.launch import Ended, Launcher


class InTurn(Launcher):
    def launch(self, jobs):
        for number, job in enumerate(jobs):
            log = self.folder / f"{number}.log"
            with log.open("wb") as errors:
                done = subprocess.run(job.command(), stdout=subprocess.PIPE, stderr=errors)
            yield Ended(job, done.returncode, done.stdout.decode(), log)
