internal import NIOConcurrencyHelpers

/// The doors on other servers that a process is opening: who tells people that it is up waits for them, so that what is published then is heard.
package final class OpeningDoors: Sendable {
    private let closed: NIOLockedValueBox<Set<Door>>

    package init(_ doors: Set<Door>) {
        closed = NIOLockedValueBox(doors)
    }

    /// The door listens, or has found that it cannot yet: a server that is away keeps nobody waiting. Repeating it changes nothing.
    func opened(_ door: Door) { closed.withLockedValue { _ = $0.remove(door) } }

    /// Every door has been opened, or tried.
    package var areOpen: Bool { closed.withLockedValue(\.isEmpty) }
}
