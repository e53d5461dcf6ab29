import Core
import TestSupport
import Testing

/// The slow way: the times of all messages that conformed, as exact fractions, and the bucket worked out anew for each.
private struct ReferenceLimit {
    let rate: Int128
    let interval: Int128
    let burst: Int128
    private var tokens: Int128
    private var last: Int128 = 0

    init(_ limit: RateLimit) {
        rate = Int128(limit.rate)
        interval = Int128(limit.periodMs) * 1_000
        burst = Int128(limit.burst)
        tokens = Int128(limit.burst) * Int128(limit.periodMs) * 1_000
    }

    /// A bucket of `burst × interval` units, refilled with `rate` units a µs; a message takes `interval` units.
    mutating func take(at now: Int64) -> (conforms: Bool, remaining: Int64) {
        tokens = min(burst * interval, tokens + (Int128(now) - last) * rate)
        last = Int128(now)
        guard tokens >= interval else { return (false, 0) }
        tokens -= interval
        return (true, Int64(tokens / interval))
    }
}

@Suite("Policy: limits")
struct LimiterTests {
    @Test("GCRA conforms exactly as a bucket of tokens does, with every rate, period and burst") func reference() throws {
        let run = FuzzRun("GCRA", short: 300, share: 0.002)
        var numbers = SeededNumbers(run.seed)
        for _ in 0..<run.cases {
            let rate = numbers.pick([1, 2, 3, 7, 10, 100, 999, 1_000_000, 1_000_000_000])
            let limit = try #require(
                RateLimit(
                    rate: Int64(rate), periodMs: Int64(numbers.pick([1, 3, 10, 1_000, 60_000, 86_400_000])),
                    burst: Int64(1 + numbers.below(numbers.pick([1, 5, 50])))))
            let algorithm = GCRA(limit)
            var reference = ReferenceLimit(limit)
            var state: GCRA.Arrival?
            var now: Int64 = 1_767_225_600_000_000
            let step = max(1, Int(limit.periodMs * 1_000 / limit.rate))
            for _ in 0..<200 {
                now += Int64(numbers.below(numbers.pick([1, 2, step + 1, step * 3 + 1])))
                let answer = algorithm.answer(state, at: now)
                let expected = reference.take(at: now)
                #expect(answer.conforms == expected.conforms && answer.remaining == expected.remaining, "\(limit) at \(now)")
                if !answer.conforms {
                    #expect(answer.retryAfter > 0)
                    #expect(algorithm.answer(state, at: now + answer.retryAfter).conforms)
                    #expect(!algorithm.answer(state, at: now + answer.retryAfter - 1).conforms)
                }
                state = answer.arrival
            }
        }
    }

    @Test("A burst passes at once, then one each interval") func burst() throws {
        let documents = [PolicyRig.rule("l", #""action":{"type":"limit","rate":2,"period_ms":1000,"burst":3},"reason":"slow down, {{ message.source }}""#)]
        let set = try PolicyRig.set(documents)
        var machine = PolicyMachine(PolicyRig.compiler)
        var limiter = LimiterState()
        func ask(_ ms: UInt64, _ source: String = "bob") -> PolicyDecision {
            machine.decide(PolicyRig.message(source: source), at: Position(ms: ms, seq: 0), set, PolicyRig.context(), &limiter)
        }
        #expect([1_000, 1_000, 1_001].map { ask($0).outcome } == [.deliver, .deliver, .deliver])
        let over = ask(1_002)
        #expect(over.outcome == .block && over.rule == "l" && over.reason == "slow down, bob")
        #expect(over.retryAt == 1_500_000)
        #expect(ask(1_003, "ann").outcome == .deliver)
        #expect(ask(1_499).outcome == .block)
        #expect(ask(1_500).outcome == .deliver)
        #expect(RateLimitHeaders.policy(over.limits) == #""l";q=2;w=1"#)
        #expect(RateLimitHeaders.remaining(over.limits) == #""l";r=0;t=1"#)
        #expect(RateLimitHeaders.retryAfter(over.limits) == 1)
        let refusal = try #require(PolicyRefusal(over, at: Position(ms: 1_002, seq: 0), set, disclosesConditions: false))
        #expect(refusal.status == 429 && refusal.retryAfterMs == 498)
        #expect(refusal.wouldPass == "at most 2 messages in 1000 ms, 3 of them at once")
    }

    @Test("A delayed message is held until its time, in turn; one that would wait too long is blocked; a later rule may stop it") func delay() throws {
        let documents = [
            PolicyRig.rule("l", #""priority":3,"action":{"type":"limit","rate":1,"period_ms":1000,"over":"delay","delay_max_ms":2000}"#),
            PolicyRig.rule("b", #""when":"message.type == 'bad'","action":{"type":"block"}"#),
        ]
        let set = try PolicyRig.set(documents)
        var machine = PolicyMachine(PolicyRig.compiler)
        var limiter = LimiterState()
        func ask(_ type: String = "good") -> PolicyDecision {
            machine.decide(PolicyRig.message(type: type), at: Position(ms: 1_000, seq: 0), set, PolicyRig.context(), &limiter)
        }
        #expect(ask().outcome == .deliver)
        let second = ask()
        #expect(second.outcome == .hold && second.rule == "l" && second.retryAt == 2_000_000 && second.hold == nil)
        #expect(ask("bad").rule == "b")
        let last = ask()
        #expect(last.outcome == .block && last.retryAt == 4_000_000)
    }

    @Test("A shadow limit counts for itself") func shadow() throws {
        let set = try PolicyRig.set([PolicyRig.rule("l", #""mode":"shadow","action":{"type":"limit","rate":1,"period_ms":1000}"#)])
        var machine = PolicyMachine(PolicyRig.compiler)
        var limiter = LimiterState()
        let decisions = (0..<3).map { _ in machine.decide(PolicyRig.message(), at: Position(ms: 1, seq: 0), set, PolicyRig.context(), &limiter) }
        #expect(decisions.map(\.outcome) == [.deliver, .deliver, .deliver])
        #expect(decisions.map(\.shadows.count) == [0, 1, 1])
        #expect(decisions[2].retryAt == nil)
        #expect(limiter[LimiterState.Key(rule: "l", key: "bob")] == nil)
        #expect(RateLimitHeaders.policy(decisions[2].limits) == "")
    }

    @Test("The configuration's limit acts as a constraint of priority 0 for each sender") func configured() throws {
        let context = PolicyRig.context([
            (ConfigAddress(.global, name: "rate_limit_default"), #"{"rate":1,"period_ms":1000}"#),
            (ConfigAddress(.subject, scope: "vip", name: "rate_limit_default"), #"{"rate":2,"period_ms":1000}"#),
        ])
        var machine = PolicyMachine(PolicyRig.compiler)
        var limiter = LimiterState()
        let set = try PolicyRig.set([
            PolicyRig.rule("first", #""priority":1,"when":"message.type == 'bad'","action":{"type":"hold"}"#),
            PolicyRig.rule("behind", #""priority":-1,"when":"message.type == 'worse'","action":{"type":"block"}"#),
        ])
        func ask(_ source: String, _ type: String = "x") -> String {
            machine.decide(PolicyRig.message(source: source, type: type), at: Position(ms: 1, seq: 0), set, context, &limiter).rule
        }
        #expect(
            [ask("bob"), ask("bob"), ask("bob", "bad"), ask("bob", "worse"), ask("ann"), ask("ann", "worse")] == [
                "default", PolicyDecision.defaultLimit, "first", PolicyDecision.defaultLimit, "default", PolicyDecision.defaultLimit,
            ])
        #expect([ask("vip"), ask("vip", "worse"), ask("vip")] == ["default", "behind", PolicyDecision.defaultLimit])
    }

    @Test("What verdicts carry gives the state back") func recovery() throws {
        let set = try PolicyRig.set([
            PolicyRig.rule("a", #""action":{"type":"limit","rate":3,"period_ms":1000,"key":"message.type"}"#),
            PolicyRig.rule("b", #""mode":"shadow","action":{"type":"limit","rate":1,"period_ms":700,"burst":2}"#),
        ])
        var machine = PolicyMachine(PolicyRig.compiler)
        var limiter = LimiterState()
        var recovered = LimiterState()
        var numbers = SeededNumbers(11)
        var ms: UInt64 = 1_000
        for _ in 0..<2_000 {
            ms += UInt64(numbers.below(300))
            let position = Position(ms: ms, seq: 0)
            let decision = machine.decide(
                PolicyRig.message(source: "s\(numbers.below(9))", type: "t\(numbers.below(4))"), at: position, set, PolicyRig.context(), &limiter)
            recovered.restore(try #require(LimitTouch.list(decision.detail.limits)), at: position.microseconds)
        }
        #expect(recovered == limiter)
        #expect(recovered.digest(at: Int64(ms) * 1_000) == limiter.digest(at: Int64(ms) * 1_000))
        #expect(!limiter.canonical(at: Int64(ms) * 1_000).isEmpty)
    }

    @Test("What is remembered stays bounded, and what is forgotten is the same everywhere") func bounded() throws {
        let limit = GCRA(try #require(RateLimit(rate: 1, periodMs: 60_000, burst: 2)))
        func run() -> LimiterState {
            var state = LimiterState(keysMax: 100)
            var numbers = SeededNumbers(5)
            for index in 0..<5_000 {
                _ = state.take(limit, LimiterState.Key(rule: "r", key: "k\(numbers.below(1_000))", isShadow: numbers.once(in: 5)), at: Int64(index) * 100_000)
            }
            return state
        }
        let state = run()
        #expect(state.count <= 200)
        #expect(state == run())
        var idle = LimiterState(keysMax: 8)
        for index in 0..<9 { _ = idle.take(limit, LimiterState.Key(rule: "r", key: "\(index)"), at: Int64(index) * 1_000_000_000) }
        // The first eight had their whole burst again when the ninth came.
        #expect(idle.count == 1)
    }

    @Test("A limit whose rate changed goes on from its state, never more generously") func changedRate() throws {
        let old = GCRA(try #require(RateLimit(rate: 3, periodMs: 1, burst: 1)))
        let state = old.answer(nil, at: 0).arrival
        #expect(state == GCRA.Arrival(microseconds: 333, part: 1, denominator: 3))
        let new = GCRA(try #require(RateLimit(rate: 1_000, periodMs: 1, burst: 1)))
        #expect(!new.answer(state, at: 333).conforms)
        #expect(new.answer(state, at: 334).conforms)
    }
}
