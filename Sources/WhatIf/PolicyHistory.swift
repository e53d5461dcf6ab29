internal import Control
internal import Core
internal import Log
internal import RedisDriver
internal import Replay

/// The control plane as it was at each verdict's revision: folds `control` along with the messages.
///
/// - Cost: a round trip for each revision; one that lies further back, which no router writes behind a later one, folds from the beginning.
final class PolicyHistory {
    private var fold: LimitedFold
    private let reader: ControlReader
    private let session: RedisSession
    private let tools: PolicyTools
    /// nil before the first `move`.
    private var revision: Position?

    init(_ tools: PolicyTools, keys: LogKeys, session: RedisSession) {
        self.tools = tools
        self.session = session
        reader = ControlReader(keys: keys)
        fold = LimitedFold(tools)
    }

    /// The constraints in force at the revision.
    var set: PolicySet { fold.policy.set }

    /// What they look at besides the message.
    var context: PolicyContext { fold.policy.context() }

    /// The longest time, in ms, that any limit up to the revision needs to forget a message; 0 when there never was one.
    var limitWindowMs: Int64 { fold.limitWindowMs }

    /// Moves to a revision; whether it is another one than before.
    func move(to wanted: Position) throws(HistoryError) -> Bool {
        if wanted == revision { return false }
        if wanted < fold.position { fold = LimitedFold(tools) }
        do throws(RedisError) { try reader.fold(into: &fold, through: wanted, session) } catch { throw .log(error) }
        revision = wanted
        return true
    }
}

/// A policy that remembers how far back the limits reach that it ever had.
private struct LimitedFold: ControlFold {
    var policy: PolicyFold
    private(set) var limitWindowMs: Int64 = 0

    init(_ tools: PolicyTools) { policy = PolicyFold(defaultTarget: tools.defaultTarget) }

    var position: Position { policy.position }

    mutating func apply(_ position: Position, _ entry: Result<ControlEvent, UnreadableEntry>) {
        policy.apply(position, entry)
        guard case .success(let change) = entry, change.change != .deleted else { return }
        switch change.kind {
        case .constraint:
            if case .limit(let limit)? = policy.set[change.key]?.action { limitWindowMs = max(limitWindowMs, limit.windowMs) }
        case .config:
            guard let root = try? JSONDocument(change.document).root, root["name"]?.string == KnownSetting.rateLimit.rawValue else { return }
            if let limit = root["value"].flatMap({ RateLimit($0) }) { limitWindowMs = max(limitWindowMs, limit.windowMs) }
        case .backbone, .topics, .template, .webhook: return
        }
    }
}
