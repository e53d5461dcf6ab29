import CNats
import Synchronization

/// What happened to a connection, as nats.c's own thread reported it.
package enum NATSConnectionEvent: Equatable, Sendable {
    case disconnected
    case reconnected(url: String)
    /// For good: nothing more comes on this connection.
    case closed
    /// A subscriber is too slow and messages are being dropped, a permission is missing, and the like.
    case problem(String)
}

/// Hands nats.c's callbacks to the connection's event stream, and what the server refused to its refusals.
///
/// nats.c may still call back while a connection is being destroyed, so callbacks carry a number, not a pointer.
enum ConnectionEvents {
    private struct Listener {
        let stream: AsyncStream<NATSConnectionEvent>.Continuation
        let refusals: PublishRefusals
    }
    private static let open = Mutex<(next: UInt, listeners: [UInt: Listener])>((1, [:]))

    static func register(_ stream: AsyncStream<NATSConnectionEvent>.Continuation, _ refusals: PublishRefusals) -> UInt {
        open.withLock { state in
            let number = state.next
            state.next += 1
            state.listeners[number] = Listener(stream: stream, refusals: refusals)
            return number
        }
    }

    static func forget(_ number: UInt) {
        open.withLock { $0.listeners.removeValue(forKey: number) }?.stream.finish()
    }

    static func send(_ event: NATSConnectionEvent, to closure: UnsafeMutableRawPointer?) {
        guard let listener = listener(closure) else { return }
        listener.stream.yield(event)
        if event == .closed {
            listener.stream.finish()
            listener.refusals.end()
        }
    }

    private static func listener(_ closure: UnsafeMutableRawPointer?) -> Listener? {
        open.withLock { $0.listeners[UInt(bitPattern: closure)] }
    }

    private static func report(_ error: natsStatus, to closure: UnsafeMutableRawPointer?) {
        // Within this callback alone nats.c's thread-local has the server's own words; those of the connection may be a later one's.
        if error == NATS_NOT_PERMITTED, let text = nats_GetLastError(nil) {
            listener(closure)?.refusals.note(PublishRefusals.bytes(text))
        }
        send(.problem(String(cString: natsStatus_GetText(error))), to: closure)
    }

    /// Sets all callbacks of `options` to the stream of that number.
    static func install(_ number: UInt, in options: OpaquePointer?) -> natsStatus {
        let closure = UnsafeMutableRawPointer(bitPattern: number)
        var status = natsOptions_SetDisconnectedCB(options, { _, closure in ConnectionEvents.send(.disconnected, to: closure) }, closure)
        if status == NATS_OK {
            status = natsOptions_SetReconnectedCB(
                options, { connection, closure in ConnectionEvents.send(.reconnected(url: connectedURL(connection)), to: closure) }, closure)
        }
        if status == NATS_OK {
            status = natsOptions_SetClosedCB(options, { _, closure in ConnectionEvents.send(.closed, to: closure) }, closure)
        }
        if status == NATS_OK {
            status = natsOptions_SetErrorHandler(options, { _, _, error, closure in ConnectionEvents.report(error, to: closure) }, closure)
        }
        return status
    }
}

/// The server a connection talks to, or nothing.
func connectedURL(_ connection: OpaquePointer?) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1_024) { buffer in
        guard let base = buffer.baseAddress, natsConnection_GetConnectedUrl(connection, base, buffer.count) == NATS_OK else { return "" }
        return String(cString: base)
    }
}
