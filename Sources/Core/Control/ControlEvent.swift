/// One change of a document, as it stands in `control`. It carries the whole document, so that a fold needs nothing else.
package struct ControlEvent: Sendable, Equatable {
    package enum Change: String, Sendable, CaseIterable { case created, updated, deleted }

    package var kind: ControlKind
    package var change: Change
    /// Of the document's form; `ControlUpcaster` brings older ones up to `currentVersion`.
    package var version: Int
    package var key: String
    /// JSON text of an object; empty for `deleted`.
    package var document: [UInt8]
    /// Who asked for it; empty when nobody was named.
    package var principal: String
    /// The door: `http`, `cli`, `reference` ...
    package var via: String
    /// Why, in the words of who did it.
    package var comment: String
    /// The position whose state a restore brought back; nil for an ordinary change.
    package var restoredFrom: Position?

    package init(
        _ kind: ControlKind, _ change: Change, key: String, document: [UInt8], version: Int? = nil, principal: String = "", via: String = "",
        comment: String = "", restoredFrom: Position? = nil
    ) {
        self.kind = kind
        self.change = change
        self.version = version ?? ControlEvent.currentVersion(kind)
        self.key = key
        self.document = document
        self.principal = principal
        self.via = via
        self.comment = comment
        self.restoredFrom = restoredFrom
    }

    /// Backbones are in their second form: the first had the organisations as one comma-separated text.
    package static func currentVersion(_ kind: ControlKind) -> Int { kind == .backbone ? 2 : 1 }

    /// `backbone.created`
    package var type: String { "\(kind.rawValue).\(change.rawValue)" }

    /// Every event type of the stream.
    package static let types = ControlKind.allCases.flatMap { kind in Change.allCases.map { "\(kind.rawValue).\($0.rawValue)" } }

    /// Names of the fields in the log, in order.
    package static let fieldNames: [StaticString] = ["event", "v", "key", "document", "principal", "via", "comment", "restored_from"]

    /// Values of the fields, in the order of `fieldNames`.
    package var fieldValues: [[UInt8]] {
        func text(_ value: String) -> [UInt8] { Array(value.utf8) }
        return [
            text(type), text(String(version)), text(key), document, text(principal), text(via), text(comment), text(restoredFrom?.description ?? ""),
        ]
    }

    /// Reads the fields of a log entry.
    ///
    /// - Throws: `ControlFault` that says which field is wrong.
    package init(fields: (StaticString) -> ArraySlice<UInt8>?) throws(ControlFault) {
        func text(_ name: StaticString) throws(ControlFault) -> String {
            guard let bytes = fields(name) else { throw ControlFault("the field '\(name)' is missing") }
            return String(decoding: bytes, as: UTF8.self)
        }
        let type = try text("event")
        let words = type.split(separator: ".", maxSplits: 1)
        guard words.count == 2, let kind = ControlKind(rawValue: String(words[0])), let change = Change(rawValue: String(words[1])) else {
            throw ControlFault("'\(type)' is no event of the control stream")
        }
        guard let version = Int(try text("v")), version >= 1 else { throw ControlFault("v is not a version number") }
        guard version <= ControlEvent.currentVersion(kind) else {
            throw ControlFault("\(type) is of version \(version), this process knows up to \(ControlEvent.currentVersion(kind))")
        }
        self.kind = kind
        self.change = change
        self.version = version
        key = try text("key")
        if key.isEmpty { throw ControlFault("the key is empty") }
        document = fields("document").map { Array($0) } ?? []
        principal = try text("principal")
        via = try text("via")
        comment = try text("comment")
        restoredFrom = Position(try text("restored_from"))
        if change == .deleted { return }
        do {
            guard try JSONDocument(document).root.kind == .object else { throw ControlFault("the document is no JSON object") }
        } catch let fault as JSONFault {
            throw ControlFault("the document is not JSON: \(fault.detail)")
        } catch let fault as ControlFault {
            throw fault
        } catch {
            preconditionFailure("nothing else is thrown")
        }
        try ControlUpcaster.upcast(&self)
    }
}

/// Why an entry of `control` cannot be applied.
package struct ControlFault: Error, Equatable, Sendable {
    package let detail: String
    package init(_ detail: String) { self.detail = detail }
}
