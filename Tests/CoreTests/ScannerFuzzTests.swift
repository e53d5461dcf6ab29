import Core
import Foundation
import TestSupport
import Testing

/// JSON made by grammar, and bytes broken by mutation.
struct JSONMaker {
    var numbers: SeededNumbers

    mutating func value(_ depth: Int) -> String {
        switch numbers.below(depth > 0 ? 8 : 6) {
        case 0: return numbers.pick(["true", "false", "null"])
        case 1, 2: return number()
        case 3, 4, 5: return string()
        case 6:
            let items = (0..<numbers.below(4)).map { _ in value(depth - 1) }
            return "[" + space() + items.joined(separator: space() + "," + space()) + space() + "]"
        default:
            let members = (0..<numbers.below(4)).map { _ in string() + space() + ":" + space() + value(depth - 1) }
            return "{" + space() + members.joined(separator: "," + space()) + space() + "}"
        }
    }

    mutating func number() -> String {
        numbers.pick(["0", "-0", "1", "-17", "3.25", "1e5", "-2.5E-3", "123456789", "0.1", "1E+2", "\(Int64(truncatingIfNeeded: numbers.next()))"])
    }

    mutating func string() -> String {
        "\""
            + (0..<numbers.below(6)).map { _ in
                numbers.pick(["a", "topic", "é", "€", "😀", #"\n"#, #"\""#, #"\\"#, #"\/"#, #"\u00e9"#, #"\ud83d\ude00"#, " ", "{", "]", ",", #"\t"#])
            }.joined() + "\""
    }

    mutating func space() -> String { numbers.once(in: 3) ? numbers.pick([" ", "\t", "\r\n", "  "]) : "" }

    /// One to four small changes.
    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...numbers.below(4) {
            guard !bytes.isEmpty else { return bytes }
            let at = numbers.below(bytes.count)
            switch numbers.below(8) {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: numbers.next())
            case 1: bytes[at] ^= 1 << UInt8(numbers.below(8))
            case 2: bytes.remove(at: at)
            case 3: bytes.insert(numbers.pick(Array("{}[]:,\"\\u0-+.eE1tfn \u{0}\u{7F}".utf8)), at: at)
            case 4: bytes.removeSubrange(at..<min(bytes.count, at + 1 + numbers.below(8)))
            case 5: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + numbers.below(12))], at: numbers.below(bytes.count))
            case 6: bytes.insert(contentsOf: numbers.bytes(1 + numbers.below(3)), at: at)
            default: bytes.removeLast(numbers.below(bytes.count))
            }
        }
        return bytes
    }
}

@Suite("Fuzz")
struct ScannerFuzzTests {
    @Test("What the grammar makes is valid, and Foundation agrees") func grammar() {
        let run = FuzzRun("grammar", short: 5_000, share: 0.25)
        var maker = JSONMaker(numbers: SeededNumbers(run.seed))
        for index in 0..<run.cases {
            let text = maker.space() + maker.value(5) + maker.space()
            #expect(fault(text) == nil, "case \(index): \(text)")
            #expect((try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil, "case \(index): \(text)")
        }
    }

    @Test("The scanner and Foundation agree on mutated JSON, but where they are known to differ") func mutated() {
        let run = FuzzRun("scanner", short: 20_000)
        var maker = JSONMaker(numbers: SeededNumbers(run.seed))
        let real = Repository.messages(500).filter { $0.count < 1_500 }
        var valid = 0
        for index in 0..<run.cases {
            let base = maker.numbers.once(in: 3) && !real.isEmpty ? maker.numbers.pick(real) : Array(maker.value(5).utf8)
            let bytes = maker.mutate(base)
            let fault = fault(bytes)
            if fault == nil { valid += 1 }
            let foundation = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            guard (fault == nil) != foundation, !isKnownDifference(bytes, fault) else { continue }
            Issue.record(
                "case \(index), seed \(run.seed): scanner \(fault.map { "\($0)" } ?? "valid"), Foundation \(foundation ? "valid" : "invalid"): \(String(reflecting: String(decoding: bytes, as: UTF8.self))) \(bytes.prefix(64))"
            )
        }
        #expect(valid > run.cases / 50, "mutation leaves some texts valid, or this test compares nothing")
    }

    /// Where RFC 8259 and Foundation's reader differ.
    private func isKnownDifference(_ bytes: [UInt8], _ fault: JSONFault?) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let fault else {
            // Foundation refuses what it cannot represent: half surrogate pairs, numbers beyond Double, deep nesting.
            if text.range(of: #"\\u[dD][89a-fA-F]"#, options: .regularExpression) != nil { return true }
            if text.range(of: #"[0-9][eE]"#, options: .regularExpression) != nil || text.range(of: #"[0-9]{18}"#, options: .regularExpression) != nil {
                return true
            }
            return false
        }
        // Foundation guesses the encoding: UTF-16 or UTF-32 by NULs among the first bytes, and skips a byte order mark.
        if bytes.prefix(4).contains(0) || bytes.starts(with: [0xEF, 0xBB, 0xBF]) || bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            return true
        }
        // It takes a comma at the end of an array or object.
        if fault.reason == .unexpectedByte || fault.reason == .expectedKey, fault.offset < bytes.count, [0x5D, 0x7D].contains(bytes[fault.offset]) {
            return true
        }
        // It repairs or passes over what is not UTF-8 in places.
        return fault.reason == .notUTF8
    }

    @Test("Random bytes never crash the scanner, nor place a fault outside") func random() {
        let run = FuzzRun("random bytes", short: 20_000)
        var numbers = SeededNumbers(run.seed)
        for _ in 0..<run.cases {
            let bytes = numbers.bytes(numbers.below(40))
            if let fault = fault(bytes) { #expect((0...bytes.count).contains(fault.offset)) }
        }
    }

    @Test("Admission never crashes and always says the same") func admission() {
        let run = FuzzRun("admission", short: 20_000)
        var maker = JSONMaker(numbers: SeededNumbers(run.seed))
        let bases =
            Repository.messages(300).filter { $0.count < 1_500 } + OddInput.table(topic: "a").map(\.bytes).filter { $0.count < 2_000 }
            + BadInput.table(door: "MESSAGES").map(\.bytes).filter { $0.count < 2_000 }
        var admitted = 0
        for index in 0..<run.cases {
            let bytes = maker.mutate(maker.numbers.pick(bases))
            let first = admit(bytes)
            let second = admit(bytes)
            switch (first, second) {
            case (.success(let one), .success(let two)):
                admitted += 1
                #expect(fields(one.entry) == fields(two.entry), "case \(index), seed \(run.seed)")
                #expect(one.entry.fault == nil, "case \(index), seed \(run.seed): \(one.entry.fault ?? "")")
                if one.entry.isJSON { #expect(fault(Array(one.entry.slice(.data))) == nil, "case \(index), seed \(run.seed)") }
            case (.failure(let one), .failure(let two)):
                #expect(one == two)
                #expect(!one.isEmpty)
                #expect(fault(one.json) == nil, "case \(index), seed \(run.seed): the refusal is JSON itself")
            default: Issue.record("case \(index), seed \(run.seed): admitted once, refused once")
            }
        }
        #expect(admitted > run.cases / 100)
    }

    @Test("CloudEvents never crash admission and always say the same") func cloudEvents() {
        let run = FuzzRun("CloudEvents", short: 5_000, share: 0.25)
        var maker = JSONMaker(numbers: SeededNumbers(run.seed))
        let bases = [
            #"{"specversion":"1.0","type":"com.example.t","source":"/s","id":"1","time":"2018-04-05T17:31:00Z","ext":5,"flag":true,"data":{"a":[1,"é"]}}"#,
            #"{"specversion":"1.0","type":"t","source":"/s","id":"1","datacontenttype":"text/plain","data":"hé\n","topic":"a.b"}"#,
            #"{"specversion":"1.0","type":"t","source":"/s","id":"1","data_base64":"AAEC","subject":null}"#,
        ].map { Array($0.utf8) }
        func admit(_ bytes: [UInt8]) -> Result<[String: String], Refusal> {
            do throws(Refusal) {
                let event = try CloudEvent.read(bytes)
                return .success(fields(try event.admit(arrival: Arrival(via: "http"), digest: { Array($0.prefix(16)) + Array(repeating: 0, count: 16) }).entry))
            } catch {
                return .failure(error)
            }
        }
        for index in 0..<run.cases {
            let bytes = maker.mutate(maker.numbers.pick(bases))
            let result = admit(bytes)
            #expect(result == admit(bytes), "case \(index), seed \(run.seed)")
            if case .success(let fields) = result, let metadata = fields["message_metadata"] {
                #expect(fault(metadata) == nil, "case \(index), seed \(run.seed)")
            }
        }
    }
}
