import Core
package import HTTPTypes
package import Hummingbird
import NIOCore

/// What every error says outward (RFC 9457): a stable type, the status, and what would pass. No internals.
package struct ProblemDocument: Error, Sendable {
    /// A value of an extension member.
    package enum Member: Sendable {
        case string(String)
        case integer(Int)
        case boolean(Bool)
        case strings([String])
        /// JSON already.
        case json([UInt8])
    }

    /// Names the kind of problem for good; `type` is `urn:meshlog:problem:<slug>`.
    package var slug: String
    package var statusCode: Int
    package var title: String
    package var detail: String?
    package var instance: String?
    /// Extension members, in this order.
    package var members: [(name: String, value: Member)]
    /// Header fields of the answer, such as `Retry-After`.
    package var headers: HTTPFields

    package init(
        _ slug: String, status: Int, title: String, detail: String? = nil, instance: String? = nil,
        members: [(name: String, value: Member)] = [], headers: HTTPFields = [:]
    ) {
        self.slug = slug
        statusCode = status
        self.title = title
        self.detail = detail
        self.instance = instance
        self.members = members
        self.headers = headers
    }

    package var type: String { "urn:meshlog:problem:\(slug)" }

    package static let contentType = "application/problem+json"

    /// The document as UTF-8 JSON.
    package var json: [UInt8] {
        var object = JSONObject()
        object.add("type", type)
        object.add("title", title)
        object.add("status", statusCode)
        if let detail { object.add("detail", detail) }
        if let instance { object.add("instance", instance) }
        var out = object.finish()
        out.removeLast()
        for (name, value) in members {
            out.append(UInt8(ascii: ","))
            JSONText.append(name, to: &out)
            out.append(UInt8(ascii: ":"))
            Self.append(value, to: &out)
        }
        out.append(UInt8(ascii: "}"))
        return out
    }

    private static func append(_ value: Member, to out: inout [UInt8]) {
        switch value {
        case .string(let text): JSONText.append(text, to: &out)
        case .integer(let number): out.append(contentsOf: String(number).utf8)
        case .boolean(let truth): out.append(contentsOf: (truth ? "true" : "false").utf8)
        case .json(let bytes): out.append(contentsOf: bytes)
        case .strings(let texts):
            out.append(UInt8(ascii: "["))
            for (index, text) in texts.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                JSONText.append(text, to: &out)
            }
            out.append(UInt8(ascii: "]"))
        }
    }

    package var response: Response {
        var headers = headers
        headers[.contentType] = Self.contentType
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
    }
}

/// Routes throw problem documents.
extension ProblemDocument: HTTPResponseError {
    package var status: HTTPResponse.Status { HTTPResponse.Status(code: statusCode) }
    package func response(from request: Request, context: some RequestContext) -> Response { response }
}

/// An error that knows what it says outward.
package protocol ProblemSource: Error {
    var problem: ProblemDocument { get }
}
