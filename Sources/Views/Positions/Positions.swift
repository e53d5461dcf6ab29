internal import Core
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Log
internal import ServiceLifecycle
internal import Web

/// Read-your-writes: a read that names `Meshlog-Min-Position` waits until what it reads from has come that far.
///
/// - Bounds: `Limits.minPositionWaitMsMax`, then 504.
struct Positions: Sendable {
    let archive: ArchiveStand
    private let stores: Stores
    private let reader: LogReader

    init(stores: Stores, keys: LogKeys) {
        self.stores = stores
        archive = ArchiveStand(stores: stores)
        reader = LogReader(keys: keys)
    }

    /// Waits until the archive has passed what the request asks for, if it asks.
    ///
    /// - Throws: 400 for a malformed header, 504 when the archive does not get there in time, 503 when it cannot be asked.
    func waitForArchive(_ request: Request) async throws {
        guard let wanted = try Positions.wanted(request) else { return }
        try await wait(wanted, what: "archive") { try await archive.current() }
    }

    /// Waits until the stream has passed what the request asks for, if it asks.
    func wait(for stream: StreamName, _ request: Request) async throws {
        guard let wanted = try Positions.wanted(request) else { return }
        try await wait(wanted, what: "stream \(stream.rawValue)") { [reader] in
            try await stores.log { try reader.bounds(stream, $0).last }
        }
    }

    static func wanted(_ request: Request) throws(ProblemDocument) -> Position? {
        guard let text = request.headers[.meshlogMinPosition] else { return nil }
        guard let position = PositionText.parse(text) else {
            throw ParameterFault.problem([ParameterFault(parameter: "Meshlog-Min-Position", detail: PositionText.expectation)])
        }
        return position
    }

    private func wait(_ wanted: Position, what: String, _ read: () async throws -> Position) async throws {
        let deadline = ContinuousClock.now + .milliseconds(Limits.minPositionWaitMsMax)
        let isAhead = wanted.ms > UInt64(Date().timeIntervalSince1970 * 1000) + ViewLimits.clockSkewMs
        while true {
            let stand = try await read()
            if stand >= wanted { return }
            if isAhead || ContinuousClock.now >= deadline || Task.isShuttingDownGracefully {
                throw Positions.notReached(wanted, stand, what: what, isAhead: isAhead)
            }
            try await Task.sleep(for: ViewLimits.positionPollInterval)
        }
    }

    private static func notReached(_ wanted: Position, _ stand: Position, what: String, isAhead: Bool) -> ProblemDocument {
        ProblemDocument(
            "position-not-reached", status: 504, title: "The position has not been reached",
            detail: isAhead
                ? "The \(what) stands at \(stand); \(wanted) lies in the future, nobody can have been given it."
                : "The \(what) stands at \(stand) and has not passed \(wanted) within \(Limits.minPositionWaitMsMax) ms. Try again, or ask for less.",
            members: [("position", .string(stand.description)), ("wanted", .string(wanted.description))],
            headers: [.meshlogPosition: stand.description, .retryAfter: "1"])
    }
}
