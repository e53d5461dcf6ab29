import Control
import Core
import Log
import RedisDriver
import TestSupport
import Testing

@Suite("Router fuzz")
struct RouterFuzzTests {
    /// The most bytes that a field of a verdict can have, by the bounds of what stands in it; a character of JSON takes up to six bytes.
    private static let bounds: [String: Int] = {
        let rule = 2 * 6 * Limits.nameBytesMax
        let name = 6 * Limits.nameBytesMax + 3
        let reason = 6 * Limits.reasonBytesMax
        return [
            "rule": rule, "reason": 3 * Limits.reasonBytesMax, "policy_revision": 64, "targets": rule + 8, "subject": Limits.topicBytesMax,
            "shadow": Limits.verdictShadowsMax * (rule + name + reason + 128),
            "limits": 2 * Limits.verdictLimitsMax * (rule + 6 * Limits.limitKeyBytesMax + 512),
            "annotations": 6 * Limits.annotationBytesMax + 1_024, "withheld": Limits.destinationsMax * (rule + name + reason + 64),
            "error": Limits.verdictErrorsMax * (rule + reason + 64) + 64, "destinations": Limits.destinationsMax * name + 8,
            "hold": Limits.scopeNamesMax * name + 1_024,
            "retry_at": 20, "digest": 64,
        ]
    }()

    @Test(
        "Whatever stands in the log and whatever rules ask of it: each entry gets one verdict of bounded size or is buried with its cause, and the router goes on",
        .timeLimit(.minutes(30)))
    func hostile() async throws {
        let run = FuzzRun("router", short: 100, share: 0.005)
        var maker = HostileMaker(run.seed)
        try await RouterRig.with { rig in
            let session = try rig.connect()
            let onError = ConfigAddress(.topic, scope: "even.>", name: KnownSetting.policyOnError.rawValue)
            _ = try rig.control(.created, .config, onError.key, String(decoding: onError.document(value: Array(#""deliver""#.utf8)), as: UTF8.self), session)
            let round = 50
            try await rig.withRouter("one", leaseTTL: .seconds(10)) {
                for start in stride(from: 0, to: run.cases, by: round) {
                    for index in 0..<8 { _ = try rig.control(.updated, .constraint, "rule-\(index)", maker.constraint("rule-\(index)"), session) }
                    for _ in start..<min(run.cases, start + round) { try rig.append([maker.numbers.once(in: 5) ? maker.forged() : maker.admitted()], session) }
                    #expect(await eventually(within: .seconds(120)) { try Self.isSettled(rig, session) }, "the router goes on")
                }
            }
            try Self.check(rig, session)
            #expect(maker.refused < 32 * (1 + run.cases / round), "most rules are what the control plane takes: \(maker.refused) were not")
        }
    }

    private static func isSettled(_ rig: RouterRig, _ session: RedisSession) throws -> Bool {
        func length(_ stream: StreamName) throws -> Int { try session.run("XLEN", [rig.keys.stream(stream)]).int ?? -1 }
        return try length(.verdicts) + length(.rejected) == length(.messages) && rig.pending() == 0
    }

    /// Every entry has one verdict or one burial, and each verdict reads back and stays within the bounds.
    private static func check(_ rig: RouterRig, _ session: RedisSession) throws {
        let buried = try rig.buried(session)
        #expect(buried.allSatisfy { !$0.reason.isEmpty && $0.reason.utf8.count <= 512 }, "\(buried.map(\.reason.count).max() ?? 0)")
        let ids = try rig.ids(.verdicts)
        #expect(Set(ids).count == ids.count)
        #expect((ids.map { "0-\($0)" } + buried.map(\.position)).sorted() == (try rig.ids(.messages)).map { "0-\($0)" }.sorted())
        var outcomes: [Outcome: Int] = [:]
        for id in ids {
            var command = RESPWriter()
            command.command("XRANGE", [rig.keys.stream(.verdicts), id, id])
            try session.send(command)
            let verdict = try session.receive { reply in reply.count == 1 ? VerdictEntry(fields: EntryCodec.lookup(reply[0])) : nil }
            let read = try #require(verdict, "the verdict at \(id) is readable")
            outcomes[read.outcome, default: 0] += 1
            for (name, value) in read.loggedFields {
                guard let bound = bounds[name.description] else { continue }
                #expect(value.count <= bound, "\(name) at \(id) has \(value.count) bytes")
            }
            for json in [
                read.detail.shadow, read.detail.limits, read.detail.annotations, read.detail.withheld, read.detail.error, read.detail.destinations,
                read.detail.hold,
            ] where !json.isEmpty {
                #expect((try? JSONDocument(json)) != nil, "\(String(decoding: json.prefix(200), as: UTF8.self)) at \(id)")
            }
            #expect(LimitTouch.list(read.detail.limits) != nil)
            #expect(Subject.topicFault(read.subject.span) == nil)
        }
        print("outcomes: \(outcomes.map { "\($0.key.rawValue) \($0.value)" }.sorted()), buried \(buried.count)")
    }
}
