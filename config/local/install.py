"""Make `.venv` with the pinned requirements in it. Needs Python's standard library only.

Run as a script by the Makefile, before anything is installed:

    python3 config/local/install.py requirements.txt --no-deps requirements-example.txt

Files after `--no-deps` are installed without what they name. What was installed is
remembered in `.venv`, so that a second call takes no time.
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)


class CannotInstall(Exception):
    """What is missing, and what to do about it."""


def main(arguments: list[str]) -> None:
    if sys.version_info < OLDEST:
        raise CannotInstall(
            f"Etalon needs Python 3.11 or newer; this is {platform.python_version()}. "
            "Name a newer one: make PYTHON=python3.12 run"
        )
    cut = arguments.index("--no-deps") if "--no-deps" in arguments else len(arguments)
    full, bare = arguments[:cut], arguments[cut + 1 :]
    done = VENV / ".installed" / fingerprint(full + bare)
    if done.exists() and works(PYTHON):
        return
    if not works(PYTHON):
        make_venv()
    installer = choose_installer()
    with_what = "uv" if Path(installer[0]).name == "uv" else "pip, which takes a minute or two"
    say(f"Installing {' and '.join(full + bare)} with {with_what}")
    install(installer, [part for file in full for part in ("-r", file)])
    if bare:
        install(installer, ["--no-deps", *(part for file in bare for part in ("-r", file))])
    done.parent.mkdir(exist_ok=True)
    done.touch()


def fingerprint(files: list[str]) -> str:
    """The content of the files, and of those that they name with `-r`."""
    digest = hashlib.sha256()
    waiting = list(files)
    while waiting:
        text = (ROOT / waiting.pop(0)).read_text()
        digest.update(text.encode())
        waiting += [line[3:].strip() for line in text.splitlines() if line.startswith("-r ")]
    return digest.hexdigest()[:16]


def works(python: Path) -> bool:
    """Whether this interpreter runs: a moved folder or an upgraded system breaks a venv."""
    if not python.exists():
        return False
    asked = subprocess.run([str(python), "-c", "pass"], capture_output=True)
    return asked.returncode == 0


def make_venv() -> None:
    say(f"Making {VENV.name} with Python {platform.python_version()}")
    if VENV.exists():
        shutil.rmtree(VENV)
    # A build without ensurepip (Debian's python3 without python3-venv) makes no pip, which
    # `choose_installer` mends when it can.
    venv.create(VENV, with_pip=importlib.util.find_spec("ensurepip") is not None, symlinks=True)


def choose_installer() -> list[str]:
    """uv when it is there or can be had, which takes seconds; else pip, which takes a minute."""
    # Compiled once here, as pip does, and not anew by every process where Python may not write
    # what it compiled.
    into_venv = ["pip", "install", "--compile-bytecode", "--python", str(PYTHON)]
    if uv := shutil.which("uv"):
        return [uv, *into_venv]
    in_venv = VENV / "bin" / "uv"
    pip = [str(PYTHON), "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:
        outer = [sys.executable, "-m", "pip"]
        if subprocess.run([*outer, "--version"], capture_output=True).returncode:
            raise CannotInstall(
                "Neither uv nor pip is there to install packages with. Install one of them, "
                "on Debian and Ubuntu: apt-get install python3-venv"
            )
        return [*outer, "--python", str(PYTHON), "install"]
    if not in_venv.exists():
        say("Fetching the installer uv")
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *quiet, "uv"], capture_output=True)
    if works_as_uv(in_venv):
        return [str(in_venv), *into_venv]
    return [*pip, "install", "--disable-pip-version-check"]


def works_as_uv(uv: Path) -> bool:
    if not uv.exists():
        return False
    return subprocess.run([str(uv), "--version"], capture_output=True).returncode == 0


def install(installer: list[str], arguments: list[str]) -> None:
    """Run the installer; show that it goes on, and what it says only when it fails."""
    environment = {**os.environ, "UV_LINK_MODE": os.environ.get("UV_LINK_MODE", "copy")}
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        running = subprocess.Popen(
            [*installer, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        while running.poll() is None:
            try:
                running.wait(5)
            except subprocess.TimeoutExpired:
                say(f"... {time.monotonic() - started:.0f} s")
        if running.returncode:
            output.seek(0)
            sys.stderr.buffer.write(output.read())
            raise CannotInstall(
                "The packages could not be installed: the lines above say why. "
                "Without a network, point PIP_INDEX_URL or UV_INDEX_URL to a mirror."
            )


def say(sentence: str) -> None:
    print(f"  {sentence}", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CannotInstall as reason:
        sys.exit(f"\n{reason}")
    except KeyboardInterrupt:
        sys.exit(130)
