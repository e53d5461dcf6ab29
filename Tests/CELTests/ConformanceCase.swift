import Core
import Foundation
import RE2Driver
import ZoneDriver

/// One line of `cel.jsonl` (its README has the format).
struct ConformanceCase: CustomStringConvertible {
    let id: String
    let expression: String
    let isChecked: Bool
    let container: String
    let variables: [(name: String, type: CELType)]
    let bindings: [String: CELValue]
    /// nil: an error is expected.
    let expected: CELValue?
    /// The reference implementation in Go skips it as well.
    let isMild: Bool

    var description: String { id }

    static func load(_ folder: String) throws -> [ConformanceCase] {
        try String(contentsOfFile: folder + "/cel.jsonl", encoding: .utf8).split(separator: "\n").map { line in
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { throw Malformed(what: String(line)) }
            return try ConformanceCase(object)
        }
    }

    private init(_ object: [String: Any]) throws {
        id = object["id"] as? String ?? ""
        expression = object["expr"] as? String ?? ""
        isChecked = object["disable_check"] as? Bool != true
        container = object["container"] as? String ?? ""
        isMild = object["cel_go_skips"] as? Bool == true
        var bindings: [String: CELValue] = [:]
        for (name, value) in object["bindings"] as? [String: Any] ?? [:] { bindings[name] = try Self.value(value) }
        self.bindings = bindings
        var variables = try (object["type_env"] as? [[String: Any]] ?? []).map { (name: $0["name"] as? String ?? "", type: try Self.type($0["type"])) }
        // What is bound without a declaration is of any type.
        for name in bindings.keys.sorted() where !variables.contains(where: { $0.name == name }) { variables.append((name, .dyn)) }
        self.variables = variables
        guard let expect = object["expect"] as? [String: Any] else { throw Malformed(what: id) }
        expected = try expect["value"].map { try Self.value($0) }
    }

    struct Malformed: Error { let what: String }

    private static func type(_ json: Any?) throws -> CELType {
        if let name = json as? String {
            let known: [CELType] = [.int, .uint, .double, .bool, .string, .bytes, .null, .dyn, .timestamp, .duration, .type]
            guard let type = known.first(where: { $0.name == name }) else { throw Malformed(what: name) }
            return type
        }
        if let object = json as? [String: Any] {
            if let element = object["list"] { return .list(try type(element)) }
            if let entry = object["map"] as? [Any], entry.count == 2 { return .map(try type(entry[0]), try type(entry[1])) }
        }
        throw Malformed(what: "type \(String(describing: json))")
    }

    private static func value(_ json: Any) throws -> CELValue {
        guard let object = json as? [String: Any], let (kind, content) = object.first else { throw Malformed(what: "value \(json)") }
        let text = content as? String ?? ""
        let value: CELValue? =
            switch kind {
            case "null": .null
            case "bool": (content as? Bool).map(CELValue.bool)
            case "int": Int64(text).map(CELValue.int)
            case "uint": UInt64(text).map(CELValue.uint)
            case "double": Double(text).map(CELValue.double)
            case "string": .string(text)
            case "bytes": Data(base64Encoded: text).map { .bytes(Array($0)) }
            case "timestamp": CELTimestamp(text: text).map(CELValue.timestamp)
            case "duration": CELDuration(text: text).map(CELValue.duration)
            case "type": .type(text)
            case "list": .list(try (content as? [Any] ?? []).map { try self.value($0) })
            case "map": try map(content as? [[Any]] ?? [])
            default: nil
            }
        guard let value else { throw Malformed(what: "value \(json)") }
        return value
    }

    private static func map(_ pairs: [[Any]]) throws -> CELValue? {
        let keys = try pairs.compactMap { CELMapKey(try value($0[0])) }
        return CELTable(keys: keys, values: try pairs.map { try value($0[1]) }).map { .map(.table($0)) }
    }

    // MARK: Running

    func environment() -> CELEnvironment {
        CELEnvironment(
            variables: variables.map { CELEnvironment.Variable($0.name, $0.type) }, container: container, patterns: RE2Compiler(), zones: ZoneFolder())
    }

    /// The value, or the words of the error.
    func run(check: Bool? = nil) -> Result<CELValue, Failure> {
        let environment = environment()
        let program: CELProgram
        do throws(CELFault) { program = try environment.compile(expression, check: check ?? isChecked) } catch { return .failure(Failure(text: error.text)) }
        var activation = environment.activation()
        for (name, value) in bindings { if let index = environment.index(of: name) { activation.set(index, value) } }
        return program.evaluate(activation, costMax: 100_000).outcome.mapError { Failure(text: $0.detail) }
    }

    struct Failure: Error { let text: String }

    /// Why the outcome is not the expected one; nil when it is.
    func complaint(_ outcome: Result<CELValue, Failure>) -> String? {
        switch (outcome, expected) {
        case (.failure, nil): nil
        case (.failure(let failure), _?): "\(id): \(expression)\n   error: \(failure.text)"
        case (.success(let value), nil): "\(id): \(expression)\n   an error is expected, the value is \(value)"
        case (.success(let value), let expected?):
            Self.isSame(value, expected) ? nil : "\(id): \(expression)\n   \(expected) is expected, the value is \(value)"
        }
    }

    /// Equal in type and value; NaN is NaN, the order of a map has no meaning.
    static func isSame(_ left: CELValue, _ right: CELValue) -> Bool {
        guard left.typeName == right.typeName else { return false }
        switch (left, right) {
        case (.double(let left), .double(let right)):
            return (left.isNaN && right.isNaN) || (left == right && left.sign == right.sign)
        case (.list(let left), .list(let right)):
            return left.count == right.count && zip(left.elements, right.elements).allSatisfy(isSame)
        case (.map(let left), .map(let right)):
            return left.count == right.count
                && left.keys.allSatisfy { key in
                    right.keys.contains { isSame($0, key) } && isSame(left[key] ?? .null, right[key] ?? .null)
                }
        default: return left == right
        }
    }
}
