internal import Control
internal import Core
internal import Hummingbird
internal import Log
internal import Web

/// Reads and changes the control plane for the routes: the present from memory, the past by folding it again.
struct ControlDesk: Sendable {
    private let positions: Positions
    private let past: PastStates
    let history: ControlHistory
    private let follower: ControlFollower
    private let writer: ControlWriter

    init(stores: Stores, keys: LogKeys, positions: Positions, follower: ControlFollower, writer: ControlWriter) {
        self.positions = positions
        self.follower = follower
        self.writer = writer
        past = PastStates(stores: stores, reader: ControlReader(keys: keys))
        history = ControlHistory(stores: stores, keys: keys)
    }

    // MARK: Reading

    /// A state, and the position that an answer made of it is at least as new as.
    struct Picture: Sendable {
        let state: ControlState
        let position: Position
    }

    /// The state now; nil when something has to be waited for.
    func immediate(_ request: Request) -> Picture? {
        guard request.headers[.meshlogMinPosition] == nil, let state = follower.readyState else { return nil }
        return Picture(state: state, position: state.position)
    }

    /// The state now, once it is as new as the request asks.
    func present(_ request: Request) async throws -> Picture {
        if let immediate = immediate(request) { return immediate }
        try await waitUntilReady()
        let reached = try await positions.waitForControl(request)
        let state = follower.state
        return Picture(state: state, position: reached.map { max($0, state.position) } ?? state.position)
    }

    /// The state at a moment; nil for now.
    func picture(_ request: Request, at moment: Moment?) async throws -> Picture {
        let present = try await present(request)
        guard let moment else { return present }
        return try await picture(at: moment, present: present.state)
    }

    func picture(at moment: Moment, present: ControlState) async throws -> Picture {
        let state = try await past.state(through: moment.through, present: present)
        return Picture(state: state, position: state.position)
    }

    /// Before the stream has once been read, everything would seem to be missing.
    private func waitUntilReady() async throws {
        if follower.isReady { return }
        let deadline = ContinuousClock.now + ViewLimits.controlReadyWait
        while ContinuousClock.now < deadline {
            try await Task.sleep(for: ViewLimits.positionPollInterval)
            if follower.isReady { return }
        }
        throw ProblemDocument(
            "control-unknown", status: 503, title: "The control plane is not known here yet",
            detail: "This process has started and has not been able to read the stream `control`; /readyz says what is missing.", headers: [.retryAfter: "1"])
    }

    // MARK: Changing

    /// Carries a command out.
    ///
    /// - Parameter path: of the document, for a problem's `instance`.
    /// - Throws: `ProblemDocument` that says what would pass.
    func run(_ command: ControlCommand, path: String) async throws -> ControlReceipt {
        try await waitUntilReady()
        do throws(ControlError) {
            return try await writer.run(command)
        } catch {
            throw ControlProblem.problem(error, command, path: path, position: follower.state.position)
        }
    }

    /// Brings documents back to an earlier state.
    ///
    /// - Returns: the positions of the changes.
    func restore(_ kinds: [ControlKind], to past: ControlState, author: ControlAuthor) async throws -> [Position] {
        do throws(ControlError) {
            return try await writer.restore(kinds, to: past, author: author)
        } catch {
            throw ControlProblem.problem(error, nil, path: "/v1/restore", position: follower.state.position)
        }
    }
}
