internal import Control
internal import Core
internal import HTTPTypes
internal import Log
internal import Web

/// What is said outward when a change of the control plane is not made.
enum ControlProblem {
    /// - Parameters:
    ///   - command: nil for a restore, which names no single document.
    ///   - position: how far this process has folded the control plane.
    static func problem(_ error: ControlError, _ command: ControlCommand?, path: String, position: Position) -> ProblemDocument {
        switch error {
        case .fault(.refused(let refusal)): return refused(refusal, command?.kind.noun ?? "change")
        case .fault(.notFound):
            guard let command else { preconditionFailure("a restore looks for no document") }
            return notFound(command.kind, command.key, position)
        case .fault(.conflict(let row)):
            guard let command else { preconditionFailure("a restore names no version") }
            return command.expected == nil ? exists(command, row, path, position) : mismatch(command, row, path, position)
        case .contended:
            return ProblemDocument(
                "contended", status: 409, title: "Others keep changing the same documents",
                detail: "Nothing was changed: each attempt was overtaken by another writer. Try again.", instance: path, headers: [.retryAfter: "1"])
        case .unavailable(.overloaded):
            return ProblemDocument(
                "overloaded", status: 503, title: "Too much is waiting", detail: "Nothing was changed. Try again in a second.", headers: [.retryAfter: "1"])
        case .unavailable:
            return ProblemDocument(
                "log-unavailable", status: 503, title: "The log cannot be reached",
                detail: "Whether the change was made is unknown: read the document, or repeat the change with If-Match, which is never made twice.",
                instance: path, headers: [.retryAfter: "2"])
        }
    }

    /// A body that is no such document, with everything wrong with it.
    static func refused(_ refusal: Refusal, _ noun: String) -> ProblemDocument {
        let members: [(name: String, value: ProblemDocument.Member)] = [("violations", .json(refusal.json))]
        if refusal.isTooLarge {
            return ProblemDocument("document-too-large", status: 413, title: "The \(noun) is too large", detail: refusal.summary, members: members)
        }
        if refusal.isSyntax {
            return ProblemDocument("document-unreadable", status: 400, title: "The \(noun) cannot be read", detail: refusal.summary, members: members)
        }
        return ProblemDocument("document-invalid", status: 422, title: "The \(noun) breaks the rules", detail: refusal.summary, members: members)
    }

    static func notFound(_ kind: ControlKind, _ key: String, _ position: Position) -> ProblemDocument {
        ProblemDocument(
            "document-not-found", status: 404, title: "There is no such \(kind.noun)",
            detail: "There is no \(kind.noun) '\(key)' at \(position).",
            members: [("key", .string(key)), ("position", .string(position.description))], headers: [.meshlogPosition: position.description])
    }

    /// A read that asks for other versions than the one there is.
    static func mismatch(_ kind: ControlKind, _ key: String, _ row: ControlRow, _ position: Position) -> ProblemDocument {
        ProblemDocument(
            "version-mismatch", status: 412, title: "The \(kind.noun) has another version than was named",
            detail: "Its version is \(row.revision); a read without If-Match answers whatever there is.", instance: kind.path(key),
            members: members(key, row), headers: headers(row, position))
    }

    private static func exists(_ command: ControlCommand, _ row: ControlRow?, _ path: String, _ position: Position) -> ProblemDocument {
        ProblemDocument(
            "document-exists", status: 409, title: "There is such a \(command.kind.noun) already",
            detail: "'\(command.key)' exists. To change it, PUT or PATCH \(path)\(row.map { " with If-Match: \(EntityTag.text($0.revision))" } ?? "").",
            instance: path, members: members(command.key, row), headers: headers(row, position))
    }

    private static func mismatch(_ command: ControlCommand, _ row: ControlRow?, _ path: String, _ position: Position) -> ProblemDocument {
        let detail: String
        if let row {
            detail =
                command.expected == ExpectedVersion.none
                ? "If-None-Match: * asks that there is none, and there is one of version \(row.revision)."
                : "It has been changed since: its version is \(row.revision). Look at `current`, then send If-Match: \(EntityTag.text(row.revision))."
        } else {
            detail = "There is none any more; send If-None-Match: * to create it."
        }
        return ProblemDocument(
            "version-mismatch", status: 412, title: "The \(command.kind.noun) has another version than was named", detail: detail, instance: path,
            members: members(command.key, row), headers: headers(row, position))
    }

    private static func members(_ key: String, _ row: ControlRow?) -> [(name: String, value: ProblemDocument.Member)] {
        let null = ProblemDocument.Member.json(Array("null".utf8))
        return [
            ("key", .string(key)), ("current_version", row.map { .string($0.revision.description) } ?? null),
            ("current", row.map { .json($0.document) } ?? null),
            ("would_pass", .string(row.map { "If-Match: \(EntityTag.text($0.revision))" } ?? "If-None-Match: *")),
        ]
    }

    private static func headers(_ row: ControlRow?, _ position: Position) -> HTTPFields {
        var headers: HTTPFields = [.meshlogPosition: position.description]
        if let row { headers[.eTag] = EntityTag.text(row.revision) }
        return headers
    }
}
