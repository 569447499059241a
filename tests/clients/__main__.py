"""Every client of the table against one running server: ``make clients``.

With `--install` those that are not there yet are installed, and none is run: ``make
clients-install``.
"""

import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import FrameType

import msgspec
from clients.environments import CannotInstall, command_of, missing_programs, prepare
from clients.outcome import Check, compare, read_lines
from clients.report import Report
from clients.served import Job, running_job
from clients.table import CLIENTS, Client
from rich.console import Console

SCRIPT_S = 300.0
"""All of a client's calls take seconds, wrangler's half a minute; only a hang takes longer."""

INSTALLED_AT_ONCE = 2
"""One installer waits for the network while the other unpacks."""

TESTS = Path(__file__).parents[1]
"""What the scripts in Python import each other from."""

_KEPT = ("PATH", "LANG", "SYSTEMROOT", "SSL_CERT_FILE")
"""Of our own environment: a token or a proxy of the user's must not decide what a client does."""


def main() -> int:
    """Run the clients; the exit code is 1 where any check failed."""
    signal.signal(signal.SIGTERM, _leave)
    report = Report(Console(highlight=False, markup=False, soft_wrap=True))
    ready = _ready(report)
    if sys.argv[1:] == ["--install"]:
        return 1 if report.failed else 0
    runs: dict[str, list[Check]] = {}
    with tempfile.TemporaryDirectory(prefix="earmark-clients-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        with running_job(Path(folder)) as job:
            for client, environment in ready:
                runs[client.name] = _run(client, environment, job, home)
                report.show(client.name, runs[client.name])
    report.show("the same scores from every client", compare(runs))
    return report.end()


def _ready(report: Report) -> list[tuple[Client, Path]]:
    """Make the environments; report the clients that cannot have one."""
    for platform, program in missing_programs().items():
        skipped = [client.name for client in CLIENTS if client.platform == platform]
        report.skip(f"{program} is not installed", skipped)
    wanted = [client for client in CLIENTS if client.platform not in missing_programs()]
    with ThreadPoolExecutor(INSTALLED_AT_ONCE) as pool:
        made = [pool.submit(prepare, client, tell=report.tell) for client in wanted]
    ready = []
    for client, environment in zip(wanted, made, strict=True):
        try:
            ready.append((client, environment.result()))
        except CannotInstall as error:
            if client.optional:
                report.skip("it cannot be installed here", [client.name])
                report.tell(str(error))
            else:
                report.show(client.name, [Check("installation", "failed", str(error))])
    return ready


def _run(client: Client, environment: Path, job: Job, home: Path) -> list[Check]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # Where the official clients look for a home, for the Hub, and for the Hub's inference.
    told = {
        "HOME": home,
        "HF_HOME": home,
        "HF_ENDPOINT": job.url,
        "HF_INFERENCE_ENDPOINT": job.url,
        "PYTHONPATH": TESTS,
    }
    with subprocess.Popen(  # noqa: S603 - our own words
        command_of(client, environment),
        env=kept | {name: str(value) for name, value in told.items()},
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as running:
        try:
            asked = msgspec.json.encode(job.of(client)).decode()
            output, errors = running.communicate(asked, timeout=SCRIPT_S)
        except subprocess.TimeoutExpired:
            return [Check("the script", "failed", f"it did not end within {SCRIPT_S:.0f} s")]
        finally:
            _end_group(running)
    return read_lines(output, errors=errors)


def _end_group(running: subprocess.Popen[str]) -> None:
    """End a script with the programs that it started, such as wrangler and its runtime."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)


def _leave(number: int, _frame: FrameType | None) -> None:
    """End by an exception, so that the server is stopped on the way."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
