import Foundation

/// A message as it lies in a stream.
package struct StoredMessage: Sendable, Equatable {
    package let sequence: UInt64
    package let subject: String
    package let headers: [NATSHeader]
    /// Empty where only headers were asked for.
    package let payload: [UInt8]

    package init(sequence: UInt64, subject: String, headers: [NATSHeader], payload: [UInt8] = []) {
        self.sequence = sequence
        self.subject = subject
        self.headers = headers
        self.payload = payload
    }

    /// From the answer to `STREAM.MSG.GET`.
    init(_ answer: Any?) throws(NATSError) {
        guard let object = answer as? [String: Any], let sequence = object["seq"] as? UInt64, let subject = object["subject"] as? String else {
            throw .unexpectedReply("stored message without sequence and subject")
        }
        let block = (object["hdrs"] as? String).flatMap { Data(base64Encoded: $0) } ?? Data()
        let payload = (object["data"] as? String).flatMap { Data(base64Encoded: $0) } ?? Data()
        self.init(sequence: sequence, subject: subject, headers: HeaderBlock.decode(Array(block)), payload: Array(payload))
    }

    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}
