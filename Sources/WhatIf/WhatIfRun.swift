internal import Core
package import Log
internal import RedisDriver
package import Replay

/// Answers a what-if over the log: every message of the range is decided anew, with the configuration and registry that were in force at its
/// verdict's revision, and compared with what was logged. Blocking.
///
/// Limits begin with what the verdicts before the range left behind: all of them for the constraints in force, those of a candidate only where
/// it counts as the constraint of the same id counted (rate, period, burst, key, mode). So the same constraints give exactly the logged verdicts,
/// wherever the range begins.
/// - Bounds: `HistoryLimits`; memory for one chunk of messages, the constraints and the limits' keys.
package struct WhatIfRun: Sendable {
    private let question: WhatIfQuestion
    private let place: HistoryPlace
    private let tools: PolicyTools
    private let limits: HistoryLimits

    package init(_ question: WhatIfQuestion, place: HistoryPlace, tools: PolicyTools, limits: HistoryLimits = .none) {
        self.question = question
        self.place = place
        self.tools = tools
        self.limits = limits
    }

    /// - Parameters:
    ///   - stop: ends it within a few milliseconds; the answer then says how far it came.
    ///   - progress: told after each chunk.
    /// - Throws: `.tooMuch` when the limits reach further back than the run may read.
    package func run(stop: StopSignal = StopSignal(), progress: @escaping (HistoryProgress) -> Void = { _ in }) throws(HistoryError) -> WhatIfAnswer {
        let session = try place.session("what-if")
        let archive = ArchiveConnection(place, name: "meshlog-what-if")
        let walk = HistoryWalk(place: place, session: session, limits: limits, stop: stop, progress: progress)
        let decider = WhatIfDecider(question, walk, archive, PolicyHistory(tools, keys: place.keys, session: session), tools)
        let topics = try readsAll(session) ? [] : question.range.topics
        let coverage = try walk.go(over: question.range, reading: topics, archive: archive) { (one) throws(HistoryError) in try decider.visit(one) }
        return WhatIfAnswer(
            word: question.word, coverage: coverage, revisions: decider.revisions, limitsFrom: decider.limitsFrom,
            unknown: coverage.messages == 0 ? [] : decider.unmet.sorted(), report: decider.machine.report)
    }

    /// Whether messages that nobody asks about have to be read too: they count for limits. Without any limit they change nothing.
    private func readsAll(_ session: RedisSession) throws(HistoryError) -> Bool {
        if question.range.topics.isEmpty || question.hasLimits { return true }
        let history = PolicyHistory(tools, keys: place.keys, session: session)
        _ = try history.move(to: Position(ms: .max, seq: .max))
        return history.limitWindowMs > 0
    }
}

/// Decides the messages of one run, one after the other.
private final class WhatIfDecider {
    private(set) var machine: WhatIfMachine
    /// The first and the last revision of `control` that messages were decided with.
    private(set) var revisions: ClosedRange<Position>?
    /// From where on verdicts before the range were read, for the limits.
    private(set) var limitsFrom: Position?
    /// Ids of constraints to be taken away that have not been met yet.
    private(set) var unmet: Set<String> = []
    private let question: WhatIfQuestion
    private let walk: HistoryWalk
    private let archive: ArchiveConnection
    private let history: PolicyHistory
    private let tools: PolicyTools
    private let candidates: [String: Constraint]

    init(_ question: WhatIfQuestion, _ walk: HistoryWalk, _ archive: ArchiveConnection, _ history: PolicyHistory, _ tools: PolicyTools) {
        self.question = question
        self.walk = walk
        self.archive = archive
        self.history = history
        self.tools = tools
        candidates = Dictionary(question.candidates.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        machine = WhatIfMachine(PolicySet(tools.compiler))
        if case .merged(_, let removed) = question.policy { unmet = removed }
    }

    func visit(_ one: DecidedMessage) throws(HistoryError) {
        let revision = Position(one.verdict.policyRevision) ?? .zero
        let isFirst = revisions == nil
        if try history.move(to: revision) {
            machine.use(constraints)
            unmet = unmet.filter { history.set[$0] == nil }
        }
        if isFirst { try restoreLimits(before: one.position) }
        revisions = revisions.map { min($0.lowerBound, revision)...max($0.upperBound, revision) } ?? revision...revision
        machine.step(one.message, at: one.position, logged: one.verdict, history.context, isCounted: question.range.isAbout(one.message), digest: digest)
    }

    /// Of the inputs, where they are the log's own: then it is the log's, unless somebody changed the message or its verdict.
    private func digest(_ message: MessageEntry, _ position: Position, _ verdict: VerdictEntry) -> [UInt8] {
        if case .logged = question.policy { ContentDigest.inputs(message, at: position, verdict) } else { [] }
    }

    /// What applies at the revision at hand.
    private var constraints: PolicySet {
        switch question.policy {
        case .logged: return history.set
        case .replaced(let constraints): return PolicySet(tools.compiler, constraints: constraints)
        case .merged(let constraints, let removed):
            var set = history.set
            for id in removed { set.put(key: id, nil) }
            for constraint in constraints { set.put(constraint) }
            return set
        }
    }

    // MARK: Limits

    private func restoreLimits(before position: Position) throws(HistoryError) {
        guard history.limitWindowMs > 0, mayContinue else { return }
        let window = UInt64(history.limitWindowMs)
        let from = Position(ms: position.ms > window ? position.ms - window : 0, seq: 0)
        limitsFrom = from
        let before = HistoryRange(from: from, through: position.previous)
        // The time it takes is the run's; without all of it the limits would be wrong.
        let coverage = try HistoryWalk(place: walk.place, session: walk.session, limits: walk.limits, stop: walk.stop, progress: { _ in })
            .go(over: before, reading: [], archive: archive) { (one) throws(HistoryError) in
                guard let touches = LimitTouch.list(one.verdict.detail.limits), !touches.isEmpty else { return }
                machine.restore(touches.filter(continues), at: one.position.microseconds)
            }
        guard coverage.isComplete || walk.stop.isRequested else {
            throw .tooMuch(
                "the limits reach back to \(from), and \(coverage.messages) messages from there on are more than one request may read; `meshlog what-if` has no such bound"
            )
        }
    }

    /// Whether any limit of the past can go on under the policy that is asked about.
    private var mayContinue: Bool {
        guard case .replaced = question.policy else { return true }
        return history.context.config.isSet(KnownSetting.rateLimit.rawValue) || candidates.values.contains { isSame($0) }
    }

    /// Whether what a limit left behind counts under the policy that is asked about.
    private func continues(_ touch: LimitTouch) -> Bool {
        if let candidate = candidates[touch.key.rule] {
            guard case .limit(let limit) = candidate.action else { return false }
            return limit.rate == touch.limit && (candidate.mode == .shadow) == touch.key.isShadow && isSame(candidate)
        }
        switch question.policy {
        case .logged: return true
        case .merged(_, let removed): return !removed.contains(touch.key.rule)
        case .replaced: return touch.key.rule == PolicyDecision.defaultLimit
        }
    }

    /// Whether a candidate counts as the constraint of its id that is in force where the range begins.
    private func isSame(_ candidate: Constraint) -> Bool {
        guard case .limit(let limit) = candidate.action, case .limit(let old)? = history.set[candidate.id]?.action else { return false }
        return limit.rate == old.rate && limit.key?.source == old.key?.source
    }
}

extension WhatIfQuestion {
    var candidates: [Constraint] {
        switch policy {
        case .logged: []
        case .merged(let constraints, _), .replaced(let constraints): constraints
        }
    }

    var hasLimits: Bool { candidates.contains { $0.action.kind == .limit } }
}
