internal import Core
internal import Replay

/// How far the archive is. Who asks within `ViewLimits.positionPollInterval` shares one read.
actor ArchiveStand {
    private let stores: Stores
    private var last: Result<Position, any Error>?
    private var readAt: ContinuousClock.Instant?
    private var isReading = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(stores: Stores) { self.stores = stores }

    /// The newest position that anybody has seen, without asking; nil before the first read.
    private(set) var known: Position?

    /// Takes note of a position that was read along with something else.
    func note(_ position: Position) { known = max(known ?? position, position) }

    /// - Throws: what `Stores.archive` throws.
    func current() async throws -> Position {
        if isReading {
            await withCheckedContinuation { waiting.append($0) }
        } else if readAt.map({ ContinuousClock.now - $0 >= ViewLimits.positionPollInterval }) ?? true {
            await read()
        }
        guard let last else { preconditionFailure("a read leaves its result") }
        return try last.get()
    }

    private func read() async {
        isReading = true
        do {
            let position = try await stores.archive { session in try ArchiveStand.position(ArchiveReader(session: session)) }
            note(position)
            last = .success(position)
        } catch {
            last = .failure(error)
        }
        readAt = .now
        isReading = false
        let all = waiting
        waiting = []
        for one in all { one.resume() }
    }

    /// The checkpoint of messages and verdicts; zero before the first batch.
    static func position(_ reader: ArchiveReader) throws(ArchiveError) -> Position {
        try reader.checkpoints().first { $0.name == "archive" && $0.partition == 0 }?.position ?? .zero
    }
}
