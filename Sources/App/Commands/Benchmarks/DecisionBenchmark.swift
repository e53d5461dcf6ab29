internal import ArgumentParser
internal import Client
internal import Control
internal import Core
internal import Ingress
internal import Samples
internal import Verdicts

/// How many verdicts a second one thread makes, without the log: what `tools/bench` compares for different numbers of constraints.
struct DecisionBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decision-benchmark", abstract: "Measure decisions; tools/bench uses it.",
        discussion: """
            meshlog decision-benchmark --constraints 10000
            meshlog decision-benchmark --file policy.yaml --messages messages.ndjson

            Decides about the messages in turn, a millisecond apart, and makes their verdicts as the router does. Without files: sample messages, of
            which each has as many candidates however many constraints there are.
            """,
        shouldDisplay: false)
    @Option(help: "sample constraints to install") var constraints = 10
    @Option(help: "constraints to install instead, YAML or JSON") var file: String?
    @Option(help: "messages to decide about instead, one a line") var messages: String?
    @Option(help: "how long") var seconds = 1.0

    func validate() throws {
        if constraints < 0 { throw ValidationError("--constraints is a number from 0") }
    }

    func run() async throws {
        var policy = PolicyFold(defaultTarget: "default")
        var ms: UInt64 = 1_767_225_600_000
        for (key, document) in try await documents() {
            ms += 1
            policy.apply(Position(ms: ms, seq: 0), .success(ControlEvent(.constraint, .created, key: key, document: document)))
        }
        let entries = try await entries()
        let machine = RouterMachine(policy)
        var made = (verdicts: 0, bytes: 0)
        let rate = Stopwatch.rate(seconds: seconds) {
            for entry in entries {
                ms += 1
                let verdict = machine.decide(Position(ms: ms, seq: 0), entry.message, uuid: entry.uuid)
                made.verdicts += 1
                for field in verdict.loggedFields { made.bytes += field.value.count }
            }
            return entries.count
        }
        var object = JSONObject()
        object.add("decisions_per_second", Int(rate))
        object.add("verdict_bytes", made.bytes / max(1, made.verdicts))
        Output.json(object.finish())
    }

    private func documents() async throws -> [String: [UInt8]] {
        guard let file else { return SamplePolicy.documents(constraints) }
        var out: [String: [UInt8]] = [:]
        for item in try await PolicyFile.read(file).items {
            guard let id = item["constraint_id"]?.string else { throw CommandFailure(.refused, "\(file): a constraint has no constraint_id") }
            out[id] = Array(item.text)
        }
        return out
    }

    private func entries() async throws -> [(message: MessageEntry, uuid: MessageUUID)] {
        guard let messages else { return SamplePolicy(messages: 10_000).messages.compactMap { entry in entry.uuid.map { (entry, $0) } } }
        let ids = IDSource()
        return try await DocumentText.read(messages).split(separator: 0x0A).map { line in
            let entry = try Envelope.admit(Array(line), arrival: Arrival(via: "http")) { ids.next() }.entry
            guard let uuid = entry.uuid else { throw CommandFailure(.refused, "\(messages): a message has no id") }
            return (entry, uuid)
        }
    }
}
