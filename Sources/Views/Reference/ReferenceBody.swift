internal import Core
internal import Hummingbird
internal import Web

/// Reads the reference's bodies: objects with a few named members.
struct ReferenceBody: Sendable {
    let root: JSONNode
    private var refusal = Refusal()
    private let noun: String

    /// - Throws: 400 in the end when the body is no JSON object.
    init(_ request: Request, _ noun: String) async throws {
        try QueryReader(request.uri.query ?? "").finish()
        root = try DocumentBody.object(try await DocumentBody.read(request, .document), noun)
        self.noun = noun
    }

    /// A text that must be there.
    mutating func text(_ member: String) -> String {
        guard let node = root[member] else {
            refusal.add(.missing, "/\(member)", "it is missing")
            return ""
        }
        guard let text = node.string, !text.isEmpty else {
            refusal.add(.wrongType, "/\(member)", "a text that is not empty is expected")
            return ""
        }
        return text
    }

    /// JSON of any type that must be there.
    mutating func value(_ member: String) -> ArraySlice<UInt8> {
        guard let node = root[member] else {
            refusal.add(.missing, "/\(member)", "it is missing")
            return []
        }
        return node.text
    }

    /// - Throws: what is wrong, all of it; also members beyond these.
    mutating func finish(_ members: [String]) throws(ProblemDocument) {
        for (key, _) in root.members {
            guard let member = key.string, !members.contains(member) else { continue }
            refusal.add(.unknownField, Violation.pointer(to: member), "no such member; known are \(members.joined(separator: ", "))")
        }
        guard refusal.isEmpty else { throw ControlProblem.refused(refusal, noun) }
    }
}
