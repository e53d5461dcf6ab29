import Core
import Foundation
import Log
import NATSDriver
import RedisDriver
import TestSupport

/// A serving Meshlog and clients for all its doors.
struct DoorRig {
    let meshlog: MeshlogProcess
    let redis: RedisSession
    let nats: NATSConnection
    let keys: LogKeys

    init(_ meshlog: MeshlogProcess) throws {
        self.meshlog = meshlog
        redis = try RedisSession(try RedisEndpoint(url: meshlog.redisURL), name: "test", timeout: .seconds(30))
        nats = try NATSConnection(NATSOptions(url: meshlog.natsURL, name: "test"))
        keys = LogKeys(prefix: meshlog.keyPrefix)
    }

    /// Runs `body` with clients of the shared Meshlog of this name, on a thread of its own.
    static func with(_ name: String, _ body: @escaping @Sendable (DoorRig) throws -> Void) async throws {
        let meshlog = try await MeshlogProcess.shared(name)
        try await onThread { try body(try DoorRig(meshlog)) }
    }

    // MARK: Looking

    func length(_ stream: StreamName) throws -> Int { try redis.run("XLEN", [keys.stream(stream)]).int ?? -1 }

    /// Entries of a stream behind an id, in order.
    func entries(_ stream: StreamName, after id: String = "0-0") throws -> [[String: [UInt8]]] {
        let reply = try redis.run("XRANGE", [keys.stream(stream), "(\(id)", "+"])
        return (reply.array ?? []).map { entry in
            (entry.array?[1].pairs ?? [:]).compactMapValues { if case .string(let bytes) = $0 { bytes } else { nil } }
        }
    }

    func lastID(_ stream: StreamName) throws -> String { try LogReader(keys: keys).bounds(stream, redis).last.streamID }

    /// Pushes elements in one pipeline.
    func push(_ elements: [[UInt8]]) throws {
        var command = RESPWriter()
        for element in elements {
            command.begin(3)
            command.argument("RPUSH")
            command.argument(meshlog.list)
            command.argument(element)
        }
        _ = try redis.pipeline(command)
    }

    /// Everything pushed has left the list and its processing list.
    func listIsEmpty() throws -> Bool {
        try redis.run("LLEN", [meshlog.list]) == .integer(0) && redis.run("LLEN", ["\(meshlog.list):processing"]) == .integer(0)
    }

    /// Everything published to JetStream has been acknowledged or terminated.
    func jetStreamIsDone() throws -> Bool {
        let info = try JetStream(nats).consumerInfo("meshlog", of: meshlog.jetstreamStream)
        return info.pending == 0 && info.ackPending == 0
    }

    /// The NATS doors listen a moment after HTTP does.
    func awaitNATS() -> Bool {
        waitUntil { (try nats.request(meshlog.natsSubject, Array("{}".utf8), timeout: .seconds(2))).payload.isEmpty == false }
            && waitUntil {
                _ = try JetStream(nats).consumerInfo("meshlog", of: meshlog.jetstreamStream); return true
            }
    }
}

/// What a door said to a message.
struct DoorAnswer {
    /// HTTP status, of the answer or in the problem document; nil where the door has none.
    var status: Int?
    /// `code pointer` of each violation.
    var violations: [String]
    /// The message is in the log.
    var position: String?
    var isDuplicate = false
    /// The reference's `error`, or the problem's detail.
    var text = ""

    /// Reads an acknowledgement, a problem document or the reference's answer.
    init(json bytes: [UInt8], status: Int? = nil) throws {
        guard let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
            throw RawConnection.Broken(description: "no JSON object: \(String(decoding: bytes.prefix(300), as: UTF8.self))")
        }
        self.init(object, status: status)
    }

    init(_ object: [String: Any], status: Int? = nil) {
        self.status = status ?? object["status"] as? Int
        violations = (object["violations"] as? [[String: Any]] ?? []).map { "\($0["code"] as? String ?? "?") \($0["pointer"] as? String ?? "?")" }
        position = object["position"] as? String
        // A problem names the position of the entry in the way, which is not this message's.
        if object["title"] != nil { position = nil }
        isDuplicate = object["duplicate"] as? Bool ?? false
        text = object["error"] as? String ?? object["detail"] as? String ?? ""
    }
}

/// Every way into Meshlog that answers each message by itself.
enum AnsweringDoor: String, CaseIterable, Sendable {
    case fastLane, slowLane, chunkedHTTP, webSocket, natsRequest, referenceHTTP, referenceWebSocket

    var via: String {
        switch self {
        case .fastLane, .slowLane, .chunkedHTTP, .referenceHTTP: "http"
        case .webSocket, .referenceWebSocket: "websocket"
        case .natsRequest: "nats"
        }
    }

    var isReference: Bool { self == .referenceHTTP || self == .referenceWebSocket }

    /// Whether these bytes can be said at this door: the reference wraps the message into JSON text.
    func takes(_ bytes: [UInt8]) -> Bool { !isReference || UTF8Check.firstFault(bytes.span) == nil }
}

/// A client of one answering door.
final class AnsweringClient {
    let door: AnsweringDoor
    private let rig: DoorRig
    private var connection: RawConnection?
    private var sent = 0

    init(_ door: AnsweringDoor, _ rig: DoorRig) {
        self.door = door
        self.rig = rig
    }

    func send(_ bytes: [UInt8]) throws -> DoorAnswer {
        sent += 1
        let json = [("Content-Type", "application/json")]
        switch door {
        case .fastLane: return try answer(connected().post("/v1/messages", bytes, headers: json))
        // The key takes the request out of the fast lane.
        case .slowLane: return try answer(connected().post("/v1/messages", bytes, headers: json + [("Idempotency-Key", "\(rig.meshlog.keyPrefix)-\(UUID())")]))
        case .chunkedHTTP: return try answer(connected().post("/v1/messages", bytes, headers: json, chunked: true))
        case .referenceHTTP: return try answer(connected().post("/MESSAGES", AnsweringClient.wrapped(bytes), headers: json))
        case .webSocket: return try frame("/v1/messages", bytes)
        case .referenceWebSocket: return try frame("/MESSAGES", AnsweringClient.wrapped(bytes))
        case .natsRequest: return try DoorAnswer(json: rig.nats.request(rig.meshlog.natsSubject, bytes, timeout: .seconds(20)).payload)
        }
    }

    private func answer(_ answer: RawConnection.Answer) throws -> DoorAnswer {
        if answer.headers["connection"]?.lowercased() == "close" { connection = nil }
        return try DoorAnswer(json: answer.body, status: answer.status)
    }

    private func frame(_ path: String, _ bytes: [UInt8]) throws -> DoorAnswer {
        if connection == nil {
            let new = try rig.meshlog.connect()
            try new.upgrade(path)
            connection = new
        }
        // A text frame that is not UTF-8 ends the connection, by RFC 6455; a binary frame is judged as a message.
        try connected().send(bytes, opcode: UTF8Check.firstFault(bytes.span) == nil ? 1 : 2)
        let frame = try connected().receive()
        guard frame.opcode == 1 else { throw RawConnection.Broken(description: "frame \(frame.opcode): \(frame.text)") }
        return try DoorAnswer(json: frame.payload)
    }

    private func connected() throws -> RawConnection {
        if let connection { return connection }
        let new = try rig.meshlog.connect()
        connection = new
        return new
    }

    /// `{"message": "<text>"}`
    static func wrapped(_ bytes: [UInt8]) -> [UInt8] {
        var object = JSONObject()
        object.add("message", text: bytes)
        return object.finish()
    }
}
