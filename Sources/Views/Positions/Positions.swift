internal import Control
internal import Core
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Log
internal import RedisDriver
internal import ServiceLifecycle
internal import Web

/// Read-your-writes: a read that names `Meshlog-Min-Position` waits until what it reads from has come that far.
///
/// That is so when it stands there or beyond, and also when nothing is missing up to there: the position has passed and no message
/// lies between.
/// - Bounds: `Limits.minPositionWaitMsMax`, then 504.
struct Positions: Sendable {
    let archive: ArchiveStand
    private let stores: Stores
    private let keys: LogKeys
    private let control: ControlFollower

    init(stores: Stores, keys: LogKeys, control: ControlFollower) {
        self.stores = stores
        self.keys = keys
        self.control = control
        archive = ArchiveStand(stores: stores)
    }

    /// Waits until the archive has passed what the request asks for, if it asks.
    ///
    /// - Returns: what was asked for.
    /// - Throws: 400 for a malformed header, 504 when the archive does not get there in time, 503 when it cannot be asked.
    func waitForArchive(_ request: Request) async throws -> Position? {
        guard let wanted = try await wanted(request) else { return nil }
        try await wait(wanted, what: "archive") {
            let stand = try await archive.current()
            // Without the log it is only the checkpoint that counts.
            if stand < wanted, (try? await isNothingMissing(in: .messages, after: stand, through: wanted)) == true { return wanted }
            return stand
        }
        return wanted
    }

    /// Waits until this process knows the control plane as of what the request asks for, if it asks.
    func waitForControl(_ request: Request) async throws -> Position? {
        guard let wanted = try await wanted(request) else { return nil }
        if control.state.position >= wanted { return wanted }
        try await wait(wanted, what: "control plane") {
            // A change of its own is on its way here; a position of another stream only has to have passed.
            if await control.reached(wanted, within: ViewLimits.positionPollInterval) { return wanted }
            let stand = control.state.position
            if (try? await isNothingMissing(in: .control, after: stand, through: wanted)) == true { return wanted }
            return stand
        }
        return wanted
    }

    /// Waits until a projection has folded what the request asks for, if it asks.
    ///
    /// - Parameters:
    ///   - streams: what the projection reads.
    ///   - checkpoint: how far it has come.
    func wait(forProjection name: String, of streams: [StreamName], _ request: Request, checkpoint: () async throws -> Position) async throws -> Position? {
        guard let wanted = try await wanted(request) else { return nil }
        try await wait(wanted, what: "projection \(name)") {
            let stand = try await checkpoint()
            if stand >= wanted { return stand }
            for stream in streams {
                guard (try? await isNothingMissing(in: stream, after: stand, through: wanted)) == true else { return stand }
                // A verdict stands where its message does: while that waits for its own, the projection waits too.
                if stream == .verdicts, (try? await isNothingMissing(in: .messages, after: stand, through: wanted)) != true { return stand }
            }
            return wanted
        }
        return wanted
    }

    /// Waits until the stream has passed what the request asks for, if it asks.
    func wait(for stream: StreamName, _ request: Request) async throws -> Position? {
        guard let wanted = try await wanted(request) else { return nil }
        try await wait(wanted, what: "stream \(stream.rawValue)") {
            let stand = try await stores.log { [keys] in try LogReader(keys: keys).bounds(stream, $0).last }
            // Only verdicts follow something; the other streams are what they are at any time.
            let begin = stream == .verdicts ? stand : wanted
            if stand < wanted, try await isNothingMissing(in: .messages, after: begin, through: wanted) { return wanted }
            return stand
        }
        return wanted
    }

    /// - Throws: 400 for what is no position, and for one that nobody can have been given.
    private func wanted(_ request: Request) async throws -> Position? {
        guard let text = request.headers[.meshlogMinPosition] else { return nil }
        var detail = PositionText.expectation
        if let position = PositionText.parse(text) {
            if position.ms <= UInt64(Date().timeIntervalSince1970 * 1000) + ViewLimits.clockSkewMs { return position }
            // Where Redis's clock was ahead once, or the log goes on behind another one's ids, so are the positions that it gives out.
            if let end = try? await stores.log({ [keys] in try Positions.end(keys, $0) }), position <= end { return position }
            detail = "it lies in the future, nobody can have been given it"
        }
        throw ParameterFault.problem([ParameterFault(parameter: "Meshlog-Min-Position", detail: detail)])
    }

    /// The last position that any stream has given out.
    private static func end(_ keys: LogKeys, _ session: RedisSession) throws(RedisError) -> Position {
        var end = Position.zero
        for name in StreamName.allCases { end = max(end, try LogReader(keys: keys).bounds(name, session).last) }
        return end
    }

    /// Has the time of `through` passed, and does the stream hold nothing behind `after` up to it? Entries get the time at which they
    /// come, so none can come there any more. Where the log's ids are ahead of the clock, what the streams have now is all that can be asked for.
    private func isNothingMissing(in stream: StreamName, after: Position, through: Position) async throws -> Bool {
        try await stores.log { [keys] session in
            let time = try session.run("TIME").array ?? []
            guard time.count == 2, let seconds = time[0].int, let microseconds = time[1].int else { return false }
            let hasPassed = UInt64(seconds) * 1000 + UInt64(microseconds / 1000) > through.ms
            guard try hasPassed || Positions.end(keys, session) >= through else { return false }
            if after >= through { return true }
            return try session.run("XRANGE", [keys.stream(stream), after.next.streamID, through.streamID, "COUNT", "1"]).array?.isEmpty == true
        }
    }

    private func wait(_ wanted: Position, what: String, _ read: () async throws -> Position) async throws {
        let deadline = ContinuousClock.now + .milliseconds(Limits.minPositionWaitMsMax)
        while true {
            let stand = try await read()
            if stand >= wanted { return }
            if ContinuousClock.now >= deadline || Task.isShuttingDownGracefully { throw Positions.notReached(wanted, stand, what: what) }
            try await Task.sleep(for: ViewLimits.positionPollInterval)
        }
    }

    private static func notReached(_ wanted: Position, _ stand: Position, what: String) -> ProblemDocument {
        ProblemDocument(
            "position-not-reached", status: 504, title: "The position has not been reached",
            detail: "The \(what) stands at \(stand) and has not passed \(wanted) within \(Limits.minPositionWaitMsMax) ms. Try again, or ask for less.",
            members: [("position", .string(stand.description)), ("wanted", .string(wanted.description))],
            headers: [.meshlogPosition: stand.description, .retryAfter: "1"])
    }
}
