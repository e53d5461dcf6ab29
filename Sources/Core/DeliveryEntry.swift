/// What came of sending a message to one backbone.
package struct DeliveryEntry: Sendable, Equatable {
    package static let event = "message.delivered"
    package static let version = "1"

    package enum Outcome: String, Sendable {
        /// JetStream acknowledged it: `stream` and `sequence` say where it lies.
        case stored
        /// No JetStream stream takes this subject: handed to core NATS and flushed.
        case core
        /// It can never be delivered there; `reason` says why.
        case failed
    }

    /// Position of the message.
    package var position: Position
    package var messageUUID: MessageUUID
    /// Name of the backbone.
    package var target: String
    package var subject: [UInt8]
    package var outcome: Outcome
    package var stream: String
    package var sequence: UInt64
    /// The stream had it already (its `Nats-Msg-Id` was known).
    package var duplicate: Bool
    /// µs since the epoch when the acknowledgement came.
    package var ackTS: Int64
    package var attempts: Int
    package var reason: String

    package init(
        position: Position, messageUUID: MessageUUID, target: String, subject: [UInt8], outcome: Outcome, stream: String = "",
        sequence: UInt64 = 0, duplicate: Bool = false, ackTS: Int64, attempts: Int = 1, reason: String = ""
    ) {
        self.position = position
        self.messageUUID = messageUUID
        self.target = target
        self.subject = subject
        self.outcome = outcome
        self.stream = stream
        self.sequence = sequence
        self.duplicate = duplicate
        self.ackTS = ackTS
        self.attempts = attempts
        self.reason = reason
    }

    /// The names of the fields in the log, in order.
    package static let fieldNames: [StaticString] = [
        "event", "v", "position", "message_uuid", "target", "subject", "outcome", "stream", "sequence", "duplicate", "ack_ts", "attempts", "reason",
    ]

    /// The values of the fields, in the order of `fieldNames`.
    package var fieldValues: [[UInt8]] {
        [
            Array(DeliveryEntry.event.utf8), Array(DeliveryEntry.version.utf8), Array(position.description.utf8), Array(messageUUID.description.utf8),
            Array(target.utf8), subject, Array(outcome.rawValue.utf8), Array(stream.utf8), Array(String(sequence).utf8),
            Array((duplicate ? "1" : "0").utf8), Array(String(ackTS).utf8), Array(String(attempts).utf8), Array(reason.utf8),
        ]
    }

    /// Reads the fields of a log entry; nil when one is missing or malformed.
    package init?(fields: (StaticString) -> ArraySlice<UInt8>?) {
        func text(_ name: StaticString) -> String? { fields(name).map { String(decoding: $0, as: UTF8.self) } }
        guard text("event") == DeliveryEntry.event,
            let position = fields("position").flatMap({ Position(utf8: Array($0)) }),
            let uuid = fields("message_uuid").flatMap({ MessageUUID(utf8: $0.span) }),
            let target = text("target"), let subject = fields("subject"),
            let outcome = text("outcome").flatMap(Outcome.init(rawValue:)), let stream = text("stream"),
            let sequence = text("sequence").flatMap(UInt64.init), let duplicate = text("duplicate"),
            let ackTS = text("ack_ts").flatMap(Int64.init), let attempts = text("attempts").flatMap(Int.init), let reason = text("reason")
        else { return nil }
        self.init(
            position: position, messageUUID: uuid, target: target, subject: Array(subject), outcome: outcome, stream: stream, sequence: sequence,
            duplicate: duplicate == "1", ackTS: ackTS, attempts: attempts, reason: reason)
    }
}

/// A delivery and where its own entry stands in `deliveries`.
package struct LoggedDelivery: Sendable {
    package let position: Position
    package let delivery: DeliveryEntry

    package init(position: Position, delivery: DeliveryEntry) {
        self.position = position
        self.delivery = delivery
    }
}
