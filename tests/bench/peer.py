"""The Go collector to compare with: built once by its own collector builder from published modules."""

import os
import re
import shutil
import subprocess

from rig import OUTPUT, ROOT, Failed

MANIFEST = ROOT / "tests" / "bench" / "otelcol.yaml"


def build():
    """The path of the built program; Failed says in one sentence why there is none."""
    folder = OUTPUT / "otelcol"
    program, stamp = folder / "otelcol", folder / "manifest.built"
    text = MANIFEST.read_text()
    if program.exists() and stamp.exists() and stamp.read_text() == text:
        return program
    if shutil.which("go") is None:
        raise Failed("Go is not installed")
    version = re.search(r"^  version: (\S+)$", text, re.MULTILINE).group(1)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.yaml"
    manifest.write_text(text.replace(f"  version: {version}\n", f"  version: {version}\n  output_path: {folder}\n", 1))
    print(f"building the Go collector v{version} (once; some minutes)", flush=True)
    log = OUTPUT / "otelcol.log"
    with open(log, "wb") as out:
        command = ["go", "run", f"go.opentelemetry.io/collector/cmd/builder@v{version}", "--config", manifest]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=OUTPUT, env=environment())
    if done.returncode != 0 or not program.exists():
        lines = log.read_text(errors="replace").strip().splitlines()
        raise Failed(f"the Go collector was not built ({lines[-1] if lines else 'no output'}); see {log}")
    stamp.write_text(text)
    return program


def environment():
    return {**os.environ, "GOFLAGS": "-p=2"}
