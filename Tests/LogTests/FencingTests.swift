import Core
import Log
import RedisDriver
import TestSupport
import Testing

@Suite("Fencing")
struct FencingTests {
    /// A lease that was held under `stale` and is held by another process now.
    private func lost(_ rig: LogRig, _ session: RedisSession) throws -> (key: String, stale: Int, current: Int) {
        var one = Lease(name: "stage", instance: "one", ttl: .seconds(60), keys: rig.keys)
        guard case .held(let stale) = try one.renew(session) else { throw LogError.fenced("test") }
        try session.run("DEL", [one.key])
        var other = Lease(name: "stage", instance: "other", ttl: .seconds(60), keys: rig.keys)
        guard case .held(let current) = try other.renew(session) else { throw LogError.fenced("test") }
        return (one.key, stale, current)
    }

    /// The functions that act for a stage, with an epoch.
    private static let calls = ["decide", "limits", "bury", "deliver", "claim", "commit"]

    private func call(_ name: String, _ rig: LogRig, _ lease: String, _ epoch: Int, _ session: RedisSession) throws -> RedisValue {
        let keys = rig.keys
        let list = "\(keys.prefix):list"
        let arguments: [String] =
            switch name {
            case "decide":
                [
                    "meshlog_decide", "3", keys.stream(.verdicts), keys.stream(.messages), lease, String(epoch), "router", "9", "1-0", "4", "0", "event",
                    "message.decided",
                    "rule", "default",
                ]
            case "limits": ["meshlog_limits", "2", keys.limits, lease, String(epoch), "0-1-0\n"]
            case "bury":
                ["meshlog_bury", "3", keys.stream(.rejected), keys.stream(.messages), lease, String(epoch), "router", "1-0", "event", "input.rejected"]
            case "deliver":
                [
                    "meshlog_deliver", "3", keys.stream(.deliveries), keys.stream(.verdicts), lease, String(epoch), "republish", "1-0", "1", "2", "event",
                    "message.delivered",
                ]
            case "claim": ["meshlog_list_claim", "3", list, "\(list):processing", lease, String(epoch), "10", "LEFT", "1000"]
            default:
                ["meshlog_list_commit", "3", "\(list):processing", lease, keys.stream(.messages), String(epoch), "1", "0", "", "event", "message.accepted"]
            }
        return try session.call("FCALL", arguments)
    }

    /// Everything the functions could change.
    private func state(_ rig: LogRig, _ session: RedisSession) throws -> [RedisValue] {
        let list = "\(rig.keys.prefix):list"
        return try StreamName.allCases.map { try session.run("XLEN", [rig.keys.stream($0)]) } + [
            session.run("XPENDING", [rig.keys.stream(.messages), "router"]), session.run("XINFO", ["GROUPS", rig.keys.stream(.verdicts)]),
            session.run("GET", [rig.keys.limits]), session.run("LRANGE", [list, "0", "-1"]), session.run("LRANGE", ["\(list):processing", "0", "-1"]),
        ]
    }

    private func prepare(_ rig: LogRig, _ session: RedisSession) throws {
        _ = try rig.add("1-0", to: session)
        try session.run("XREADGROUP", ["GROUP", "router", "one", "STREAMS", rig.keys.stream(.messages), ">"])
        try session.run("RPUSH", ["\(rig.keys.prefix):list", "a", "b"])
        try session.run("RPUSH", ["\(rig.keys.prefix):list:processing", "c"])
    }

    @Test("A process that lost its lease cannot write for the stage", arguments: calls) func stale(_ name: String) async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            try prepare(rig, session)
            let (lease, stale, current) = try lost(rig, session)
            let before = try state(rig, session)
            #expect(try call(name, rig, lease, stale, session).refusal?.hasPrefix("FENCED") == true)
            #expect(try call(name, rig, lease, 0, session).refusal?.hasPrefix("FENCED") == true)
            #expect(try state(rig, session) == before)
            #expect(try call(name, rig, lease, current, session).refusal == nil, "the holder may")
            #expect(try state(rig, session) != before)
        }
    }

    @Test("Nobody may write for a stage whose lease has run out", arguments: calls) func expired(_ name: String) async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            try prepare(rig, session)
            let (lease, _, current) = try lost(rig, session)
            try session.run("DEL", [lease])
            let before = try state(rig, session)
            #expect(try call(name, rig, lease, current, session).refusal?.hasPrefix("FENCED") == true)
            #expect(try state(rig, session) == before)
        }
    }

    @Test("An epoch is compared whole: 1 does not pass for 11") func wholeEpoch() async throws {
        try await LogRig.with { rig in
            let session = try rig.connect()
            try prepare(rig, session)
            let lease = rig.keys.lease("stage")
            try session.run("SET", [lease, "11 one"])
            #expect(try call("decide", rig, lease, 1, session).refusal?.hasPrefix("FENCED") == true)
            #expect(try call("decide", rig, lease, 11, session).refusal == nil)
        }
    }

    @Test("The refusal reaches the caller as `.fenced`, which is not retryable") func error() {
        guard case .fenced = LogError(.server("FENCED another process holds the lease")) else {
            Issue.record("another case")
            return
        }
        #expect(!LogError(.server("FENCED x")).isRetryable)
        #expect(LogError(.unavailable("x")).isRetryable)
        #expect(LogError(.timedOut("x")).isRetryable)
    }
}
