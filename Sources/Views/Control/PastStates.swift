internal import Control
internal import Core
internal import Log
internal import NIOConcurrencyHelpers

/// The control plane at earlier positions: folded again from the log, beginning at the nearest state that is at hand.
///
/// - Cost: a fold from the beginning is a round trip for each thousand entries; the pages of one query share it.
/// - Bounds: `ViewLimits.pastStatesMax` states are kept.
final class PastStates: Sendable {
    private let stores: Stores
    private let reader: ControlReader
    /// The one that was used last stands last.
    private let kept = NIOLockedValueBox<[ControlState]>([])

    init(stores: Stores, reader: ControlReader) {
        self.stores = stores
        self.reader = reader
    }

    /// The state with everything up to `through`, and nothing behind it.
    ///
    /// - Parameter present: the newest state at hand.
    func state(through: Position, present: ControlState) async throws -> ControlState {
        let known = kept.withLockedValue { $0 }
        // A state says nothing about how far behind its last entry it was looked; what lies between is read.
        let nearest = (known + [present]).filter { $0.position <= through }.max { $0.position < $1.position }
        let state = try await stores.log { [reader] session in
            var state = nearest ?? ControlState()
            try reader.fold(into: &state, through: through, session)
            return state
        }
        keep(state)
        return state
    }

    private func keep(_ state: ControlState) {
        kept.withLockedValue { kept in
            kept.removeAll { $0.position == state.position }
            kept.append(state)
            if kept.count > ViewLimits.pastStatesMax { kept.removeFirst() }
        }
    }
}
