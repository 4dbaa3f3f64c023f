"""Fixtures for all tests, those of plugins too; in CI, property tests draw the same examples always."""

import os
import signal

from hypothesis import settings

pytest_plugins = ["tests_fixtures", "tests_own_data"]

settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

# started in the background, tests are deaf to Ctrl-C, and so would be the programs that they start
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# tests in several processes are told the width of the terminal, and printed tables would be cut to it
os.environ.pop("COLUMNS", None)

# files of tests need not outlast a power cut, and waiting for the disk is a tenth of a small run; in
# which order files reach it is tested in tests/test_files.py
os.fsync = lambda fd: None
