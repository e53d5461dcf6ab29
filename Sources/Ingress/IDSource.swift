package import Core
internal import Foundation
internal import NIOConcurrencyHelpers

/// Gives out UUIDv7: ordered by time within this process, unique by 74 random bits.
package final class IDSource: Sendable {
    private struct State {
        var lastMs: UInt64 = 0
        var random: UInt64
        var step: UInt64
    }
    private let state: NIOLockedValueBox<State>

    package init() {
        var system = SystemRandomNumberGenerator()
        // Seeded by the system; an id must be unique, not unguessable, so no system call per message.
        state = NIOLockedValueBox(State(random: system.next(), step: system.next() | 1))
    }

    package func next() -> MessageUUID {
        let now = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
        return state.withLockedValue { state in
            state.lastMs = max(state.lastMs, now)
            return .v7(ms: state.lastMs, random: (IDSource.mix(&state.random, state.step), IDSource.mix(&state.random, state.step)))
        }
    }

    /// SplitMix64 with a step of its own per process.
    private static func mix(_ state: inout UInt64, _ step: UInt64) -> UInt64 {
        state &+= step
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
