internal import ArgumentParser
internal import Client
internal import Core
internal import Samples

/// How long a typical rule takes, beside the same condition written in Swift: what `tools/bench` compares.
struct RuleBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rule-benchmark", abstract: "Measure a rule; tools/bench uses it.",
        discussion:
            "One thread judges sample messages by the compiled rule and by a Swift function in turn. --sample prints both instead, for other evaluators.",
        shouldDisplay: false)
    @Flag(help: "print the rule and the messages") var sample = false
    @Option(help: "how long each") var seconds = 1.0

    private static let costMax = 10_000

    func run() throws {
        let rule = try SampleRule(count: 600)
        var object = JSONObject()
        if sample {
            object.add("source", SampleRule.source)
            object.add("messages", raw: "[".utf8 + Array(rule.messages.map(\.json).joined(separator: ",".utf8)) + "]".utf8)
        } else {
            let environment = SampleRule.environment()
            let program = try environment.compile(SampleRule.source)
            var satisfied = (rule: 0, closure: 0)
            // Both a little first, so that neither pays for what is loaded and cached by the first.
            satisfied.rule += try rule.count(program, costMax: RuleBenchmark.costMax)
            satisfied.closure += rule.countDirectly()
            object.add(
                "rules_per_second",
                Int(
                    try Stopwatch.rate(seconds: seconds) {
                        satisfied.rule += try rule.count(program, costMax: RuleBenchmark.costMax)
                        return rule.messages.count
                    }))
            object.add(
                "closures_per_second",
                Int(
                    Stopwatch.rate(seconds: seconds) {
                        satisfied.closure += rule.countDirectly()
                        return rule.messages.count
                    }))
            object.add("rule_satisfied", satisfied.rule)
            object.add("closure_satisfied", satisfied.closure)
        }
        Output.json(object.finish())
    }
}
