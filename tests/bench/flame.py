"""Where the collector's time goes: perf's samples as one table a thread, and as a flame graph."""

import collections
import html
import shutil
import subprocess

from rig import OUTPUT, Failed

FREQUENCY = 997
WIDTH, ROW, LEAST = 1600, 17, 0.0008
TOP = 40


def recorder(name):
    """A tool for works.throughput: starts perf on the collector, returns what stops and writes it."""
    if shutil.which("perf") is None:
        raise Failed("perf is not installed")

    def start(collector):
        data = OUTPUT / f"{name}.perf"
        command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY), "--call-graph", "fp"]
        perf = subprocess.Popen([*command, "-p", str(collector.process.pid), "-o", data], stderr=subprocess.DEVNULL)

        def stop():
            perf.send_signal(2)
            perf.wait()
            write(name, data)

        return stop

    return start


def stacks(data):
    """(thread, frames from the outermost in): samples."""
    script = subprocess.run(
        ["perf", "script", "-i", data, "-F", "comm,ip,sym"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout
    found = collections.Counter()
    for block in script.split("\n\n"):
        lines = [line for line in block.splitlines() if line.strip()]
        if not lines:
            continue
        frames = []
        for line in lines[1:]:
            name = line.strip().split(" ", 1)[-1]
            frames.append("?" if name == "[unknown]" else name.split("+0x")[0])
        if frames:
            found[(lines[0].strip(), tuple(reversed(frames)))] += 1
    return found


def write(name, data):
    found = stacks(data)
    total = sum(found.values())
    if total == 0:
        raise Failed("perf took no samples")
    table = OUTPUT / f"{name}.txt"
    table.write_text(tables(found, total))
    (OUTPUT / f"{name}.svg").write_text(picture(name, found, total))
    print(f"profile: {table} and {OUTPUT / name}.svg")


def tables(found, total):
    """Top symbols in all and a thread, own time; and the functions of ours with what they call."""
    parts = [f"{total} samples at {FREQUENCY} Hz: {total / FREQUENCY:.2f} CPU seconds\n"]
    threads, own, below = collections.Counter(), collections.Counter(), collections.Counter()
    by_thread = collections.defaultdict(collections.Counter)
    for (thread, frames), count in found.items():
        threads[thread] += count
        own[frames[-1]] += count
        by_thread[thread][frames[-1]] += count
        for frame in set(frames):
            below[frame] += count

    def section(title, counter, most):
        parts.append(f"\n{title}\n")
        parts.extend(f"{100 * count / total:6.2f} %  {what}\n" for what, count in counter.most_common(most))

    section("threads", threads, 20)
    section("own time", own, TOP)
    section("with what they call", below, TOP * 2)
    for thread, count in threads.most_common(8):
        section(f"thread {thread} ({100 * count / total:.1f} % of all), own time", by_thread[thread], TOP)
    return "".join(parts)


def picture(name, found, total):
    """A flame graph: the widths are shares of all samples, the outermost frame at the bottom."""
    root = {}
    deepest = 0
    for (thread, frames), count in sorted(found.items()):
        level = root
        for frame in (thread, *frames):
            entry = level.setdefault(frame, [0, {}])
            entry[0] += count
            level = entry[1]
        deepest = max(deepest, len(frames) + 1)
    height = (deepest + 2) * ROW
    boxes = []

    def draw(level, x, depth):
        for frame, (count, inner) in sorted(level.items()):
            share = count / total
            if share >= LEAST:
                boxes.append(box(frame, share, x, height - (depth + 1) * ROW))
                draw(inner, x, depth + 1)
            x += share * WIDTH

    draw(root, 0.0, 0)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="monospace" font-size="11">\n'
        f'<text x="4" y="12">{html.escape(name)}: {total} samples</text>\n'
    )
    return head + "".join(boxes) + "</svg>\n"


def box(frame, share, x, y):
    width = share * WIDTH
    hue = sum(frame.encode()) % 50
    label = html.escape(frame[: int(width / 6.8)]) if width > 20 else ""
    return (
        f'<g><title>{html.escape(frame)} {100 * share:.2f} %</title>'
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" fill="hsl({hue},80%,65%)"/>'
        f'<text x="{x + 2:.1f}" y="{y + 12}">{label}</text></g>\n'
    )
