import Control
import Core
import TestSupport

/// Messages that no decent client sends, and rules that do the most with them. Random, but all of it is what the doors and the control plane
/// let in, except `forged`, which is what somebody writes into the stream by hand.
struct HostileMaker {
    var numbers: SeededNumbers
    private let reader = ConstraintReader(PolicyFold(defaultTarget: "default").set.compiler)
    /// Rules that were made, and those that the control plane would not have taken.
    private(set) var refused = 0

    init(_ seed: UInt64) { numbers = SeededNumbers(seed) }

    typealias Fields = [(name: String, value: [UInt8])]

    static let topics = ["odd.a", "even.a", "even.b"]

    // MARK: Messages

    /// What admission makes of a random message.
    mutating func admitted() -> Fields {
        while true {
            let text = message()
            let high = numbers.next()
            guard let entry = try? Envelope.admit(text, arrival: Arrival(via: "http", principal: name()), freshID: { MessageUUID(high: high, low: 1) }).entry
            else { continue }
            return fields(entry)
        }
    }

    private func fields(_ entry: MessageEntry) -> Fields {
        MessageField.allCases.filter { !$0.isOptional || entry.count($0) > 0 }.map { ($0.name.description, Array(entry.slice($0))) }
    }

    private mutating func message() -> [UInt8] {
        var out = Array(#"{"topic":"\#(numbers.pick(Self.topics))","source_subject_id":"#.utf8)
        JSONText.append(name(), to: &out)
        if numbers.once(in: 2) {
            let count = numbers.pick([0, 1, 3, 3, 200, 1_000])
            let names = (0..<count).map { _ in name() }
            out += Array(#","destination_subject_ids":["#.utf8)
            for (index, name) in names.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                JSONText.append(name, to: &out)
            }
            out.append(UInt8(ascii: "]"))
        }
        if numbers.once(in: 3) { out += Array(#","message_metadata":"#.utf8) + metadata() }
        switch numbers.below(8) {
        case 0:
            out += Array(
                #","content_type":"application/octet-stream","data_base64":"\#(String(decoding: Base64.encode(numbers.bytes(numbers.below(3_000))), as: UTF8.self))""#
                    .utf8)
        case 1: out += Array(#","content_type":"text/plain","data":"\#(odd())""#.utf8)
        case 2: break
        default: out += Array(#","data":"#.utf8) + payload()
        }
        return out + [UInt8(ascii: "}")]
    }

    private mutating func name() -> String {
        switch numbers.below(6) {
        case 0: String(repeating: numbers.pick(["x", "\"", "\\", "é"]), count: 1 + numbers.below(Limits.nameBytesMax / 2))
        case 1: numbers.pick(["ann bob", ">", "*", "a.b", "\u{202E}abc", "e\u{301}", "🧑‍🤝‍🧑", "\u{FFFF}", "null", "{}"])
        default: numbers.pick(["ann", "bob", "carl"])
        }
    }

    /// Up to the bound of metadata.
    private mutating func metadata() -> [UInt8] {
        switch numbers.below(4) {
        case 0: Array(#"{"k":"\#(String(repeating: "y", count: Limits.metadataBytesMax - 8))"}"#.utf8)
        case 1: Array("{\((0..<2_000).map { "\"k\($0)\":\($0)" }.joined(separator: ","))}".utf8)
        case 2: Array((#"{"k":"# + String(repeating: "[", count: 120) + String(repeating: "]", count: 120) + "}").utf8)
        default: Array(#"{"turn":\#(number()),"turn":"twice","task":"\#(odd())"}"#.utf8)
        }
    }

    /// The members that the rules look at, with values of any kind.
    private mutating func payload() -> [UInt8] {
        if numbers.once(in: 6) { return value() }
        var out = Array(#"{"amount":"#.utf8) + (numbers.once(in: 2) ? Array(number().utf8) : value())
        out += Array(#","text":"#.utf8) + (numbers.once(in: 4) ? value() : Array("\"\(odd())\"".utf8))
        out += Array(#","list":"#.utf8) + (numbers.once(in: 3) ? value() : list())
        return out + Array(#","any":"#.utf8) + value() + Array(#","any":"#.utf8) + value() + [UInt8(ascii: "}")]
    }

    private mutating func list() -> [UInt8] {
        let count = numbers.pick([0, 2, 50, 1_000])
        return Array("[\((0..<count).map { _ in numbers.once(in: 9) ? "\"\(odd())\"" : number() }.joined(separator: ","))]".utf8)
    }

    private mutating func value() -> [UInt8] {
        switch numbers.below(12) {
        case 0: Array((String(repeating: "[", count: 124) + String(repeating: "]", count: 124)).utf8)
        case 1: Array((String(repeating: #"{"x":"#, count: 120) + "1" + String(repeating: "}", count: 120)).utf8)
        case 2: Array("[\((numbers.once(in: 2) ? Array(repeating: number(), count: 30) : Array(repeating: "12", count: 5_000)).joined(separator: ","))]".utf8)
        case 3: Array(#"{"x":1,"x":2,"\#(odd())":3,"x":null}"#.utf8)
        case 4: Array("{\((0..<numbers.pick([3, 60, 3_000])).map { "\"k\($0)\":\($0)" }.joined(separator: ","))}".utf8)
        case 5: Array("\"\(String(repeating: odd(), count: numbers.pick([1, 30, 300])))\"".utf8)
        case 6: Array(numbers.pick(["true", "false", "null", "\"\"", "{}", "[]"]).utf8)
        case 7: Array(#"["ann","\#(odd())",\#(number()),["x"],{"y":1}]"#.utf8)
        case 8: Array(#"["ann","bob"]"#.utf8)
        case 9: Array(("\"" + String(repeating: "ab", count: numbers.pick([10, 20_000])) + "\"").utf8)
        default: Array(number().utf8)
        }
    }

    private mutating func number() -> String {
        numbers.pick([
            "0", "-0", "1", "7", "-1", "1.5", "1e400", "-1e400", "1e-400", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
            "18446744073709551616", "0.1e1",
            "1" + String(repeating: "0", count: numbers.pick([20, 400, 9_000])), "1e99999999", "0." + String(repeating: "3", count: 500),
            String(numbers.below(1_000)),
        ])
    }

    /// Text within quotes: what is hard about Unicode, and escapes that are no characters.
    private mutating func odd() -> String {
        numbers.pick([
            "", "a", "topic.of.mine", "not a topic", "a..b", ">", String(repeating: "t", count: 300), #"\u0000"#, #"\ud800"#, #"\udfff\ud800"#,
            #"\ud83d\ude00"#, "e\u{301}e\u{301}", "\u{202E}\u{200D}",
            "🧑‍🤝‍🧑", "\u{FFFD}\u{10FFFF}", #"\n\t\r\b\f\/\\\""#, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "2026-01-01T00:00:00Z", "99999999999h", "{{ message }}",
            "(a+)+$", "eyJ9",
        ])
    }

    /// An entry by hand: fields missing, doubled, malformed or far too long.
    mutating func forged() -> Fields {
        var fields = admitted()
        for _ in 0...numbers.below(3) where !fields.isEmpty {
            let index = numbers.below(fields.count)
            switch numbers.below(7) {
            case 0: fields.remove(at: index)
            case 1: fields[index].value = numbers.bytes(numbers.below(60))
            case 2: fields[index].value = Array(repeating: UInt8(ascii: "z"), count: numbers.pick([300, 70_000]))
            case 3: fields.append((name: fields[index].name, value: Array("again".utf8)))
            case 4: fields.append((name: numbers.pick(["release", "origin_ts", "message_metadata", "destination_subject_ids", "unknown"]), value: value()))
            case 5: fields[index].value = []
            default: fields[index].name = numbers.pick(["", "event", "\u{0}", "message_data"])
            }
        }
        if numbers.once(in: 5) { return [("hello", numbers.bytes(20))] }
        return fields.isEmpty ? [("", [])] : fields
    }

    // MARK: Rules

    private static let conditions = [
        "true", "message.size > 1000", "message.data.list.all(x, message.data.list.all(y, x == y || true))",
        "message.data.list.exists(x, message.data.text == 'x')",
        "message.data.list.map(x, string(x) + message.data.text).exists(s, s.contains('zz'))", "message.data.text.matches('(a|b|c)*(x{1,100}y{1,50})*z$')",
        "message.data.text.matches('^(([a-z0-9]+[.-]?)*)*@(([a-z0-9]+[.-]?)*)*$')", "message.data.any == message.data.any",
        "message.data.any != message.data.list", "message.data.any == {'x': 1}",
        "message.data.any in message.data.list", "has(message.data.any.x) && message.data.any.x.x.x == 1", "size(message.metadata) > 2",
        "message.metadata.exists(k, message.metadata[k] == message.data.any)",
        "message.destinations.exists(d, d.matches('.*(ann|bob){1,20}.*'))", "timestamp(message.data.text) > now",
        "int(message.data.amount) * 9223372036854775807 > 0", "duration(message.data.text) > duration('1s')",
        "message.data.list[int(message.data.amount)] == 1", "double(message.data.amount) / 0.0 > 1.0",
        "'%s %d'.format([message.data.any, message.data.amount]) != ''",
        "message.data.text.replace('', 'aaaaaaaaaa').replace('a', 'bbbbbbbb').split('').size() > 3", "base64.decode(message.data.text).size() > 1",
        "message.uuid.matches('[0-9a-f-]{36}')",
        "message.data.amount > 3", "message.data.list.filter(x, x > 1).map(x, x * 2).size() > 1", "message.source in message.destinations",
        "message.data.x.y.z", "message.data > message.data",
        "string(message.data.text).lowerAscii().reverse().contains('a')", "now.getFullYear() > 2000",
    ]
    private static let templates = [
        "{{ message.data }}", "{{ message.data.any }}", "{{ message.data.text }}", "{{ message.data.list }}", "x {{ message.data.any }} {{ message.metadata }}",
        "desk.{{ message.data.text }}", "{{ message.destinations }}",
        "{{ message.data.list.map(x, x) }}", "{{ {'a': message.data.any} }}", "{{ message.source }}", "{{ message.data.amount }}", "plain",
    ]
    private static let keys = [
        "message.data.text", "string(message.data.any)", "message.topic", "message.data.text + message.source", "message.source + message.source",
        "string(size(message.data.list))",
    ]

    private func quoted(_ text: String) -> String {
        var out: [UInt8] = []
        JSONText.append(text, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    private mutating func template() -> String { quoted(numbers.pick(Self.templates)) }

    private mutating func action(_ stage: String) -> String {
        switch numbers.pick(
            stage == "reception"
                ? ["block", "require", "limit"] : ["block", "require", "hold", "limit", "limit", "reroute", "reroute", "annotate", "annotate"])
        {
        case "limit":
            let over = stage == "initial" && numbers.once(in: 2) ? "delay" : "block"
            let key = numbers.once(in: 4) ? "" : #","key":\#(quoted(stage == "reception" && numbers.once(in: 2) ? "recipient" : numbers.pick(Self.keys)))"#
            return
                #"{"type":"limit","rate":\#(numbers.pick([1, 1_000_000_000])),"period_ms":\#(numbers.pick([1, 86_400_000])),"burst":\#(numbers.pick([1, 1_000_000_000])),"over":"\#(over)"\#(key)}"#
        case "reroute":
            var parts: [String] = []
            if numbers.once(in: 2) { parts.append(#""topic":\#(template())"#) }
            if numbers.once(in: 2) { parts.append(#""destinations":[\#(template()),\#(template())]"#) }
            if numbers.once(in: 3) || parts.isEmpty { parts.append(#""backbone":\#(template())"#) }
            return #"{"type":"reroute",\#(parts.joined(separator: ","))}"#
        case "annotate":
            return
                #"{"type":"annotate","metadata":{\#((0..<(1 + numbers.below(4))).map { "\"k\($0)\\u0001\":\(template())" }.joined(separator: ",")),"n":[1,{}]}}"#
        case "hold":
            return
                #"{"type":"hold","timeout_ms":\#(numbers.pick([1, 315_360_000_000])),"on_expiry":"\#(numbers.pick(["block", "deliver"]))","approvers":["\#(numbers.pick(["eve", "\u{202E}"]))"]}"#
        case let other: return #"{"type":"\#(other)"}"#
        }
    }

    /// A rule that the control plane takes.
    mutating func constraint(_ id: String) -> String {
        while true {
            let stage = numbers.once(in: 4) ? "reception" : "initial"
            let scope = numbers.once(in: 2) ? #"{"topics":["\#(numbers.pick(["odd.>", "even.*", ">"]))"]}"# : "{}"
            let document =
                #"{"constraint_id":"\#(id)","scope":\#(scope),"stage":"\#(stage)","when":\#(quoted(numbers.pick(Self.conditions))),"action":\#(action(stage)),"mode":"\#(numbers.pick(["enforce", "enforce", "shadow"]))","priority":\#(numbers.below(9)),"reason":\#(template())}"#
            if let root = try? JSONDocument(document).root, (try? reader.read(root)) != nil { return document }
            refused += 1
        }
    }
}
