"""Everything that goes wrong has its own exit code, one error with its cure, and no traceback."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import filelock
import pytest
from tests_fixtures import Call, Said
from tests_support import install_fake

from benchmark.cli import cli, main
from benchmark.cli.output import as_json
from benchmark.contracts.errors import BenchError, UnknownName
from benchmark.home import home, leaderboards
from benchmark.interface.progress import Silent
from benchmark.registry.plugins import plugins
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request


def refused(said: Said, code: int, *words: str) -> None:
    """One error and no traceback; nothing on standard output."""
    assert said.code == code, said.err
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("error: ") == 1
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err


@pytest.mark.parametrize(
    "words, close",
    [
        (["rum"], "did you mean 'run'"),
        (["run", "-m", "gird", "-p", "small_faces", "--twin"], "did you mean 'grid'"),
        (["run", "-m", "grid", "-p", "small_face", "--twin"], "did you mean 'small_faces'"),
        (["run", "-m", "grid", "-p", "small_faces@7", "--twin"], "'small_faces@1'"),
        (["run", "-m", "grid", "-p", "small_faces", "--twin", "--preset", "nime"], "'nine'"),
        (["show", "method", "gird"], "did you mean 'grid'"),
        (["show", "protocol", "smal_faces"], "did you mean 'small_faces'"),
        (["show", "run", "abc"], "no finished run 'abc'"),
        (["board", "smal_faces"], "did you mean 'small_faces'"),
        (["data", "get", "ytf86"], "did you mean 'ytf68'"),
    ],
)
def test_an_unknown_name_suggests_close_ones(bench: Call, words: list, close: str) -> None:
    refused(bench(*words), 2, "there is no", close)


@pytest.mark.parametrize(
    "words, said",
    [
        (["run", "-m", "grid"], "`bench ls protocols` lists them"),
        (["run", "-p", "small_faces"], "`bench ls methods` lists them"),
        (["run", "-m", "grid", "-p", "small_faces", "--sede", "1"], "no such option"),
        (["doctor", "--sede"], "  cure: `bench doctor --help` says what it takes"),
        (["run", "-m", "grid", "-p", "small_faces", "--seed", "one"], "write 0,1,2 or 0-2"),
        (["run", "-m", "grid", "-p", "small_faces", "--seed", "2-0"], "write 0,1,2 or 0-2"),
        (["run", "-m", "grid", "-p", "small_faces", "--seed", "0-9999999"], "write 0,1,2 or 0-2"),
        (["run", "-m", "grid", "-p", "small_faces", "--set", "points"], "is not key=value"),
        (["ls", "everything"], "is not one of"),
        (["completion", "csh"], "is not one of"),
    ],
)
def test_a_wrong_option_is_explained_with_the_usage(bench: Call, words: list, said: str) -> None:
    done = bench(*words)
    assert done.code == 2
    assert said in done.err
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "words, cure",
    [
        (["show", "board", "ytf5"], "cure: bench board ytf5"),
        (["show", "methods"], "cure: bench ls methods"),
        (["show", "run"], "name the run: `bench ls runs` lists them"),
    ],
)
def test_what_show_does_not_show_is_shown_elsewhere(bench: Call, words: list, cure: str) -> None:
    refused(bench(*words), 2, cure)


def test_a_long_list_of_names_says_what_shows_them_all() -> None:
    many = UnknownName("finished run", "x", [f"a{i}" for i in range(13)])
    assert many.cure.endswith("and 1 more; `bench ls runs` shows them all")


def test_without_a_command_there_is_help_and_no_error(bench: Call) -> None:
    done = bench()
    assert done.code == 2  # as click ends
    assert done.err.startswith("Usage: bench ")
    assert "cure" not in done.err


def test_a_wrong_setting_names_the_right_ones(run: Call) -> None:
    refused(run("grid", "--set", "pointz=4"), 2, "pointz", "its settings are: points")
    refused(run("grid", "--seed=-1"), 2, "must lie in 0")
    refused(run("grid", "--set", "points=inf"), 2, "points")
    refused(run("grid", "--device", "gpu"), 2, "none of auto, cpu, cuda")


def test_an_impossible_pair_says_why(run: Call) -> None:
    refused(run("noise"), 2, "scores descriptors or landmarks", "gives generator")


def test_nan_in_predictions(run: Call) -> None:
    said = run("broken-numbers", "--quiet")
    refused(said, 8, "BrokenNumbers.predict: Landmarks.points has NaN", "curves", "predict")


def test_absent_data(bench: Call) -> None:
    said = bench("run", "-m", "grid", "-p", "small_faces", "--device", "cpu")
    refused(said, 4, "bench data get ytf68", "--twin")


def test_altered_data(run: Call) -> None:
    assert run("grid", "--plan").code == 0
    prepared = home() / "prepared"
    rendered = prepared.resolve()
    prepared.unlink()
    shutil.copytree(rendered, prepared)
    for pixels in prepared.glob("twin-*/test/pixels.npy"):
        content = pixels.read_bytes()
        pixels.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    refused(run("grid", "--quiet"), 5, "pixels", "sha256")
    assert not leaderboards().exists()


def test_a_locked_run(run: Call) -> None:
    plan = make_plan(Request("grid", "small_faces", twin=True, device="cpu"), Silent())
    plan.folder.parent.mkdir(parents=True)
    with filelock.FileLock(f"{plan.folder}.lock"):
        refused(run("grid"), 6, plan.run_id, "wait for it")
    assert run("grid").code == 0


def test_a_record_of_a_newer_bench(bench: Call) -> None:
    record = leaderboards() / "twins" / "small_faces" / "1" / "grid" / "0123.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"record_schema": 99}))
    refused(bench("show", "run", "0123"), 7, str(record), "schema 99", "pip install --upgrade")
    said = bench("board", "small_faces", "--twin")
    assert said.code == 0
    assert "left out: 0123.json: has record schema 99" in said.out


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"record_schema": 1}'])
def test_a_file_that_is_no_record(bench: Call, text: str) -> None:
    record = leaderboards() / "twins" / "small_faces" / "1" / "grid" / "0123.json"
    record.parent.mkdir(parents=True)
    record.write_text(text)
    refused(bench("show", "run", "0123"), 12, str(record))
    said = bench("board", "small_faces", "--twin")
    assert said.code == 0
    assert "left out: 0123.json: " in said.out
    assert str(record.parent) not in said.out


def test_a_class_that_cannot_be_imported(bench: Call, run: Call) -> None:
    refused(run("missing-class"), 8, "tests_fake_methods:NotThere could not be imported")
    refused(bench("show", "method", "missing-class"), 8, "NotThere")


def test_a_plugin_that_does_not_load_is_listed_and_doctor_shows_where_it_broke(
    bench: Call, harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (harness / "bench_torn.py").write_text("import no_such_module\n")
    install_fake(harness, "torn", "bench_torn")
    monkeypatch.setenv("BENCH_PLUGINS", "fakes,torn")
    plugins.cache_clear()
    listed = bench("ls", "methods")
    assert listed.code == 0
    assert "broken  torn: ModuleNotFoundError" in listed.out
    assert "grid" in listed.out
    assert bench("ls", "methods", "--json").json["broken"][0]["plugin"] == "torn"
    doctor = bench("doctor", "--json")
    assert doctor.code == 1
    torn = next(c for c in doctor.json if c["what"] == "plugin torn")
    assert torn["state"] == "problem"
    assert "no_such_module" in torn["found"]
    assert "bench_torn.py" in torn["found"]
    refused(bench("show", "method", "torn"), 8, "bench doctor")


@pytest.mark.parametrize("first", [True, False])
def test_debug_shows_the_traceback(bench: Call, first: bool) -> None:
    words = ["show", "method", "gird"]
    said = bench(*(["--debug", *words] if first else [*words, "--debug"]))
    assert said.code == 2
    assert "Traceback (most recent call last)" in said.err
    assert "error: there is no method 'gird'" in said.err
    assert said.err.count("there is no method 'gird'") == 1
    assert said.err.count("did you mean 'grid'") == 1


def test_debug_keeps_what_caused_an_error_and_its_notes(
    bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        error = BenchError("it broke", cure="mend it")
        error.add_note("in another process")
        raise error from ZeroDivisionError("by nothing")

    monkeypatch.setattr("benchmark.cli.running.run_command", fails)
    said = bench("run", "-m", "grid", "-p", "small_faces", "--debug")
    assert "ZeroDivisionError: by nothing" in said.err
    assert "in another process" in said.err
    assert said.err.endswith("error: it broke\n  cure: mend it\n")
    assert said.err.count("it broke") == 1


def test_a_fault_of_bench_itself_is_called_one(
    bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("benchmark.cli.running.run_command", fails)
    said = bench("run", "-m", "grid", "-p", "small_faces")
    assert said.code == 70
    assert said.err.startswith("unexpected error: ZeroDivisionError: by nothing")
    assert "--debug" in said.err
    assert "Traceback" not in said.err
    monkeypatch.setenv("BENCH_DEBUG", "1")
    assert "Traceback" in bench("run", "-m", "grid", "-p", "small_faces").err


def test_ctrl_c_says_that_the_same_command_goes_on(
    bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.cli.running.run_command", stopped)
    said = bench("run", "-m", "grid", "-p", "small_faces")
    assert said.code == 130
    assert "the same command goes on from the last checkpoint" in said.err
    assert "Traceback" not in said.err


def test_a_warning_is_one_line_that_names_no_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "main", lambda *_, **__: warnings.warn("an odd thing", stacklevel=1))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    with pytest.raises(SystemExit):
        main(["doctor"])
    assert capsys.readouterr().err == "note  an odd thing\n"


@pytest.mark.long
@pytest.mark.parametrize("words", [("ls", "protocols"), ("ls", "methods", "--json")])
def test_what_a_terminal_cannot_show_is_replaced(harness: Path, words: tuple[str, ...]) -> None:
    """In a locale of one byte a letter; in an ASCII one click writes UTF-8. JSON keeps all anyway."""
    done = subprocess.run(
        [sys.executable, "-c", f"from benchmark.cli import main; main({list(words)!r})"],
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert "…".encode() not in done.stdout
    assert "\ufffd" not in done.stdout.decode("latin-1")


def test_a_stream_shows_what_its_encoding_has(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "latin-1"))
    monkeypatch.setattr(cli, "main", lambda *_, **__: print("“Δ ü"))
    with pytest.raises(SystemExit) as stop:
        main(["ls"])
    sys.stdout.flush()
    assert stop.value.code == 0
    assert written.getvalue() == "?? ü\n".encode("latin-1")


def test_json_keeps_every_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "latin-1"))
    as_json({"name": "“Δ ü"})
    sys.stdout.flush()
    assert json.loads(written.getvalue().decode("ascii")) == {"name": "“Δ ü"}


def test_no_stream_at_all_is_no_fault(bench: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as stop:
        main(["ls", "methods"])
    assert stop.value.code == 0
    sys.stdout.close()


@pytest.mark.parametrize("name, value", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_are_left_out_where_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(cli, "main", lambda *_, color, **__: seen.append(color))
    for wanted in ("xterm", None):
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        if wanted is None:
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit):
            main(["ls"])
    assert seen == [None, False]


def test_a_reader_that_went_away_is_nothing_wrong(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import os, sys; from benchmark.cli import main; read, write = os.pipe(); "
        "os.dup2(write, 1); os.close(write); os.close(read); "
        "import benchmark.cli.completion; main(['completion', 'bash'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
