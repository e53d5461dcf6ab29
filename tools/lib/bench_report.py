"""Figures of tools/bench: pairs and their ratios, plain figures, and how they are printed."""
import datetime
import json
import os
import platform
import statistics
import subprocess

from stack import ROOT


def short(value):
    """Three digits that matter, with thousands separated."""
    if abs(value) >= 1000:
        digits = len(str(int(abs(value)))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


class Pairs:
    """One comparison: Meshlog and its yardstick, measured one right after the other, several times."""

    def __init__(self, name, yardstick, unit, target=None, note=""):
        self.name = name
        self.yardstick = yardstick
        self.unit = unit
        self.target = target
        self.note = note
        self.ours = []
        self.theirs = []
        self.cpu = []

    def add(self, ours, theirs, cpu=None):
        """One pair of rates; `cpu`: µs of CPU time per message by process name, for either side."""
        self.ours.append(ours)
        self.theirs.append(theirs)
        if cpu:
            self.cpu.append(cpu)

    def cpu_words(self):
        """Medians over the pairs: unlike rates they hardly depend on what else the machine does."""
        sides = []
        for index in (0, 1):
            names = self.cpu[0][index]
            sides.append(" + ".join(f"{name} {statistics.median(pair[index][name] for pair in self.cpu):.1f}" for name in names))
        return f"{sides[0]} µs; {sides[1]} µs"

    @property
    def ratios(self):
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs)]

    @property
    def ratio(self):
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def is_missed(self):
        return self.target is not None and self.ratio < self.target

    @property
    def verdict(self):
        return "" if self.target is None else f"MISSED {self.target:g}" if self.is_missed else f"met {self.target:g}"

    def lines(self):
        ratios = self.ratios
        out = [
            f"  {self.name}" + (f"  ({self.note})" if self.note else ""),
            f"    {'Meshlog':<44}{spread(self.ours)} {self.unit}",
            f"    {self.yardstick:<44}{spread(self.theirs)} {self.unit}",
            f"    {'ratio of medians':<44}{self.ratio:>10.2f}   pairs {' '.join(f'{ratio:.2f}' for ratio in ratios)}   {self.verdict}".rstrip(),
        ]
        return out + [f"    {'CPU time each':<44}{self.cpu_words()}"] if self.cpu else out

    def markdown(self):
        ratios = self.ratios
        target = "" if self.target is None else f"{self.target:g}"
        cpu = self.cpu_words() if self.cpu else ""
        return (f"| {self.name} | {short(statistics.median(self.ours))} | {self.yardstick}: {short(statistics.median(self.theirs))} {self.unit} | "
                f"**{self.ratio:.2f}** ({min(ratios):.2f}–{max(ratios):.2f}) | {target} | {cpu} |")

    def json(self):
        return {"name": self.name, "yardstick": self.yardstick, "unit": self.unit, "note": self.note, "ours": self.ours, "theirs": self.theirs, "cpu": self.cpu,
                "ratios": self.ratios, "ratio": self.ratio, "target": self.target, "missed": self.is_missed}


class Figure:
    """Something measured without a yardstick, once at the main load and perhaps once at a lighter one; `missed` says what it should have been."""

    def __init__(self, name, value, missed=""):
        self.name = name
        self.value = value
        self.lighter = ""
        self.missed = missed

    @property
    def is_missed(self):
        return bool(self.missed)

    def lines(self):
        return [f"    {self.name:<34}{self.value}" + (f"   MISSED: {self.missed}" if self.missed else "")] + (
            [f"    {'  at half the rate':<34}{self.lighter}"] if self.lighter else [])

    def markdown(self):
        return f"| {self.name} | {self.value} | {self.lighter} |"

    def json(self):
        return {"name": self.name, "value": self.value, "at_half_the_rate": self.lighter, "missed": self.missed}


class Heading:
    """What the figures below it are about."""
    is_missed = False

    def __init__(self, text):
        self.text = text

    def lines(self):
        return [f"  {self.text}"]

    def markdown(self):
        return f"| **{self.text}** | | |"

    def json(self):
        return {"heading": self.text}


class Section:
    """What one benchmark found."""

    def __init__(self, name, title, figures_only=False):
        self.name = name
        self.title = title
        self.figures_only = figures_only
        self.rows = []
        self.notes = []
        self.failure = ""

    def add(self, row):
        self.rows.append(row)
        return row

    @property
    def is_missed(self):
        return bool(self.failure) or any(row.is_missed for row in self.rows)

    def text(self):
        out = [f"{self.name}: {self.title}"]
        if not self.figures_only and self.rows:
            out.append(f"{'':48}{'min':>10} {'median':>10} {'max':>10}")
        for row in self.rows:
            out += row.lines()
        out += [f"    note: {note}" for note in self.notes]
        if self.failure:
            out.append(f"    FAILED: {self.failure}")
        return "\n".join(out)

    def markdown(self):
        head = ["| what | at the sustained rate | at half of it |", "|---|---|---|"] if self.figures_only else [
            "| what | Meshlog, median | yardstick, median | ratio of medians (of pairs) | target | CPU time each |", "|---|---|---|---|---|---|"]
        out = [f"### {self.name}: {self.title}", ""]
        if self.rows:
            out += head + [row.markdown() for row in self.rows] + [""]
        out += [f"- {note}" for note in self.notes]
        if self.failure:
            out.append(f"- failed: {self.failure.splitlines()[0]}")
        return "\n".join(out).rstrip() + "\n"

    def json(self):
        return {"name": self.name, "title": self.title, "rows": [row.json() for row in self.rows], "notes": self.notes, "failure": self.failure}


def spread(values):
    return f"{short(min(values)):>10} {short(statistics.median(values)):>10} {short(max(values)):>10}"


def quantile(values, share):
    """The smallest value that at least `share` of the sorted `values` do not exceed."""
    return values[max(0, min(len(values) - 1, -int(-len(values) * share // 1) - 1))]


def milliseconds(seconds):
    return f"{seconds * 1000:.1f} ms" if abs(seconds) < 0.1 else f"{seconds * 1000:,.0f} ms"


class Machine:
    """Where and when this was measured."""

    def __init__(self, remark):
        self.date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
        self.load = os.getloadavg()[0]
        with open("/proc/meminfo", encoding="ascii") as file:
            self.memory = round(int(file.readline().split()[1]) / (1 << 20))
        self.remark = remark
        revision = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
        self.revision = revision.stdout.strip() or "unknown revision"

    @property
    def words(self):
        with open("/etc/os-release", encoding="utf-8") as file:
            system = dict(line.strip().split("=", 1) for line in file if "=" in line)
        name = f"{system['NAME'].strip(chr(34)).removesuffix(' GNU/Linux')} {system.get('VERSION_ID', '').strip(chr(34))}"
        return f"{os.cpu_count()} cores, {self.memory} GiB, {name}, {platform.machine()}" + (f", {self.remark}" if self.remark else "")

    def line(self):
        return f"{self.date}, {self.words}; Meshlog {self.revision}; load average before: {self.load:.1f}"


def document(machine, command, sections):
    """The Markdown for docs/benchmarks.md."""
    body = "\n".join(section.markdown() for section in sections)
    return f"`{command}` on {machine.date}: {machine.words}; Meshlog {machine.revision}; load average before the run: {machine.load:.1f}.\n\n{body}"


def write_json(path, machine, command, sections):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"command": command, "date": machine.date, "machine": machine.words, "revision": machine.revision, "load_before": machine.load,
                   "sections": [section.json() for section in sections]}, file, indent=2)
        file.write("\n")
