import Foundation
import Glibc
import Synchronization

/// The subjects that the server did not let a connection publish to. It names them, but says so to nobody who waits: nothing else comes back.
///
/// nats.c reports each one on a thread of its own, in order, and the closing of the connection behind all of them.
/// - Source: nats-server, `-ERR 'Permissions Violation for Publish to "<subject>"'`, the subject quoted as Go's `%q` does it.
final class PublishRefusals: Sendable {
    private static let beginning = Array(#"Permissions Violation for Publish to ""#.utf8)
    /// What nats.c 3.4.1 keeps of such a line: 255 bytes with the first quotation mark.
    private static let keptBytes = 254

    private let texts = Mutex<Set<[UInt8]>>([])
    private let closed = DispatchSemaphore(value: 0)

    /// Takes in what the server said, when it is the refusal of a publish.
    func note(_ text: [UInt8]) {
        if PublishRefusals.isRefusal(text) { texts.withLock { _ = $0.insert(text) } }
    }

    /// Nothing is noted any more.
    func end() { closed.signal() }

    /// Waits for the end, at most `time`.
    func awaitEnd(within time: Duration) {
        if closed.wait(timeout: .now() + .milliseconds(Int(time.natsMilliseconds))) == .success { closed.signal() }
    }

    /// Has the server refused to take this subject?
    func contains(_ subject: String) -> Bool {
        texts.withLock { !$0.isEmpty && $0.contains(PublishRefusals.text(subject)) }
    }

    /// The bytes of nats.c's text; where it was cut they may be no UTF-8.
    static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] { Array(UnsafeRawBufferPointer(start: text, count: strlen(text))) }

    static func isRefusal(_ text: [UInt8]) -> Bool { text.starts(with: beginning) }

    /// What is kept of the server's line about this subject.
    static func text(_ subject: String) -> [UInt8] {
        var text = beginning
        for byte in subject.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
            text.append(byte)
        }
        text.append(UInt8(ascii: "\""))
        return Array(text.prefix(keptBytes))
    }
}
