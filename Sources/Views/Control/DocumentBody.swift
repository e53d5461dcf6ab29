internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Web

/// Reads documents from bodies.
enum DocumentBody {
    enum Form: String {
        case document = "application/json"
        case patch = "application/merge-patch+json"
    }

    /// The body's bytes.
    ///
    /// - Parameter noun: what people call what is read.
    /// - Throws: 413, or 415 for a type that is not read here.
    static func read(_ request: Request, _ form: Form, bytesMax: Int? = nil, noun: String = "document") async throws -> [UInt8] {
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw ProblemDocument(
                "content-encoding", status: 415, title: "The body is compressed", detail: "Send it without Content-Encoding; '\(coding)' is not read here.")
        }
        let type = (request.headers[.contentType] ?? "").lowercased().prefix { $0 != ";" && $0 != " " }
        switch type {
        case "", "application/json", "text/json", "text/plain", "application/x-www-form-urlencoded": break
        case "application/merge-patch+json" where form == .patch: break
        default:
            throw ProblemDocument(
                "content-type", status: 415, title: "The content type is not read here",
                detail: "'\(type)' is not; send \(form == .patch ? "application/merge-patch+json (RFC 7396) or " : "")application/json.",
                headers: form == .patch ? [.acceptPatch: Form.patch.rawValue] : [:])
        }
        // The rules of documents name their limit; what is far beyond it is not even read.
        let most = bytesMax ?? Limits.controlDocumentBytesMax * 2
        do {
            return Array(buffer: try await request.body.collect(upTo: most))
        } catch is NIOTooManyBytesError {
            throw ControlProblem.refused(
                Refusal(.tooLarge, "", "at most \(bytesMax ?? Limits.controlDocumentBytesMax) bytes are allowed"), noun)
        }
    }

    /// The object in a body.
    ///
    /// - Throws: 400 when it is no JSON, 422 when it is no object or has a key twice.
    static func object(_ bytes: [UInt8], _ noun: String) throws(ProblemDocument) -> JSONNode {
        let root: JSONNode
        do throws(JSONFault) { root = try JSONDocument(bytes).root } catch { throw ControlProblem.refused(Refusal(error), noun) }
        guard root.kind == .object else { throw ControlProblem.refused(Refusal(.wrongType, "", "a \(noun) is a JSON object"), noun) }
        let duplicates = Refusal(duplicateKeysIn: root)
        guard duplicates.isEmpty else { throw ControlProblem.refused(duplicates, noun) }
        return root
    }

    /// The document with its key in it, at the front when it was not there.
    static func named(_ root: JSONNode, _ member: String, _ key: String) -> [UInt8] {
        if root[member] != nil { return root.document.text }
        var out: [UInt8] = [UInt8(ascii: "{")]
        JSONText.append(member, to: &out)
        out.append(UInt8(ascii: ":"))
        JSONText.append(key, to: &out)
        if root.count > 0 { out.append(UInt8(ascii: ",")) }
        out.append(contentsOf: root.text.dropFirst())
        return out
    }
}

extension HTTPField.Name {
    static let acceptPatch = HTTPField.Name("Accept-Patch")!
}
