/// The form of a subject.
///
/// nats.c 3.4.1 checks only for empty tokens and puts a space on the wire as it is: the server then closes the connection. So every subject
/// is checked here.
package enum NATSSubject {
    /// Why nothing can be published to `subject`, or nil.
    ///
    /// - Cost: one pass over the bytes, no allocation.
    /// - Source: NATS client protocol: tokens without white space, none empty; a publish has no wildcards.
    package static func refusal(_ subject: String) -> String? {
        if subject.isEmpty { return "an empty subject" }
        if subject.utf8.count > NATSLimits.subjectBytesMax { return "a subject of more than \(NATSLimits.subjectBytesMax) bytes" }
        var tokenLength = 0
        var isWildcard = false
        for byte in subject.utf8 {
            if byte <= 0x20 || byte == 0x7F { return "a subject with white space or control characters" }
            if byte == UInt8(ascii: ".") {
                if tokenLength == 0 { return "a subject with an empty token" }
                if isWildcard { return "a subject with a wildcard" }
                tokenLength = 0
                isWildcard = false
            } else {
                tokenLength += 1
                isWildcard = tokenLength == 1 && (byte == UInt8(ascii: "*") || byte == UInt8(ascii: ">"))
            }
        }
        if tokenLength == 0 { return "a subject with an empty token" }
        return isWildcard ? "a subject with a wildcard" : nil
    }
}
