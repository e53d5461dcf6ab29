import Foundation

/// Reads JetStream's answer to a publish.
///
/// - Source: `{"stream":"S", "seq":1}`, with `"domain":"d"` and `"duplicate": true` where they apply; or `{"error":{…},"stream":"S","seq":0}`.
enum PublishAck {
    /// The outcome that `bytes` stand for; nil if this is no acknowledgement (a responder of the user's may answer too).
    ///
    /// - Parameter stream: the name last seen, so that the usual case allocates none; updated.
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>, stream: inout String) -> PublishOutcome? {
        parseUsual(bytes, stream: &stream) ?? parseAny(bytes)
    }

    private static func parseUsual(_ bytes: UnsafeBufferPointer<UInt8>, stream: inout String) -> PublishOutcome? {
        guard starts(bytes, at: 0, with: #"{"stream":""#) else { return nil }
        let nameStart = 11
        var cursor = nameStart
        while cursor < bytes.count, bytes[cursor] != UInt8(ascii: "\"") {
            if bytes[cursor] == UInt8(ascii: "\\") { return nil }
            cursor += 1
        }
        let name = UnsafeBufferPointer(rebasing: bytes[nameStart..<cursor])
        cursor += 1
        while cursor < bytes.count, bytes[cursor] == UInt8(ascii: ",") || bytes[cursor] == UInt8(ascii: " ") { cursor += 1 }
        guard starts(bytes, at: cursor, with: #""seq":"#) else { return nil }
        cursor += 6
        while cursor < bytes.count, bytes[cursor] == UInt8(ascii: " ") { cursor += 1 }
        var sequence: UInt64 = 0
        while cursor < bytes.count, bytes[cursor] >= 48, bytes[cursor] <= 57 {
            let (product, overflow) = sequence.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(bytes[cursor] - 48))
            if overflow || carry { return nil }
            sequence = sum
            cursor += 1
        }
        // Exactly the end, or the slow way: duplicates are rare, domains too.
        guard sequence > 0, cursor == bytes.count - 1, bytes[cursor] == UInt8(ascii: "}") else { return nil }
        if !stream.utf8.elementsEqual(name) { stream = String(decoding: name, as: UTF8.self) }
        return .stored(stream: stream, sequence: sequence, duplicate: false)
    }

    private static func starts(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, with text: StaticString) -> Bool {
        guard offset + text.utf8CodeUnitCount <= bytes.count else { return false }
        for index in 0..<text.utf8CodeUnitCount where bytes[offset + index] != text.utf8Start[index] { return false }
        return true
    }

    private static func parseAny(_ bytes: UnsafeBufferPointer<UInt8>) -> PublishOutcome? {
        guard let object = try? jsonObject(Array(bytes)) else { return nil }
        do throws(NATSError) {
            try throwError(in: object)
        } catch {
            return .failed(error)
        }
        guard let stream = object["stream"] as? String, let sequence = object["seq"] as? UInt64, sequence > 0 else { return nil }
        return .stored(stream: stream, sequence: sequence, duplicate: object["duplicate"] as? Bool ?? false)
    }
}
