package import Core
internal import Log
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix

/// Looks names up, and lets nobody wait for longer than he wants to.
///
/// A look-up blocks its thread until the system's resolver gives up, which may be long after everybody has gone; nobody can end it before. So
/// requests for one name share one look-up: a name server that is silent keeps one thread for each of its names.
/// - Bounds: `lookupsMax` threads; where all of them hang, others are told so at once.
package final class NameResolver: Sendable {
    /// Finds a name's address; blocks.
    package typealias Look = @Sendable (_ host: String, _ port: Int) throws -> NetworkAddress?

    package enum Fault: Error, Equatable {
        case unknown
        /// No answer in time.
        case late
        /// So many look-ups hang that no further one is begun.
        case busy(Int)
    }

    private struct Name: Hashable {
        let host: String
        let port: Int
    }

    /// Somebody who waits for an answer.
    private struct Waiter {
        let continuation: CheckedContinuation<Result<NetworkAddress, Fault>, Never>
        var alarm: Scheduled<Void>?

        func resume(_ result: Result<NetworkAddress, Fault>) {
            alarm?.cancel()
            continuation.resume(returning: result)
        }
    }

    private struct State {
        var tickets = 0
        /// Look-ups under way, and who waits for each, by ticket; nobody may.
        var lookups: [Name: [Int: Waiter]] = [:]
    }

    private let look: Look
    private let lookupsMax: Int
    private let state = NIOLockedValueBox(State())

    package init(lookupsMax: Int = Limits.webhookLookupsMax, look: @escaping Look) {
        self.lookupsMax = lookupsMax
        self.look = look
    }

    /// - Cost: a thread, unless the name is being looked up already.
    package func address(of host: String, port: Int, timeoutMs: Int64) async throws(Fault) -> NetworkAddress {
        let name = Name(host: host, port: port)
        let ticket = state.withLockedValue { state in
            state.tickets += 1
            return state.tickets
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard join(name, ticket, continuation) else { return }
                let alarm = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: .milliseconds(timeoutMs)) { [self] in leave(name, ticket) }
                let isWaiting = state.withLockedValue { state in
                    state.lookups[name]?[ticket]?.alarm = alarm
                    return state.lookups[name]?[ticket] != nil
                }
                if !isWaiting { alarm.cancel() }
                // The handler may have been called before there was anybody to leave.
                if Task.isCancelled { leave(name, ticket) }
            }
        } onCancel: {
            leave(name, ticket)
        }
        return try result.get()
    }

    /// Waits for a look-up of the name, and begins it when there is none; false when it was answered.
    private func join(_ name: Name, _ ticket: Int, _ continuation: CheckedContinuation<Result<NetworkAddress, Fault>, Never>) -> Bool {
        let isNew: Bool? = state.withLockedValue { state in
            let isNew = state.lookups[name] == nil
            if isNew, state.lookups.count >= lookupsMax { return nil }
            state.lookups[name, default: [:]][ticket] = Waiter(continuation: continuation)
            return isNew
        }
        guard let isNew else {
            continuation.resume(returning: .failure(.busy(lookupsMax)))
            return false
        }
        if isNew { WorkerThread.start("webhook-name") { [self] in run(name) } }
        return true
    }

    private func run(_ name: Name) {
        let address = try? look(name.host, name.port)
        let waiters = state.withLockedValue { $0.lookups.removeValue(forKey: name) } ?? [:]
        for waiter in waiters.values { waiter.resume(address.map { .success($0) } ?? .failure(.unknown)) }
    }

    private func leave(_ name: Name, _ ticket: Int) {
        state.withLockedValue { $0.lookups[name]?.removeValue(forKey: ticket) }?.resume(.failure(.late))
    }
}
