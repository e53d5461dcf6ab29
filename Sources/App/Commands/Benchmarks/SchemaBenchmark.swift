internal import ArgumentParser
internal import Client
internal import Core
internal import RE2Driver
internal import Samples

/// How many instances a second one thread validates: what `tools/bench` compares.
struct SchemaBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema-benchmark", abstract: "Measure JSON Schema validation; tools/bench uses it.",
        discussion: """
            For each sample: from the text to the answer, and of a text that is parsed already. With --messages one more, of these messages, one a line.
            --sample prints schemas and instances instead, for other validators.
            """,
        shouldDisplay: false)
    @Flag(help: "print the schemas and instances") var sample = false
    @Option(help: "messages to validate too, one a line") var messages: String?
    @Option(help: "how long each") var seconds = 0.5

    func run() async throws {
        var cases = SampleSchema.all.map { ($0.name, $0.schema, [Array($0.instance.utf8)]) }
        if let messages {
            cases.append(("messages", SampleSchema.messageSchema, try await DocumentText.read(messages).split(separator: 0x0A).map { Array($0) }))
        }
        let compiler = try SchemaCompiler(patterns: RE2Compiler())
        var lines: [[UInt8]] = []
        for (name, schema, instances) in cases {
            var object = JSONObject()
            object.add("name", name)
            if sample {
                object.add("schema", raw: schema.utf8)
                object.add("instances", raw: "[".utf8 + Array(instances.joined(separator: ",".utf8)) + "]".utf8)
            } else {
                let compiled = try compiler.compile(text: Array(schema.utf8))
                let documents = try instances.map { try JSONDocument($0) }
                func all(_ isValid: (Int) throws -> Bool) throws -> Int {
                    for index in instances.indices where try !isValid(index) { throw CommandFailure(.failed, "\(name): instance \(index) is not valid") }
                    return instances.count
                }
                object.add("texts_per_second", Int(try Stopwatch.rate(seconds: seconds) { try all { try compiled.isValid(JSONDocument(instances[$0]).root) } }))
                object.add("parsed_per_second", Int(try Stopwatch.rate(seconds: seconds) { try all { try compiled.isValid(documents[$0].root) } }))
            }
            lines.append(object.finish())
        }
        Output.json("[".utf8 + Array(lines.joined(separator: ",".utf8)) + "]".utf8)
    }
}
