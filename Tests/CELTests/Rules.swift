import Core
import RE2Driver
import ZoneDriver

/// An environment as a host would make it: one message, and a few plain variables.
enum Rules {
    static let type = CELRecordType(
        "message",
        [
            CELRecordType.Field("topic", .string, sizeMax: 256), CELRecordType.Field("source", .string, sizeMax: 256),
            CELRecordType.Field("destinations", .list(.string), sizeMax: 1_000), CELRecordType.Field("time", .timestamp),
            CELRecordType.Field("data", .dyn), CELRecordType.Field("reply", .string),
        ])

    static let environment = CELEnvironment(
        variables: [
            CELEnvironment.Variable("message", .record("message")), CELEnvironment.Variable("n", .int), CELEnvironment.Variable("text", .string),
            CELEnvironment.Variable("items", .list(.int)), CELEnvironment.Variable("any", .dyn),
        ], records: [type], patterns: RE2Compiler(), zones: ZoneFolder())

    final class Message: CELRecord {
        let data: JSONDocument
        init(_ data: String) throws { self.data = try JSONDocument(data) }
        var type: CELRecordType { Rules.type }

        func field(_ index: Int) -> CELValue? {
            switch type.fields[index].name {
            case "topic": .string("agent.orders.created")
            case "source": .string("b")
            case "destinations": .list([.string("all"), .string("bob")])
            case "time": CELTimestamp(text: "2026-11-22T03:30:02.5Z").map(CELValue.timestamp)
            case "data": CELValue(json: data.root)
            default: nil
            }
        }
    }

    static func activation(_ data: String = "{}", any: CELValue = .null) throws -> CELActivation {
        var activation = environment.activation()
        activation.set(0, .record(try Message(data)))
        activation.set(1, .int(7))
        activation.set(2, .string("Grüße"))
        activation.set(3, .list((0..<10).map { .int($0) }))
        activation.set(4, any)
        return activation
    }

    /// The value, or the reason why there is none.
    static func outcome(_ source: String, data: String = "{}", any: CELValue = .null, check: Bool = true, costMax: Int = 100_000) throws -> Result<
        CELValue, CELError
    > {
        try environment.compile(source, check: check).evaluate(activation(data, any: any), costMax: costMax).outcome
    }

    static func value(_ source: String, data: String = "{}", any: CELValue = .null) throws -> CELValue {
        try outcome(source, data: data, any: any).get()
    }

    /// The findings for a source that must be refused.
    static func fault(_ source: String, _ environment: CELEnvironment = environment) -> CELFault? {
        do throws(CELFault) {
            _ = try environment.compile(source)
            return nil
        } catch {
            return error
        }
    }
}
