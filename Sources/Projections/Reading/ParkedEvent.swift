package import Core

/// An event that could not be applied and waits for somebody.
package struct ParkedEvent: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable { case parked, retry, applied, discarded }
    package let generation: Int
    package let stream: String
    package let position: Position
    package let status: Status
    package let reason: String
    /// The entry as JSON.
    package let entry: [UInt8]
    package let attempts: Int
    /// µs since the Unix epoch.
    package let parkedAt: Int64
    /// The checkpoint behind which it was applied out of turn.
    package let appliedAfter: Position?
}
