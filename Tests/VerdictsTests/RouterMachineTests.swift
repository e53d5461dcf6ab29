import Control
import Core
import Log
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
        var verdict = RouterMachine(PolicyFold(defaultTarget: "eu")).decide(Position(ms: 5, seq: 6), message(topic), uuid: uuid)
        #expect(verdict.detail.digest == ContentDigest.inputs(message(topic), at: Position(ms: 5, seq: 6), verdict))
        verdict.detail.digest = []
        #expect(
            verdict
                == VerdictEntry(
                    messageUUID: uuid, outcome: .deliver, rule: "default", reason: "", policyRevision: "0-0-0", targets: ["eu"], subject: Array(topic.utf8)))
    }

    @Test("The verdict depends on nothing but message and state") func pure() {
        let machine = RouterMachine(PolicyFold(defaultTarget: "default"))
        let verdicts = (0..<50).map { _ in machine.decide(Position(ms: 5, seq: 6), message("a.b"), uuid: MessageUUID(high: 1, low: 2)) }
        #expect(verdicts.allSatisfy { $0 == verdicts[0] })
    }

    @Test("Every change of the control stream is in the next verdict, which carries its position") func changes() {
        let machine = RouterMachine(PolicyFold(defaultTarget: "default"))
        func decide() -> VerdictEntry { machine.decide(Position(ms: 500, seq: 0), message("a.b"), uuid: MessageUUID(high: 1, low: 2)) }
        func change(_ ms: UInt64, _ kind: ControlKind, _ change: ControlEvent.Change, _ key: String, _ document: String) {
            machine.policy.apply(Position(ms: ms, seq: 0), .success(ControlEvent(kind, change, key: key, document: Array(document.utf8))))
        }
        change(1, .constraint, .created, "stop", #"{"constraint_id":"stop","scope":{"topics":["a.>"]},"action":{"type":"block"}}"#)
        #expect(decide().outcome == .block)
        #expect(decide().policyRevision == "0-1-0")
        change(2, .constraint, .updated, "stop", #"{"constraint_id":"stop","scope":{"topics":["b.>"]},"action":{"type":"block"}}"#)
        #expect(decide().outcome == .deliver)
        change(3, .backbone, .created, "eu-1", #"{"system_id":"eu-1","name":"eu","metadata":{"secret":true}}"#)
        change(4, .constraint, .created, "go", #"{"constraint_id":"go","when":"registry['eu'].metadata.secret","action":{"type":"reroute","backbone":"eu"}}"#)
        #expect(decide().targets == ["eu"])
        change(5, .backbone, .updated, "eu-1", #"{"system_id":"eu-1","name":"eu","metadata":{"secret":false}}"#)
        #expect(decide().targets == ["default"])
        #expect(decide().policyRevision == "0-5-0")
        change(6, .constraint, .deleted, "go", "")
        change(7, .config, .created, "global/my", #"{"level":"global","name":"my","value":1}"#)
        #expect(decide().policyRevision == "0-7-0")
    }
}
