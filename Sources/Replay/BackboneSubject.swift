internal import NATSDriver

/// Which subjects Meshlog publishes to.
enum BackboneSubject {
    /// Why `subject` is refused, or nil: a form that NATS cannot carry, or `$` and `_INBOX`, which belong to the server and to replies.
    static func refusal(_ subject: String) -> String? {
        if let refusal = NATSSubject.refusal(subject) { return refusal }
        if subject.utf8.first == UInt8(ascii: "$") || root(subject) == "_INBOX" { return "a subject that is reserved in NATS" }
        return nil
    }

    /// The first token.
    static func root(_ subject: String) -> String {
        String(subject.prefix { $0 != "." })
    }
}
