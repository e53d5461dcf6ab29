import Control
import Core
import Ingress
import Log
import Synchronization
import Testing

@Suite("Admission")
struct AdmissionTests {
    @Test("Who asked for it is told of each payload that breaks a template: door, topic, sender, id and violations") func hook() throws {
        var templates = TemplateFold()
        var state = ControlState()
        let document = #"{"template_id":"t","topics":["a.>"],"version":4,"schema":{"type":"object"}}"#
        state.apply(Position(ms: 1, seq: 0), .success(ControlEvent(.template, .created, key: "t", document: Array(document.utf8))))
        templates.follow(state)
        let live = LiveConfig()
        live.put(.init(table: state.table, templates: templates.set, position: state.position))
        let told = Mutex<[ValidationFailure]>([])
        let admission = Admission(ids: IDSource(), doorSubjects: [], live: live, metrics: Metrics()) { failure in told.withLock { $0.append(failure) } }
        _ = try admission.admit(Array(#"{"topic":"a.b","data":{}}"#.utf8), door: .http)
        _ = try admission.admit(Array(#"{"topic":"b","data":1}"#.utf8), door: .http)
        do throws(Refusal) {
            _ = try admission.admit(
                Array(#"{"topic":"a.b","source_subject_id":"bob","message_uuid":"19164b3d-b1cb-5c74-9a4d-000000000001","data":1}"#.utf8), door: .redisList)
            Issue.record("it was admitted")
        } catch {
            #expect(error.isTemplate)
        }
        let failures = told.withLock { $0 }
        #expect(failures.count == 1)
        #expect(failures[0].door == "redis-list" && failures[0].topic == "a.b" && failures[0].source == "bob")
        #expect(failures[0].messageUUID.description == "19164b3d-b1cb-5c74-9a4d-000000000001")
        #expect(failures[0].violations.map(\.template) == ["t"] && failures[0].violations.map(\.version) == [4])
        // Without it the same message passes.
        state.apply(Position(ms: 2, seq: 0), .success(ControlEvent(.template, .deleted, key: "t", document: [])))
        templates.follow(state)
        live.put(.init(table: state.table, templates: templates.set, position: state.position))
        _ = try admission.admit(Array(#"{"topic":"a.b","data":1}"#.utf8), door: .http)
    }
}
