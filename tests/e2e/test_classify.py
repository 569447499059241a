"""`earmark classify` as a process: in pipes, and on a terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from e2e.processes import PATIENCE_S, command, environment
from e2e.terminals import on_terminal

HEAVY = ("numpy", "onnx", "openvino", "starlette", "tokenizers", "uvicorn")


def classify(*arguments: str, data: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Pipe bytes into the command."""
    return subprocess.run(  # noqa: S603 - our own words
        command("classify", *arguments),
        env=environment(),
        cwd=folder,
        input=data,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )


def start(*arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start the command with pipes at both ends."""
    return subprocess.Popen(  # noqa: S603 - our own words
        command("classify", *arguments),
        env=environment(),
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_each_line_of_a_pipe_is_answered_in_order(tiny: str, tmp_path: Path) -> None:
    """Three thousand lines, an empty one among them, in; as many JSON lines out."""
    texts = [f"text number {index}" for index in range(3000)]
    texts[7] = ""
    ended = classify("--model", tiny, data="\n".join(texts).encode(), folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert [json.loads(line)["text"] for line in ended.stdout.splitlines()] == texts


def test_an_empty_pipe_is_told_of(tiny: str, tmp_path: Path) -> None:
    """Nothing is answered, which is no mistake; a note says why nothing came."""
    ended = classify("--model", tiny, data=b"", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, b"")
    assert ended.stderr.startswith(b"earmark: note: standard input held no lines")


def test_a_dash_stands_for_the_lines_of_standard_input(tiny: str, tmp_path: Path) -> None:
    """Texts and lines mix, in the order they are named."""
    ended = classify("a", "-", "d", "--model", tiny, data=b"b\nc\n", folder=tmp_path)
    assert [json.loads(line)["text"] for line in ended.stdout.splitlines()] == list("abcd")


def test_a_line_is_answered_before_the_next_one_is_sent(tiny: str, tmp_path: Path) -> None:
    """A pipe that never ends, such as `tail -f`, is answered as it comes."""
    with start("--model", tiny, folder=tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text in ("first", "second"):
            process.stdin.write(f"{text}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["text"] == text
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


def test_a_reader_that_leaves_ends_the_command_quietly(tiny: str, tmp_path: Path) -> None:
    """`| head -1` is no error to report."""
    with start("--model", tiny, folder=tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"a text\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"another\n")
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 141
        assert process.stderr.read() == b""


def test_a_line_that_is_not_utf8_ends_the_command_with_its_number(
    tiny: str, tmp_path: Path
) -> None:
    """The lines before it are answered."""
    ended = classify("--model", tiny, data=b"good\nb\xe4d\nnever\n", folder=tmp_path)
    assert ended.returncode == 2
    assert [json.loads(line)["text"] for line in ended.stdout.splitlines()] == ["good"]
    error, hint = ended.stderr.decode().splitlines()
    assert error.startswith("earmark: error: line 2 of standard input is not UTF-8")
    assert "iconv" in hint


@pytest.mark.skipif(os.name != "posix", reason="terminals of another kind")
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}])
def test_on_a_terminal_bars_are_drawn(variables: dict[str, str], tiny: str, tmp_path: Path) -> None:
    """A person sees bars; colours unless they are not wanted."""
    arguments = ("classify", "I like it", "--model", tiny)
    with on_terminal(*arguments, folder=tmp_path, variables=variables) as terminal:
        shown = terminal.read_until()
        assert terminal.process.wait(PATIENCE_S) == 0
    assert "I like it" in shown
    assert "█" in shown
    assert ("\x1b[36m" in shown) is not bool(variables)


@pytest.mark.skipif(os.name != "posix", reason="terminals of another kind")
def test_without_texts_a_terminal_is_told_what_to_give(tmp_path: Path) -> None:
    """The command does not sit and wait for lines nobody knows to type."""
    with on_terminal("classify", folder=tmp_path) as terminal:
        shown = terminal.read_until()
        assert terminal.process.wait(PATIENCE_S) == 2
    assert "no texts given" in shown


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(flag: str, tmp_path: Path) -> None:
    """They answer at once: no runtime, no web server, no arrays."""
    program = (
        "import sys; from earmark.cli import main; main([sys.argv[1]]); "
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    ended = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", program, flag],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert ended.stdout.splitlines()[-1] == "[]"
