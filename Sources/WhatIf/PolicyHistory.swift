internal import Core
internal import Log
internal import RedisDriver
internal import Replay

/// The control plane as it was at each verdict's revision: folds `control` along with the messages.
///
/// - Cost: a round trip for each `chunk` entries; revisions that go back, which happens only where a process decided by an older state than the
///   one before it, fold again from the beginning.
final class PolicyHistory {
    /// Constraints and context at `revision`.
    private(set) var fold: PolicyFold
    private(set) var revision = Position.zero
    /// The longest time, in ms, that any limit up to here needs to forget a message.
    private(set) var limitWindowMs: Int64 = 0
    private let keys: LogKeys
    private let session: RedisSession
    private let tools: PolicyTools
    /// Read, but not in force yet.
    private var ahead: [(position: Position, event: Result<ControlEvent, UnreadableEntry>)] = []
    private var aheadFrom = 0
    private var readThrough = Position.zero

    /// Entries of one round trip; each may be as large as a document.
    private static let chunk = 256

    init(_ tools: PolicyTools, keys: LogKeys, session: RedisSession) {
        self.tools = tools
        self.keys = keys
        self.session = session
        fold = PolicyFold(tools)
    }

    /// Moves to a revision; whether it is another one than before.
    func move(to wanted: Position) throws(HistoryError) -> Bool {
        if wanted == revision { return false }
        if wanted < revision {
            fold = PolicyFold(tools)
            ahead = []
            aheadFrom = 0
            readThrough = .zero
        }
        while true {
            while aheadFrom < ahead.count, ahead[aheadFrom].position <= wanted {
                note(ahead[aheadFrom].event)
                fold.apply(ahead[aheadFrom].position, ahead[aheadFrom].event)
                aheadFrom += 1
            }
            if aheadFrom < ahead.count || readThrough >= wanted { break }
            try read()
            if ahead.isEmpty { break }
        }
        revision = wanted
        return true
    }

    private func read() throws(HistoryError) {
        do throws(RedisError) {
            ahead = try LogReader(keys: keys).control(after: readThrough, count: PolicyHistory.chunk, session)
        } catch {
            throw .log(error)
        }
        aheadFrom = 0
        if let last = ahead.last { readThrough = last.position }
    }

    /// Remembers how far back limits reach.
    private func note(_ event: Result<ControlEvent, UnreadableEntry>) {
        guard case .success(let change) = event, change.change != .deleted, let root = try? JSONDocument(change.document).root else { return }
        switch change.kind {
        case .constraint:
            guard let action = root["action"], action["type"]?.string == "limit", let read = try? ConstraintReader(tools.compiler).read(root), case .limit(let limit) = read.action
            else { return }
            limitWindowMs = max(limitWindowMs, limit.windowMs)
        case .config:
            guard root["name"]?.string == KnownSetting.rateLimit.rawValue, let limit = root["value"].flatMap({ RateLimit($0) }) else { return }
            limitWindowMs = max(limitWindowMs, limit.windowMs)
        case .backbone, .topics, .template: return
        }
    }
}
