"""A launcher: one process after the other."""

import subprocess

from benchmark.contracts.launch import Ended, Launcher


class InTurn(Launcher):
    def submit(self, jobs):
        self.waiting = [*getattr(self, "waiting", []), *jobs]

    def poll(self):
        if not self.waiting:
            return []
        job = self.waiting.pop(0)
        log = self.folder / f"{len(self.waiting)}.log"
        with log.open("wb") as errors:
            done = subprocess.run(job.command(), stdout=subprocess.PIPE, stderr=errors)
        return [Ended(job, done.returncode, done.stdout.decode(), log)]

    def cancel(self, job):
        self.waiting.remove(job)
