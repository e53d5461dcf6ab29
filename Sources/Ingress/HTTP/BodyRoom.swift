internal import Core
package import Log
internal import Synchronization

/// The room in memory that bodies held whole share, over all connections. Each keeps to a bound of its own, and a few dozen at it would
/// still be more than a machine has.
package final class BodyRoom: Sendable {
    private let taken = Atomic(0)

    /// What one body has taken of it.
    package final class Share: Sendable {
        private let room: BodyRoom
        private let bytes = Atomic(0)

        fileprivate init(_ room: BodyRoom) { self.room = room }

        /// Takes room for more bytes of the body. The first of each, up to the size of a message, are free: large bodies keep no message out.
        ///
        /// - Throws: `.overloaded` when there is no room left.
        package func grow(by count: Int) throws(LogError) {
            let (old, new) = bytes.add(count, ordering: .relaxed)
            let more = max(new - Limits.messageBytesMax, 0) - max(old - Limits.messageBytesMax, 0)
            guard room.taken.add(more, ordering: .relaxed).newValue <= Limits.bodiesBytesMax else {
                throw .overloaded("large bodies of other requests take all the room there is for them")
            }
        }

        /// Gives all of it back, once the body has gone.
        package func giveBack() {
            let count = bytes.exchange(0, ordering: .relaxed)
            room.taken.subtract(max(count - Limits.messageBytesMax, 0), ordering: .relaxed)
        }
    }

    package init() {}

    package func share() -> Share { Share(self) }
}
