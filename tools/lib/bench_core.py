"""What decides about messages, one thread without any server: decisions, rules in CEL, JSON Schema."""
import json
import os
import subprocess

import bench_policy
from bench_input import REAL
from bench_report import Pairs, Section
from stack import StackError

YARDSTICKS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "bench_yardsticks.py")


def said(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise StackError(f"{' '.join(command[:3])}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def seconds(options):
    return 0.5 if options.quick else 2


def other(options, what, sample):
    """Rates of what is installed for --python, by name."""
    return said([options.python, YARDSTICKS, what, str(seconds(options))], json.dumps(sample))


def decisions(place, options, inputs):
    section = Section("decisions", "verdicts a second by one thread, without the log, with many constraints installed against ten")
    run = [options.meshlog, "decision-benchmark", "--seconds", str(seconds(options))]

    def rate(*arguments):
        return said(run + list(arguments))["decisions_per_second"]
    for count in (1_000, 10_000):
        pairs = section.add(Pairs(f"{count:,} constraints", "10 constraints", "verdicts/s", 0.8 if count == 10_000 else None))
        for _ in range(max(options.pairs, 3)):
            pairs.add(rate("--constraints", str(count)), rate("--constraints", "10"))
    if inputs["real"]:
        path = place.path("fifty.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(list(bench_policy.constraints()), file)
        pairs = section.add(Pairs("the 50 constraints of `policy`, real messages", "no constraint", "verdicts/s"))
        for _ in range(max(options.pairs, 3)):
            pairs.add(rate("--file", path, "--messages", REAL), rate("--constraints", "0", "--messages", REAL))
    section.notes = ["a message of about 1 kB has the same candidates whatever the number; each verdict with its digest and its fields as they stand in the log"]
    return section


def rules(place, options, inputs):
    section = Section("rules", "a typical rule in CEL, evaluated by one thread, against the same condition elsewhere")
    closure = section.add(Pairs("the rule", "a Swift closure", "evaluations/s", 0.05))
    rows = {}
    run = [options.meshlog, "rule-benchmark"]
    sample = said(run + ["--sample"])
    for _ in range(max(options.pairs, 3)):
        ours = said(run + ["--seconds", str(seconds(options))])
        closure.add(ours["rules_per_second"], ours["closures_per_second"])
        for name, theirs in other(options, "rules", sample).items():
            if theirs["satisfied"] * 3 != len(sample["messages"]):
                raise StackError(f"{name} finds {theirs['satisfied']} messages that satisfy the rule, a third of {len(sample['messages'])} do")
            if name not in rows:
                rows[name] = section.add(Pairs("the rule", name, "evaluations/s", 1 if name == "cel-expr-python" else None))
            rows[name].add(ours["rules_per_second"], theirs["rate"])
    section.notes = [f"the rule: `{sample['source']}`", "cel-expr-python (Google's C++ evaluator) with activations that were prepared before; the closure has a target of 20 times the time at most"]
    if len(rows) < 2:
        section.notes.append("--python has not both of cel-python and cel-expr-python: their rows are missing")
    return section


def schemas(place, options, inputs):
    section = Section("schemas", "JSON Schema validation by one thread, against jsonschema-rs")
    run = [options.meshlog, "schema-benchmark"] + (["--messages", REAL] if inputs["real"] else [])
    sample = said(run + ["--sample"])
    rows = {}
    for _ in range(max(options.pairs, 3)):
        ours = {case["name"]: case for case in said(run + ["--seconds", str(seconds(options))])}
        for name, theirs in other(options, "schemas", sample).items():
            for form, words in (("texts", "from the text to the answer"), ("parsed", "parsed before")):
                if (name, form) not in rows:
                    rows[name, form] = section.add(Pairs(f"{name}, {words}", "json.loads and jsonschema-rs" if form == "texts" else "jsonschema-rs", "instances/s", 0.5))
                rows[name, form].add(ours[name][form + "_per_second"], theirs[form])
    section.notes = ["valid instances, the same bytes for both; `messages`: the real messages and a schema of their envelope"]
    if not rows:
        section.notes.append("--python has no jsonschema-rs: its rows are missing")
    return section
