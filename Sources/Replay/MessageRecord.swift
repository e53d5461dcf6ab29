package import Core
package import PostgreSQLDriver

/// A decided message is one row of `message_exchange` and one of `verdict`.
extension DecidedMessage: ArchiveRecord {
    package var archivedMs: UInt64 { position.ms }

    package static let tables = [
        ArchiveTable(
            "message_exchange",
            ArchiveText.positionColumns + [
                "origin_ts", "message_uuid", "v", "event", "topic", "source_subject_id", "destination_subject_ids", "message_type", "content_type",
                "via", "principal", "correlation_id", "causation", "traceparent", "message_metadata", "message_data", "message_bytes",
                "release", "exact_fields",
            ]),
        ArchiveTable(
            "verdict",
            ArchiveText.positionColumns + [
                "message_uuid", "outcome", "topic", "subject", "rule", "reason", "policy_revision", "targets", "shadow", "limits", "annotations", "withheld",
                "error", "destinations", "hold", "retry_at", "digest",
            ]),
    ]

    package func encode(table: Int, raw: Bool, into writer: inout BinaryCopyWriter) {
        if table == 0 { encodeMessage(raw, &writer) } else { encodeVerdict(raw, &writer) }
    }

    private func encodeMessage(_ raw: Bool, _ writer: inout BinaryCopyWriter) {
        writer.row(fields: 23)
        writer.position(position)
        let origin = DecimalText.int64(message.slice(.originTS))
        if let origin, !raw || ArchiveText.times.contains(origin) { writer.timestamp(microseconds: origin) } else { writer.null() }
        writer.uuid(high: verdict.messageUUID.high, low: verdict.messageUUID.low)
        writer.int2(DecimalText.int64(message.slice(.version)).flatMap { Int16(exactly: $0) } ?? 0)
        required(.event, raw, &writer)
        required(.topic, raw, &writer)
        writer.text(message.slice(.source), raw: raw)
        encodeDestinations(raw, &writer)
        writer.text(message.slice(.type), raw: raw)
        writer.text(message.slice(.contentType), raw: raw)
        writer.text(message.slice(.via), raw: raw)
        writer.text(message.slice(.principal), raw: raw)
        writer.text(message.slice(.correlationID), raw: raw)
        writer.text(message.slice(.causation), raw: raw)
        writer.text(message.slice(.traceparent), raw: raw)
        // What the server refuses as JSON is kept as bytes; metadata, like every part that it refuses, stands in the exact fields alone.
        if raw { writer.null() } else { writer.blobOrNull(message.slice(.metadata)) }
        if message.isJSON, !raw {
            writer.blobOrNull(message.slice(.data))
            writer.null()
        } else {
            writer.null()
            writer.blob(message.slice(.data))
        }
        json(message.slice(.release), raw, &writer)
        if raw { writer.blob(ExactFields.encode(message)) } else { writer.null() }
    }

    private func required(_ field: MessageField, _ raw: Bool, _ writer: inout BinaryCopyWriter) {
        writer.blob(raw ? ArchiveText.acceptable(message.slice(field)) : message.slice(field))
    }

    private func encodeDestinations(_ raw: Bool, _ writer: inout BinaryCopyWriter) {
        let text = message.slice(.destinations)
        if text.isEmpty {
            writer.null()
            return
        }
        writer.beginTextArray()
        if raw || !DestinationList.append(text, to: &writer) {
            for name in JSONText.decodeStrings(text.span) ?? [] { writer.arrayElement(raw ? ArchiveText.acceptable(name[...]) : name[...]) }
        }
        writer.endTextArray()
    }

    private func encodeVerdict(_ raw: Bool, _ writer: inout BinaryCopyWriter) {
        let topic = message.slice(.topic)
        writer.row(fields: 21)
        writer.position(position)
        writer.uuid(high: verdict.messageUUID.high, low: verdict.messageUUID.low)
        writer.text(verdict.outcome.rawValue)
        required(.topic, raw, &writer)
        if verdict.subject[...] == topic { writer.null() } else { writer.blob(raw ? ArchiveText.acceptable(verdict.subject[...]) : verdict.subject[...]) }
        writer.blob(raw ? ArchiveText.acceptable(Array(verdict.rule.utf8)[...]) : Array(verdict.rule.utf8)[...])
        writer.text(Array(verdict.reason.utf8)[...], raw: raw)
        writer.text(verdict.policyRevision)
        writer.blob(raw ? Array("[]".utf8) : verdict.targetsJSON)
        let detail = verdict.detail
        for value in [detail.shadow, detail.limits, detail.annotations, detail.withheld, detail.error, detail.destinations, detail.hold] {
            json(value[...], raw, &writer)
        }
        if let retry = DecimalText.int64(detail.retryAt[...]) { writer.timestamp(microseconds: retry) } else { writer.null() }
        writer.blobOrNull(Hexadecimal.decode(detail.digest)[...])
    }

    /// What the server refuses as JSON has no other place: it stays in the log.
    private func json(_ value: ArraySlice<UInt8>, _ raw: Bool, _ writer: inout BinaryCopyWriter) {
        if raw { writer.null() } else { writer.blobOrNull(value) }
    }
}

/// A JSON array of plain strings, written straight into a text[].
enum DestinationList {
    /// Appends the elements of `text` to the array that `writer` has begun.
    ///
    /// - Returns: false, and nothing appended, when a string holds an escape or the text is not such an array.
    static func append(_ text: ArraySlice<UInt8>, to writer: inout BinaryCopyWriter) -> Bool {
        guard !text.contains(UInt8(ascii: "\\")) else { return false }
        var names: [Range<Int>] = []
        var at = text.startIndex
        func skipSpace() { while at < text.endIndex, text[at] == 0x20 || (text[at] >= 0x09 && text[at] <= 0x0D) { at += 1 } }
        func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard at < text.endIndex, text[at] == byte else { return false }
            at += 1
            return true
        }
        guard take(UInt8(ascii: "[")) else { return false }
        if take(UInt8(ascii: "]")) { return true }
        repeat {
            guard take(UInt8(ascii: "\"")), let end = text[at...].firstIndex(of: UInt8(ascii: "\"")) else { return false }
            names.append(at..<end)
            at = end + 1
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { return false }
        for name in names { writer.arrayElement(text[name]) }
        return true
    }
}

enum DecimalText {
    /// Nil when `text` is empty or no decimal integer of 64 bits.
    static func int64(_ text: ArraySlice<UInt8>) -> Int64? {
        var digits = text
        let negative = digits.first == UInt8(ascii: "-")
        if negative { digits = digits.dropFirst() }
        if digits.isEmpty { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.subtractingReportingOverflow(Int64(byte - 0x30))
            if over || carry { return nil }
            value = sum
        }
        if negative { return value }
        return value == .min ? nil : -value
    }
}
