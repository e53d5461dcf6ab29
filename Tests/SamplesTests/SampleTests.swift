import Core
import RE2Driver
import Samples
import TestSupport
import Testing

@Suite("Samples")
struct SampleTests {
    @Test("Every schema's instance is valid") func instances() throws {
        let compiler = try SchemaCompiler(patterns: RE2Compiler())
        for sample in SampleSchema.all {
            let schema = try compiler.compile(text: Array(sample.schema.utf8))
            #expect(try schema.isValid(JSONDocument(sample.instance).root), "\(sample.name)")
        }
    }

    @Test("The real messages follow the message schema") func messages() throws {
        let schema = try SchemaCompiler(patterns: RE2Compiler()).compile(text: Array(SampleSchema.messageSchema.utf8))
        for message in Repository.messages(200) {
            let verdict = try schema.validate(JSONDocument(message).root)
            #expect(verdict.violations == [])
        }
    }

    @Test("The rule and its twin in Swift agree") func rule() throws {
        let sample = try SampleRule(count: 600)
        let program = try SampleRule.environment().compile(SampleRule.source)
        #expect(try sample.count(program) == sample.countDirectly())
        #expect(sample.countDirectly() == 200)
        #expect(program.reads == [["message", "data", "amount"], ["message", "destinations"], ["message", "source"], ["message", "topic"]])
    }

    @Test("The constraints are read, and a message has as many candidates however many they are") func policy() {
        let sample = SamplePolicy(messages: 600)
        let compiler = PolicyCompiler(patterns: RE2Compiler())
        func outcomes(_ constraints: Int) -> [PolicyDecision] {
            let set = PolicySet(compiler, documents: SamplePolicy.documents(constraints))
            #expect(set.constraints.count == constraints)
            var machine = PolicyMachine(compiler)
            var limiter = LimiterState()
            let context = PolicyContext()
            return sample.messages.enumerated().map { index, message in
                machine.decide(message, at: Position(ms: 1_767_225_600_000 + UInt64(index), seq: 0), set, context, &limiter)
            }
        }
        let few = outcomes(10)
        #expect(few == outcomes(1_000))
        #expect(few.contains { $0.cost > 0 } && few.allSatisfy { $0.faults.isEmpty })
    }
}
