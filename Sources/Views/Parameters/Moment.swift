internal import Core
internal import Foundation

/// A moment of the past, as a position of the log or as a time.
enum Moment: Equatable, Sendable {
    case position(Position)
    /// µs since the epoch.
    case time(Int64)

    struct Fault: Error, Equatable {
        let detail: String
    }

    static let expectation = "a position such as 0-1767225600000-0, or a time such as 2026-01-31T12:00:00Z"

    /// - Throws: what is wrong with the text.
    init(_ text: String) throws(Fault) {
        if let position = PositionText.parse(text) {
            self = .position(position)
        } else if let time = QueryReader.time(text) {
            self = .time(max(0, time))
        } else {
            throw Fault(detail: "not \(Moment.expectation)")
        }
        // Nobody can know what will have been; clocks differ a little.
        if through.ms > UInt64(Date().timeIntervalSince1970 * 1000) + ViewLimits.clockSkewMs { throw Fault(detail: "it lies in the future") }
    }

    /// The last position that belongs to it: of a time, all of its millisecond. PostgreSQL has no larger numbers.
    var through: Position {
        switch self {
        case .position(let position): position
        case .time(let microseconds): Position(ms: UInt64(microseconds / 1000), seq: UInt64(Int64.max))
        }
    }
}
