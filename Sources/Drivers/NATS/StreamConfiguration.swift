/// What a stream is created with: file storage, limits retention, the oldest discarded.
package struct StreamConfiguration: Sendable {
    package var name: String
    package var subjects: [String]
    package var maxAge: Duration
    /// Nil is unlimited.
    package var bytesMax: Int?
    package var duplicateWindow: Duration
    package var replicas: Int

    package init(
        name: String, subjects: [String], maxAge: Duration = .seconds(7 * 86_400), bytesMax: Int? = nil,
        duplicateWindow: Duration = .seconds(120), replicas: Int = 1
    ) {
        self.name = name
        self.subjects = subjects
        self.maxAge = maxAge
        self.bytesMax = bytesMax
        self.duplicateWindow = duplicateWindow
        self.replicas = replicas
    }

    /// `allow_direct` is of server 2.9; older ones overlook it.
    var object: [String: Any] {
        [
            "name": name, "subjects": subjects, "retention": "limits", "storage": "file", "discard": "old", "num_replicas": replicas,
            "max_consumers": -1, "max_msgs": -1, "max_bytes": bytesMax ?? -1, "max_age": maxAge.nanoseconds, "max_msg_size": -1,
            "duplicate_window": min(duplicateWindow, maxAge).nanoseconds, "allow_direct": true,
        ]
    }
}

/// A stream as the server describes it.
package struct StreamInfo: Sendable, Equatable {
    package let name: String
    package let subjects: [String]
    /// A stream that never acknowledges a publish.
    package let isSilent: Bool
    package let allowsDirectGet: Bool
    package let state: StreamState

    init(_ object: [String: Any]) throws(NATSError) {
        guard let configuration = object["config"] as? [String: Any], let name = configuration["name"] as? String,
            let state = object["state"] as? [String: Any]
        else { throw .unexpectedReply("stream info without config and state") }
        self.name = name
        subjects = configuration["subjects"] as? [String] ?? []
        isSilent = configuration["no_ack"] as? Bool ?? false
        allowsDirectGet = configuration["allow_direct"] as? Bool ?? false
        self.state = StreamState(
            messages: state["messages"] as? UInt64 ?? 0, bytes: state["bytes"] as? UInt64 ?? 0,
            firstSequence: state["first_seq"] as? UInt64 ?? 0, lastSequence: state["last_seq"] as? UInt64 ?? 0,
            consumers: state["consumer_count"] as? Int ?? 0)
    }
}

package struct StreamState: Sendable, Equatable {
    package let messages: UInt64
    package let bytes: UInt64
    package let firstSequence: UInt64
    package let lastSequence: UInt64
    package let consumers: Int
}
