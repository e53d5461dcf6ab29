import Foundation

/// JetStream's management, by its JSON API over requests. Not for hot paths; publishing is `JetStreamPublisher`.
///
/// - Source: nats-server 2.9 `$JS.API` (ADR-1). Every call blocks for at most `timeout`.
package struct JetStream: Sendable {
    package let connection: NATSConnection
    /// `$JS.API`, or `$JS.<domain>.API`.
    package let prefix: String
    package let timeout: Duration

    package init(_ connection: NATSConnection, domain: String? = nil, timeout: Duration = .seconds(5)) {
        self.connection = connection
        prefix = domain.map { "$JS.\($0).API" } ?? "$JS.API"
        self.timeout = timeout
    }

    /// One call, its raw answer.
    ///
    /// - Throws: `.jetStream` if the answer is an error; `.noResponders` if JetStream is disabled.
    package func call(_ api: String, _ body: [UInt8] = []) throws(NATSError) -> [UInt8] {
        let answer = try connection.request("\(prefix).\(api)", body, timeout: timeout).payload
        try throwError(in: jsonObject(answer))
        return answer
    }

    /// Whether this account has JetStream at all.
    package func isEnabled() throws(NATSError) -> Bool {
        do throws(NATSError) {
            _ = try call("INFO")
            return true
        } catch .noResponders {
            return false
        } catch .jetStream(_, .notEnabled, _), .jetStream(_, .notEnabledForAccount, _) {
            return false
        }
    }

    // MARK: Streams

    /// Creates a stream; one that exists with the very same configuration is answered as if created.
    package func createStream(_ configuration: StreamConfiguration) throws(NATSError) -> StreamInfo {
        try StreamInfo(object("STREAM.CREATE.\(configuration.name)", configuration.object))
    }

    /// Adds subjects to a stream and leaves the rest of its configuration as it stands at the server.
    ///
    /// Two processes that do this at the same moment may overwrite each other: the one whose publishes then find nobody adds again.
    package func addSubjects(_ subjects: [String], to stream: String) throws(NATSError) -> StreamInfo {
        let current = try object("STREAM.INFO.\(stream)")
        guard var configuration = current["config"] as? [String: Any] else { throw .unexpectedReply("stream info without config") }
        let present = configuration["subjects"] as? [String] ?? []
        let missing = Set(subjects).subtracting(present)
        if missing.isEmpty { return try StreamInfo(current) }
        configuration["subjects"] = present + missing.sorted()
        return try StreamInfo(object("STREAM.UPDATE.\(stream)", configuration))
    }

    package func streamInfo(_ stream: String) throws(NATSError) -> StreamInfo {
        try StreamInfo(object("STREAM.INFO.\(stream)"))
    }

    package func streamState(_ stream: String) throws(NATSError) -> StreamState {
        try streamInfo(stream).state
    }

    /// Names of the streams that store `subject`, or of all.
    package func streamNames(storing subject: String? = nil) throws(NATSError) -> [String] {
        var names: [String] = []
        for _ in 0..<NATSLimits.pagesMax {
            var request: [String: Any] = ["offset": names.count]
            if let subject { request["subject"] = subject }
            let page = try object("STREAM.NAMES", request)
            names += page["streams"] as? [String] ?? []
            if names.count >= page["total"] as? Int ?? 0 { break }
        }
        return names
    }

    package func deleteStream(_ stream: String) throws(NATSError) {
        _ = try call("STREAM.DELETE.\(stream)")
    }

    /// One stored message with all its headers.
    ///
    /// - Throws: `.jetStream(code: .noMessageFound)`.
    package func message(_ stream: String, sequence: UInt64) throws(NATSError) -> StoredMessage {
        try StoredMessage(object("STREAM.MSG.GET.\(stream)", ["seq": sequence])["message"])
    }

    // MARK: Consumers

    /// Creates a durable pull consumer, or updates the one of that name.
    package func createDurable(_ configuration: ConsumerConfiguration, on stream: String) throws(NATSError) {
        _ = try object(
            "CONSUMER.DURABLE.CREATE.\(stream).\(configuration.name)", ["stream_name": stream, "config": configuration.object])
    }

    package func consumerInfo(_ consumer: String, of stream: String) throws(NATSError) -> ConsumerInfo {
        try ConsumerInfo(object("CONSUMER.INFO.\(stream).\(consumer)"))
    }

    package func deleteConsumer(_ consumer: String, of stream: String) throws(NATSError) {
        _ = try call("CONSUMER.DELETE.\(stream).\(consumer)")
    }

    // MARK: JSON

    func object(_ api: String, _ body: [String: Any]? = nil) throws(NATSError) -> [String: Any] {
        var bytes: [UInt8] = []
        if let body {
            guard let data = try? JSONSerialization.data(withJSONObject: body) else { throw .client(operation: api, text: "no JSON") }
            bytes = Array(data)
        }
        return try jsonObject(call(api, bytes))
    }
}

/// The object of an answer.
func jsonObject(_ bytes: [UInt8]) throws(NATSError) -> [String: Any] {
    guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
        throw .unexpectedReply(String(decoding: bytes.prefix(200), as: UTF8.self))
    }
    return object
}

/// Throws the error that a JetStream answer carries, if it does.
func throwError(in object: [String: Any]) throws(NATSError) {
    guard let error = object["error"] as? [String: Any] else { return }
    throw .jetStream(
        status: error["code"] as? Int ?? 0, code: JetStreamErrorCode(rawValue: error["err_code"] as? Int ?? 0),
        description: error["description"] as? String ?? "no description")
}
