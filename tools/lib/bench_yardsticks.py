"""Other evaluators and validators from PyPI, on the samples of `meshlog rule-benchmark --sample` and `schema-benchmark --sample`.

Runs in the interpreter that has them, as `python bench_yardsticks.py rules|schemas SECONDS`: the sample on the standard input, rates by name
on the standard output. What is prepared once by anybody who cares for speed (programs, activations, validators) is not timed.
"""
import json
import sys
import time


def rate(seconds, once, things):
    """Things a second: rounds of `once` until the time is over."""
    once()
    start = time.perf_counter()
    rounds = 0
    while True:
        once()
        rounds += 1
        took = time.perf_counter() - start
        if took >= seconds:
            return rounds * things / took


def rules(sample, seconds):
    out = {}
    source, messages = sample["source"], sample["messages"]
    try:
        from cel_expr_python import cel
        env = cel.NewEnv(variables={"message": cel.Type.DYN})
        program = env.compile(source)
        prepared = [env.Activation({"message": message}) for message in messages]
        satisfied = sum(bool(program.eval(one).value()) for one in prepared)

        def evaluate():
            for one in prepared:
                program.eval(one)
        out["cel-expr-python"] = {"rate": rate(seconds, evaluate, len(messages)), "satisfied": satisfied}
    except ImportError:
        pass
    try:
        import celpy
        environment = celpy.Environment()
        program = environment.program(environment.compile(source))
        prepared = [{"message": celpy.json_to_cel(message)} for message in messages]
        satisfied = sum(bool(program.evaluate(one)) for one in prepared)

        def evaluate_slowly():
            for one in prepared[:60]:
                program.evaluate(one)
        out["cel-python"] = {"rate": rate(seconds, evaluate_slowly, 60), "satisfied": satisfied}
    except ImportError:
        pass
    return out


def schemas(sample, seconds):
    try:
        import jsonschema_rs
    except ImportError:
        return {}
    out = {}
    for case in sample:
        validator = jsonschema_rs.validator_for(case["schema"])
        instances = case["instances"]
        texts = [json.dumps(instance) for instance in instances]
        if not all(validator.is_valid(instance) for instance in instances):
            raise SystemExit(f"{case['name']}: jsonschema-rs finds an instance that is not valid")

        def parsed():
            for instance in instances:
                validator.is_valid(instance)

        def from_text():
            for text in texts:
                validator.is_valid(json.loads(text))
        out[case["name"]] = {"texts": rate(seconds, from_text, len(texts)), "parsed": rate(seconds, parsed, len(texts))}
    return out


if __name__ == "__main__":
    measure = {"rules": rules, "schemas": schemas}[sys.argv[1]]
    print(json.dumps(measure(json.load(sys.stdin), float(sys.argv[2]))))
