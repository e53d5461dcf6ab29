internal import Core

/// The message of a load: JSON of exactly so many bytes, without an id, so that every copy is a new message.
package enum LoadMessage {
    /// - Parameter size: bytes; at least those of the envelope.
    /// - Returns: nil when `size` is too small.
    package static func make(topic: String, size: Int) -> [UInt8]? {
        var object = JSONObject()
        object.add("topic", topic)
        object.add("source_subject_id", "bench")
        object.add("message_type", "load")
        var bytes = object.finish()
        bytes.removeLast()
        bytes.append(contentsOf: ",\"data\":\"".utf8)
        let fill = size - bytes.count - 2
        guard fill >= 0 else { return nil }
        let letters = Array("abcdefghijklmnopqrstuvwxyz ".utf8)
        for index in 0..<fill { bytes.append(letters[index % letters.count]) }
        bytes.append(contentsOf: "\"}".utf8)
        return bytes
    }
}
