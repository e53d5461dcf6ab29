import Core
import Testing
import Verdicts

@Suite("RouterMachine")
struct RouterMachineTests {
    private func message(_ topic: String) -> MessageEntry {
        var entry = MessageEntry()
        entry.set(.topic, topic)
        return entry
    }

    @Test("Without policies every message goes to the default backbone on its own topic", arguments: ["a", "tasks.gen-1.statement", "é.ü", "foo*bar"])
    func deliver(_ topic: String) {
        let uuid = MessageUUID(high: 3, low: 4)
        let verdict = RouterMachine(defaultTarget: "eu").decide(Position(ms: 5, seq: 6), message(topic), uuid: uuid)
        #expect(
            verdict
                == VerdictEntry(
                    messageUUID: uuid, outcome: .deliver, rule: "default", reason: "", policyRevision: "0-0-0", targets: ["eu"], subject: Array(topic.utf8)))
    }

    @Test("The verdict depends on nothing but message and state") func pure() {
        let machine = RouterMachine(defaultTarget: "default")
        let verdicts = (0..<50).map { _ in machine.decide(Position(ms: 5, seq: 6), message("a.b"), uuid: MessageUUID(high: 1, low: 2)) }
        #expect(verdicts.allSatisfy { $0 == verdicts[0] })
    }
}
