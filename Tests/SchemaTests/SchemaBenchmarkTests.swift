import Core
import RE2Driver
import TestSupport
import Testing

@Suite("Schema benchmark")
struct SchemaBenchmarkTests {
    @Test("Every case's instance is valid") func cases() throws {
        for benchmark in try SchemaBenchmark.all(SchemaCompiler(patterns: RE2Compiler())) { #expect(try benchmark.pass(2) == 2, "\(benchmark.name)") }
    }

    @Test("The real messages follow the message schema") func messages() throws {
        let schema = try SchemaCases.compile(SchemaBenchmark.messageSchema)
        for message in Repository.messages(200) {
            let verdict = try schema.validate(JSONDocument(message).root)
            #expect(verdict.violations == [])
        }
    }
}
