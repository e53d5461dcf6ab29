internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Makes the answers of the views.
enum ViewAnswer {
    /// - Parameters:
    ///   - position: what the answer is at least as new as.
    ///   - reached: what was waited for.
    static func json(
        _ bytes: [UInt8], status: HTTPResponse.Status = .ok, position: Position?, reached: Position? = nil, headers: HTTPFields = [:]
    ) -> Response {
        let newest = position.map { max($0, reached ?? $0) }
        return data(bytes, type: "application/json", status: status, position: newest, headers: headers)
    }

    static func data(
        _ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok, position: Position?, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = type
        if let position { headers[.meshlogPosition] = position.description }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension HTTPField.Name {
    /// What an answer is at least as new as.
    static let meshlogPosition = HTTPField.Name("Meshlog-Position")!
    /// What an answer must be at least as new as.
    static let meshlogMinPosition = HTTPField.Name("Meshlog-Min-Position")!
    static let link = HTTPField.Name("Link")!
    static let lastEventID = HTTPField.Name("Last-Event-ID")!
}

extension JSONObject {
    /// A string, or null for nil.
    mutating func add(_ key: StaticString, optional value: String?) {
        if let value { add(key, value) } else { addNull(key) }
    }

    /// A string, or null for empty.
    mutating func add(_ key: StaticString, nonEmpty value: String) { add(key, optional: value.isEmpty ? nil : value) }

    mutating func add(_ key: StaticString, optional value: Int?) {
        if let value { add(key, value) } else { addNull(key) }
    }

    /// An RFC 3339 time, or null.
    mutating func add(_ key: StaticString, time microseconds: Int64?) {
        add(key, optional: microseconds.map { Timestamp.rfc3339(microseconds: $0) })
    }

    mutating func add(_ key: StaticString, strings: [String]) { add(key, raw: JSONArray.of(strings) { JSONText.append($1, to: &$0) }) }
}

/// JSON arrays.
enum JSONArray {
    static func of<T>(_ items: some Sequence<T>, _ append: (inout [UInt8], T) -> Void) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "[")]
        for item in items {
            if out.count > 1 { out.append(UInt8(ascii: ",")) }
            append(&out, item)
        }
        out.append(UInt8(ascii: "]"))
        return out
    }
}
