internal import NIOConcurrencyHelpers

/// The doors on other servers that a process is opening: who tells people that it is up waits for them, so that what is published then is heard.
package final class OpeningDoors: Sendable {
    private let closed: NIOLockedValueBox<Set<Door>>
    private let changes: AsyncStream<Never>
    private let change: AsyncStream<Never>.Continuation

    package init(_ doors: Set<Door>) {
        closed = NIOLockedValueBox(doors)
        (changes, change) = AsyncStream.makeStream(of: Never.self)
        if doors.isEmpty { change.finish() }
    }

    /// The door listens, or has found that it cannot yet: a server that is away keeps nobody waiting. Repeating it changes nothing.
    func opened(_ door: Door) {
        let isLast = closed.withLockedValue { $0.remove(door) != nil && $0.isEmpty }
        if isLast { change.finish() }
    }

    /// Every door has been opened, or tried.
    package var areOpen: Bool { closed.withLockedValue(\.isEmpty) }

    /// Returns when every door has been opened, or tried, or the task is cancelled; for one caller.
    package func wait() async {
        for await _ in changes {}
    }
}
