package import Core
package import PostgreSQLDriver

/// A logged delivery is one row of `delivery`, in the day of its message.
extension LoggedDelivery: ArchiveRecord {
    package var archivedMs: UInt64 { delivery.position.ms }

    package static let tables = [
        ArchiveTable(
            "delivery",
            ArchiveText.positionColumns + [
                "delivery_ms", "delivery_seq", "message_uuid", "target", "subject", "outcome", "stream", "stream_seq", "duplicate", "ack_ts",
                "attempts", "reason",
            ])
    ]

    package func encode(table: Int, raw: Bool, into writer: inout BinaryCopyWriter) {
        func text(_ value: String) -> ArraySlice<UInt8> {
            raw ? ArchiveText.acceptable(Array(value.utf8)[...]) : Array(value.utf8)[...]
        }
        writer.row(fields: 16)
        writer.position(delivery.position)
        writer.int8(Int64(clamping: position.ms))
        writer.int8(Int64(clamping: position.seq))
        writer.uuid(high: delivery.messageUUID.high, low: delivery.messageUUID.low)
        writer.blob(text(delivery.target))
        writer.blob(raw ? ArchiveText.acceptable(delivery.subject[...]) : delivery.subject[...])
        writer.text(delivery.outcome.rawValue)
        writer.blobOrNull(text(delivery.stream))
        if delivery.sequence == 0 { writer.null() } else { writer.int8(Int64(clamping: delivery.sequence)) }
        writer.bool(delivery.duplicate)
        writer.timestamp(microseconds: delivery.ackTS)
        writer.int4(Int32(clamping: delivery.attempts))
        writer.blobOrNull(text(delivery.reason))
    }
}
