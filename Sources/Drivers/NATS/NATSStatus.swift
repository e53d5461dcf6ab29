import CNats

/// Throws what `status` means, if it is not OK. The text comes from the returned status, never from nats.c's thread-local.
func check(_ status: natsStatus, _ operation: @autoclosure () -> String, subject: @autoclosure () -> String = "") throws(NATSError) {
    if status != NATS_OK { throw natsError(status, operation(), subject: subject()) }
}

/// The error of a nats.c status.
func natsError(_ status: natsStatus, _ operation: String, subject: String = "") -> NATSError {
    let text = String(cString: natsStatus_GetText(status))
    switch status {
    case NATS_NO_SERVER, NATS_IO_ERROR, NATS_CONNECTION_CLOSED, NATS_CONNECTION_DISCONNECTED, NATS_STALE_CONNECTION, NATS_DRAINING,
        NATS_INVALID_SUBSCRIPTION:
        return .unavailable(reason: "\(operation): \(text)")
    case NATS_INSUFFICIENT_BUFFER:
        return .unavailable(reason: "\(operation): reconnecting, and the buffer for that time is full")
    case NATS_CONNECTION_AUTH_FAILED, NATS_NOT_PERMITTED, NATS_SECURE_CONNECTION_WANTED, NATS_SECURE_CONNECTION_REQUIRED, NATS_SSL_ERROR:
        return .refused(reason: "\(operation): \(text)")
    case NATS_TIMEOUT: return .timedOut(operation: operation)
    case NATS_NO_RESPONDERS: return .noResponders(subject: subject)
    case NATS_INVALID_SUBJECT: return .invalidSubject(subject)
    default: return .client(operation: operation, text: text)
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, at least 1: nats.c takes no shorter wait.
    var natsMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return max(1, seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    /// Whole nanoseconds, as JetStream's JSON wants durations.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
