import Core
import Testing

@Suite("Control documents")
struct ControlTests {
    private func event(_ kind: ControlKind, _ change: ControlEvent.Change, _ key: String, _ document: String, version: Int? = nil) -> ControlEvent {
        ControlEvent(kind, change, key: key, document: Array(document.utf8), version: version, principal: "ada", via: "http", comment: "why")
    }

    private func fields(_ event: ControlEvent) -> (StaticString) -> ArraySlice<UInt8>? {
        let pairs = zip(ControlEvent.fieldNames.map(\.description), event.fieldValues)
        let table = Dictionary(uniqueKeysWithValues: pairs.map { ($0, $1) })
        return { table[$0.description].map { $0[...] } }
    }

    private func row(_ document: String, at ms: UInt64, before: ControlRow? = nil) -> ControlRow {
        ControlRow(event(.config, before == nil ? .created : .updated, "k", document), at: Position(ms: ms, seq: 0), before: before)
    }

    // MARK: Events

    @Test("An event survives its fields", arguments: ControlKind.allCases) func survives(kind: ControlKind) throws {
        for change in ControlEvent.Change.allCases {
            var before = event(kind, change, "key/1", change == .deleted ? "" : #"{"a": [1, 2.50]}"#)
            before.restoredFrom = Position(ms: 7, seq: 1)
            #expect(try ControlEvent(fields: fields(before)) == before)
        }
    }

    @Test("A field that is missing or wrong is named") func faults() {
        func fault(_ change: (inout ControlEvent) -> Void, without name: String? = nil) -> String? {
            var event = event(.config, .created, "global/a", "{}")
            change(&event)
            let all = fields(event)
            do throws(ControlFault) {
                _ = try ControlEvent(fields: { $0.description == name ? nil : all($0) })
                return nil
            } catch {
                return error.detail
            }
        }
        #expect(fault({ _ in }) == nil)
        #expect(fault({ _ in }, without: "key")?.contains("'key' is missing") == true)
        #expect(fault({ $0.key = "" })?.contains("key is empty") == true)
        #expect(fault({ $0.document = Array("[1]".utf8) })?.contains("no JSON object") == true)
        #expect(fault({ $0.document = Array("{".utf8) })?.contains("not JSON") == true)
        #expect(fault({ $0.version = 9 })?.contains("knows up to 1") == true)
    }

    @Test("A backbone of the first version becomes one of the second: organisations were one text") func upcast() throws {
        let old = event(.backbone, .created, "b1", #"{"system_id":"b1", "org_ids": "acme, globex,", "metadata": {"x": 1.0}}"#, version: 1)
        let new = try ControlEvent(fields: fields(old))
        #expect(new.version == 2)
        #expect(String(decoding: new.document, as: UTF8.self) == #"{"system_id":"b1","org_ids":["acme","globex"],"metadata":{"x": 1.0}}"#)
    }

    @Test("A row survives its JSON, and knows what it said before") func rows() throws {
        let first = row(#"{"v": 1}"#, at: 5)
        let second = row(#"{"v":2}"#, at: 9, before: first)
        #expect(second.created == Position(ms: 5, seq: 0) && second.revision == Position(ms: 9, seq: 0))
        #expect(second.previous?.document == first.document)
        for row in [first, second] {
            let again = try #require(ControlRow(json: row.json))
            #expect(again == row && again.json == row.json)
        }
        #expect(ControlRow(json: Array(#"{"document": 1}"#.utf8)) == nil)
    }

    // MARK: Machine

    private let machine = ControlMachine(rules: DocumentRules(form: { _, _ in Refusal() }))

    private func decide(_ verb: ControlCommand.Verb, expected: ExpectedVersion? = nil, row: ControlRow?) -> Result<ControlChange, ControlMachine.Fault> {
        let command = ControlCommand(verb, .backbone, "b1", expected: expected, author: ControlAuthor(principal: "ada", via: "http", comment: "c"))
        do throws(ControlMachine.Fault) { return .success(try machine.decide(command, row: row)) } catch { return .failure(error) }
    }

    @Test("Commands become changes based on the version at hand") func decisions() throws {
        let document = Array(#"{"name":"a"}"#.utf8)
        let there = row(#"{"name":"old","keep":true}"#, at: 5)
        let created = try decide(.create(document), row: nil).get()
        #expect(created.event.type == "backbone.created" && created.expected == .none && created.event.principal == "ada" && created.event.via == "http")
        let updated = try decide(.put(document), row: there).get()
        #expect(updated.event.type == "backbone.updated" && updated.expected == .at(there.revision))
        #expect(try decide(.put(document), row: nil).get().event.change == .created)
        let patched = try decide(.patch(Array(#"{"name":"new","more":{"a":null,"b":1}}"#.utf8)), row: there).get()
        #expect(String(decoding: patched.event.document, as: UTF8.self) == #"{"name":"new","keep":true,"more":{"b":1}}"#)
        #expect(try decide(.delete, row: there).get().event.document.isEmpty)
    }

    @Test("What cannot be done says why") func refusals() {
        let document = Array("{}".utf8)
        let there = row("{}", at: 5)
        func fault(_ result: Result<ControlChange, ControlMachine.Fault>) -> ControlMachine.Fault? {
            if case .failure(let fault) = result { fault } else { nil }
        }
        #expect(fault(decide(.create(document), row: there)) == .conflict(there))
        #expect(fault(decide(.delete, row: nil)) == .notFound)
        #expect(fault(decide(.patch(document), row: nil)) == .notFound)
        #expect(fault(decide(.put(document), expected: .at(Position(ms: 4, seq: 0)), row: there)) == .conflict(there))
        #expect(fault(decide(.put(document), expected: ExpectedVersion.none, row: there)) == .conflict(there))
        #expect(fault(decide(.put(document), expected: .exists, row: nil)) == .notFound)
        #expect(fault(decide(.put(document), expected: .at(there.revision), row: there)) == nil)
        for text in ["[1]", "{", "7"] { if case .refused = fault(decide(.put(Array(text.utf8)), row: nil)) {} else { Issue.record("\(text) is no document") } }
    }

    @Test("A change is made on one of several versions, and on none when none is named") func oneOf() throws {
        let document = Array("{}".utf8)
        let there = row("{}", at: 5)
        #expect(try decide(.put(document), expected: .oneOf([Position(ms: 4, seq: 0), there.revision]), row: there).get().expected == .at(there.revision))
        for versions in [[], [Position(ms: 4, seq: 0)]] {
            let result = decide(.put(document), expected: .oneOf(versions), row: there)
            #expect(throws: ControlMachine.Fault.conflict(there)) { try result.get() }
        }
    }

    @Test("No new document is called as a path says a step; one that is there can be changed and deleted") func steps() {
        let author = ControlAuthor(via: "http")
        func refusal(_ kind: ControlKind, _ key: String, _ verb: ControlCommand.Verb, row: ControlRow? = nil) -> Refusal? {
            do throws(ControlMachine.Fault) {
                _ = try machine.decide(ControlCommand(verb, kind, key, author: author), row: row)
                return nil
            } catch {
                if case .refused(let refusal) = error { return refusal }
                return nil
            }
        }
        let document = Array("{}".utf8)
        for key in [".", ".."] {
            #expect(refusal(.topics, key, .create(document))?.violations.map(\.pointer) == ["/subject_id"])
            #expect(refusal(.backbone, key, .put(document))?.violations.map(\.pointer) == ["/system_id"])
            #expect(refusal(.config, "global/\(key)", .put(document))?.violations.map(\.pointer) == ["/name"])
            #expect(refusal(.config, "org/a/\(key)", .put(document))?.violations.map(\.pointer) == ["/scope"])
            #expect(refusal(.topics, key, .put(document), row: row("{}", at: 5)) == nil)
            #expect(refusal(.topics, key, .delete, row: row("{}", at: 5)) == nil)
        }
        #expect(refusal(.topics, "...", .create(document)) == nil)
    }

    @Test(
        "Every member that stands twice is named",
        arguments: [
            ("{}", []), (#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#, []), (#"{"a":1,"b":2,"a":3}"#, ["/a"]), (#"{"a":1,"\u0061":2}"#, ["/a"]),
            (#"{"v":{"x/y":[0,{"b":1,"b":2}]},"v":null}"#, ["/v/x~1y/1/b", "/v"]), (#"[{"":1,"":2}]"#, ["/0/"]),
        ] as [(String, [String])]) func duplicates(text: String, pointers: [String]) throws
    {
        let refusal = Refusal(duplicateKeysIn: try JSONDocument(text).root)
        #expect(refusal.violations.map(\.pointer) == pointers)
        #expect(refusal.violations.allSatisfy { $0.code == .duplicateKey })
    }

    @Test("A patch that says a member twice is refused; of a document that was stored so, the last counts") func duplicatePatch() throws {
        let stored = row(#"{"action":"annotate","action":"block","n":1}"#, at: 5)
        let patched = try decide(.patch(Array(#"{"n":2}"#.utf8)), row: stored).get()
        #expect(String(decoding: patched.event.document, as: UTF8.self) == #"{"action":"block","n":2}"#)
        let refused = decide(.patch(Array(#"{"n":2,"n":3}"#.utf8)), row: stored)
        let expected = Refusal(.duplicateKey, "/n", "the member stands twice, so it is not clear which value is meant")
        #expect(throws: ControlMachine.Fault.refused(expected)) { try refused.get() }
    }

    @Test(
        "A merge patch does what RFC 7396 shows",
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#), (#"{"a":"b"}"#, #"{"a":null}"#, "{}"),
            (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#), (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#), (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
            (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#), (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
            (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
            (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#), ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ]) func mergePatch(target: String, patch: String, result: String) throws
    {
        #expect(String(decoding: JSONMergePatch.apply(try JSONDocument(patch).root, to: try JSONDocument(target).root), as: UTF8.self) == result)
    }

    // MARK: Configuration

    private func value(_ address: ConfigAddress, _ value: String, at ms: UInt64) -> (String, ControlRow) {
        (address.key, row(String(decoding: address.document(value: Array(value.utf8)), as: UTF8.self), at: ms))
    }

    @Test("An address survives its key, and nonsense is none") func addresses() {
        for address in [
            ConfigAddress(.global, name: "a"), ConfigAddress(.topic, scope: "x/y.>", name: "a.b"), ConfigAddress(.subject, scope: "s", name: "n"),
            ConfigAddress(.organisation, scope: "o", name: "n"),
        ] { #expect(ConfigAddress(key: address.key) == address) }
        for key in ["", "global", "global/", "global/a/b", "topic/a", "topic/a/", "planet/a/b", "topic//x"] {
            #expect(ConfigAddress(key: key) == nil, "\(key)")
        }
    }

    @Test("The nearest level wins: subject, topic, patterns from near to far, organisation, global") func levels() {
        var table = ConfigTable()
        func put(_ address: ConfigAddress, _ number: Int) {
            let (key, row) = value(address, String(number), at: UInt64(number))
            table.put(key: key, row)
        }
        let name = KnownSetting.messageBytesMax.rawValue
        put(ConfigAddress(.global, name: name), 1)
        #expect(!table.isVaried(.messageBytesMax))
        put(ConfigAddress(.organisation, scope: "acme", name: name), 2)
        put(ConfigAddress(.topic, scope: ">", name: name), 3)
        put(ConfigAddress(.topic, scope: "a.*", name: name), 4)
        put(ConfigAddress(.topic, scope: "a.>", name: name), 5)
        put(ConfigAddress(.topic, scope: "a.b", name: name), 6)
        put(ConfigAddress(.subject, scope: "s", name: name), 7)
        table.put(topicGroup: "g", row(#"{"subject_id":"g","topic_ids":["a.b","z"],"org_id":"acme"}"#, at: 1))
        #expect(table.isVaried(.messageBytesMax))
        func numbers(_ topic: String?, _ subject: String?) -> [UInt64] { table.candidates(name, topic: topic, subject: subject).map(\.row.revision.ms) }
        #expect(numbers("a.b", "s") == [7, 6, 4, 5, 3, 2, 1])
        #expect(numbers("a.b.c", nil) == [5, 3, 1])
        #expect(numbers("z", nil) == [3, 2, 1])
        #expect(numbers(nil, nil) == [1])
        #expect(table.integer(.messageBytesMax, topic: "q", subject: "s") == 7)
        table.put(key: ConfigAddress(.topic, scope: "a.*", name: name).key, nil)
        #expect(numbers("a.b", nil) == [6, 5, 3, 2, 1])
        table.put(topicGroup: "g", nil)
        #expect(numbers("z", nil) == [3, 1])
    }

    @Test("A topic that two groups name belongs to the smaller key, whichever came first") func owners() {
        let acme = row(#"{"topic_ids":["t"],"org_id":"acme"}"#, at: 1)
        let globex = row(#"{"topic_ids":["t","t"],"org_id":"globex"}"#, at: 2)
        for order in [["a", "b"], ["b", "a"]] {
            var table = ConfigTable()
            for key in order { table.put(topicGroup: key, key == "a" ? acme : globex) }
            #expect(table.organisation(of: "t") == "acme")
            table.put(topicGroup: "a", nil)
            #expect(table.organisation(of: "t") == "globex")
        }
    }

    @Test("A value that does not fit its name is refused with what would pass") func known() throws {
        let rules = DocumentRules(form: { _, _ in Refusal() })
        func summary(_ address: ConfigAddress, _ value: String) -> String {
            rules.check(.config, key: address.key, document: address.document(value: Array(value.utf8))).summary
        }
        #expect(summary(ConfigAddress(.topic, scope: "a.>", name: "max_message_bytes"), "1000").isEmpty)
        #expect(summary(ConfigAddress(.global, name: "max_message_bytes"), "\"big\"").contains("whole number from 1 to 1048576"))
        #expect(summary(ConfigAddress(.global, name: "max_message_bytes"), "0").contains("out of range"))
        #expect(summary(ConfigAddress(.topic, scope: "a..b", name: "anything"), "0").contains("no topic"))
        #expect(summary(ConfigAddress(.topic, scope: "a", name: "retention_age_ms"), "60000").contains("can be set at: global"))
        #expect(summary(ConfigAddress(.global, name: "rate_limit_default"), #"{"rate":0}"#).contains("\"rate\": 100"))
        #expect(summary(ConfigAddress(.global, name: "rate_limit_default"), #"{"rate":5,"period_ms":1000}"#).isEmpty)
        #expect(summary(ConfigAddress(.global, name: "my.own"), #"{"any":["thing"]}"#).isEmpty)
        #expect(summary(ConfigAddress(.global, name: "a"), #""x\u0000""#).contains("PostgreSQL cannot keep"))
        #expect(summary(ConfigAddress(.global, name: "a"), #""x\\u0000""#).isEmpty, "an escaped backslash, then plain text")
        #expect(rules.check(.backbone, key: "a", document: Array(#"{"system_id":"b"}"#.utf8)).summary.contains("the document names 'b'"))
    }
}
