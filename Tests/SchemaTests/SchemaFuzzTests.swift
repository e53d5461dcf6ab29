import Core
import RE2Driver
import TestSupport
import Testing

@Suite("Schema fuzz")
struct SchemaFuzzTests {
    @Test("No text makes the parser crash, and it agrees with the scanner") func parse() throws {
        let run = FuzzRun("json documents", short: 5_000, share: 0.5)
        var maker = SchemaMaker(numbers: SeededNumbers(run.seed))
        for _ in 0..<run.cases {
            let text = mutate(Array(maker.instance(4).utf8), &maker.numbers)
            let document = try? JSONDocument(text)
            #expect((document != nil) == ((try? JSONScanner.validate(text.span)) != nil), "\(text)")
            guard let document else { continue }
            let again = try JSONDocument(document.root.canonical)
            #expect(document.root.canonical == again.root.canonical, "\(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test("No schema and no instance crash or hang, and both ways of asking agree") func evaluate() throws {
        let run = FuzzRun("schemas", short: 1_500, share: 0.02)
        var maker = SchemaMaker(numbers: SeededNumbers(run.seed))
        let compiler = try SchemaCompiler(patterns: RE2Compiler())
        var compiled = 0
        for _ in 0..<run.cases {
            var text = Array(maker.schema(4).utf8)
            if maker.numbers.once(in: 4) { text = mutate(text, &maker.numbers) }
            guard let schema = try? compiler.compile(text: text, options: .init(assertsFormats: true)) else { continue }
            compiled += 1
            for _ in 0..<10 {
                let instance = try JSONDocument(maker.instance(4))
                guard let verdict = try? schema.validate(instance.root) else { continue }
                #expect(try schema.isValid(instance.root) == verdict.isValid, "\(String(decoding: text, as: UTF8.self))")
            }
        }
        #expect(compiled > run.cases / 10)
    }

    @Test("No pattern and no format value crash") func patterns() throws {
        let run = FuzzRun("patterns and formats", short: 5_000, share: 0.5)
        var numbers = SeededNumbers(run.seed)
        let parts = [
            "a", "(", ")", "[", "]", "{", "}", "2", ",", "?", "*", "+", "|", "^", "$", #"\"#, "d", "p{L}", "u0041", "<", ">", ":", "k", "-", ".", "/", "%41",
            "@", "é", "xn--", "Z", "::", "T",
        ]
        for _ in 0..<run.cases {
            let text = (0..<numbers.below(12)).map { _ in numbers.pick(parts) }.joined()
            if let translated = try? ECMAPattern.translate(text) { _ = try? RE2Compiler().compile(translated) }
            let bytes = Array(text.utf8)
            for format in SchemaFormat.allCases { _ = format.accepts(bytes.span) }
        }
    }

    private func mutate(_ bytes: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<numbers.below(4) where !bytes.isEmpty {
            let at = numbers.below(bytes.count)
            switch numbers.below(4) {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: numbers.next())
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(numbers.pick(Array("{}[]:,\"\\u0-+.eE1tfn ".utf8)), at: at)
            default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 6)], at: numbers.below(bytes.count))
            }
        }
        return bytes
    }
}
