import Core
import TestSupport
import Testing

@Suite("CEL fuzz")
struct FuzzTests {
    private static let data = #"{"amount": 150, "price": 1.5, "name": "Bob", "tags": ["a", 1, null, true, [2]], "nested": {"x": {"y": [10, 20]}}}"#

    private static let words = [
        "n", "text", "items", "any", "message", ".", ".topic", ".data", ".amount", ".tags", "(", ")", "[", "]", "{", "}", ",", ":", "?", "&&", "||", "!", "-",
        "+", "*", "/", "%", "==", "!=", "<", ">=", " in ",
        "1", "0", "2u", "1.5", "'a'", "b'a'", "true", "null", ".all(x, ", ".map(x, ", ".exists(x, ", ".filter(x, ", "x", "size(", "string(", "int(", "has(",
        ".format(", "'%s'", "math.greatest(", ".matches(", "'''", "\"", "\\", "r'",
        "9223372036854775807", "1e308", ".split('')", ".join()", "timestamp(", "duration('1s')", ".getHours('Europe/Berlin')", " ", "\n", "//", "`", "ü", "é",
    ]

    /// An expression that mostly fits the grammar and often the types.
    private static func expression(_ numbers: inout SeededNumbers, _ depth: Int) -> String {
        if depth == 0 {
            return numbers.pick([
                "n", "text", "items", "any", "1", "0", "-7", "2u", "1.5", "'ab'", "b'a'", "true", "false", "null", "message.data", "message.data.amount",
                "message.topic", "[]", "{}", "x", "duration('1s')", "message.time",
            ])
        }
        func part() -> String { expression(&numbers, depth - 1 - numbers.below(depth)) }
        switch numbers.below(14) {
        case 0: return "(" + part() + numbers.pick([" + ", " - ", " * ", " / ", " % "]) + part() + ")"
        case 1: return part() + numbers.pick([" == ", " != ", " < ", " <= ", " > ", " >= ", " in "]) + part()
        case 2: return "(" + part() + numbers.pick([" && ", " || "]) + part() + ")"
        case 3: return "(" + part() + " ? " + "(" + part() + ")" + " : " + part() + ")"
        case 4: return numbers.pick(["!", "-"]) + part()
        case 5: return "[" + part() + ", " + part() + "]"
        case 6: return "{" + part() + ": " + part() + "}"
        case 7: return part() + "[" + part() + "]"
        case 8: return part() + "." + numbers.pick(["all", "exists", "exists_one", "map", "filter"]) + "(x, " + part() + ")"
        case 9:
            return numbers.pick([
                "size", "string", "int", "uint", "double", "bytes", "bool", "type", "dyn", "timestamp", "duration", "math.abs", "math.greatest",
                "base64.encode", "strings.quote",
            ]) + "(" + part() + ")"
        case 10: return part() + "." + numbers.pick(["trim", "reverse", "join", "lowerAscii", "getHours", "getMonth", "size"]) + "()"
        case 11:
            return part() + "."
                + numbers.pick(["startsWith", "contains", "matches", "split", "format", "indexOf", "charAt", "substring", "join", "getHours", "lastIndexOf"])
                + "(" + part() + ")"
        case 12: return "has(" + part() + "." + numbers.pick(["amount", "topic", "a"]) + ")"
        default: return part() + "." + numbers.pick(["amount", "tags", "topic", "x"])
        }
    }

    private static func source(_ numbers: inout SeededNumbers) -> String {
        switch numbers.below(8) {
        case 0: return (0..<(1 + numbers.below(12))).map { _ in numbers.pick(words) }.joined()
        case 1:
            var bytes = Array(expression(&numbers, 4).utf8)
            for _ in 0...numbers.below(3) where !bytes.isEmpty { bytes[numbers.below(bytes.count)] = UInt8(truncatingIfNeeded: numbers.next()) }
            return String(decoding: bytes, as: UTF8.self)
        case 2: return String(decoding: numbers.bytes(numbers.below(40)), as: UTF8.self)
        default: return expression(&numbers, 1 + numbers.below(5))
        }
    }

    @Test("No source crashes the compiler or the evaluator; findings lie in the source; checked and unchecked agree") func fuzz() throws {
        let run = FuzzRun("CEL", short: 4_000, share: 0.05)
        var numbers = SeededNumbers(run.seed)
        let any = CELValue(json: try JSONDocument(Self.data).root)
        let activation = try Rules.activation(Self.data, any: any)
        var compiled = 0
        var evaluated = 0
        for index in 0..<run.cases {
            let source = Self.source(&numbers)
            let unchecked: CELProgram
            do throws(CELFault) {
                unchecked = try Rules.environment.compile(source, check: false)
            } catch {
                #expect(error.findings.allSatisfy { (0...source.utf8.count).contains($0.offset) && !$0.message.isEmpty }, "case \(index): \(source)")
                #expect(!error.text.isEmpty)
                continue
            }
            let loose = unchecked.evaluate(activation, costMax: 5_000)
            #expect(loose.cost <= 5_000)
            do throws(CELFault) {
                let program = try Rules.environment.compile(source)
                compiled += 1
                let strict = program.evaluate(activation, costMax: 5_000)
                let again = program.evaluate(activation, costMax: 5_000)
                #expect(strict.cost == again.cost, "case \(index): \(source)")
                if let value = strict.value, let other = loose.value {
                    evaluated += 1
                    #expect(ConformanceCase.isSame(value, other), "case \(index): \(source)")
                } else {
                    #expect((strict.value == nil) == (loose.value == nil), "case \(index): \(source)")
                }
                if let error = strict.error { #expect((0...source.utf8.count).contains(error.offset)) }
            } catch {
                #expect(error.findings.allSatisfy { (0...source.utf8.count).contains($0.offset) }, "case \(index): \(source)")
            }
        }
        #expect(compiled > run.cases / 50, "the generator makes sense: \(compiled) of \(run.cases) passed the checker, \(evaluated) had a value")
    }
}
