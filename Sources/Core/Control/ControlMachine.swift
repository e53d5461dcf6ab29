/// Decides what a command becomes: a change based on the version at hand, or why it becomes none.
package struct ControlMachine: Sendable {
    /// Why a command becomes no change.
    package enum Fault: Error, Sendable, Equatable {
        /// The document is not one; everything wrong with it.
        case refused(Refusal)
        case notFound
        /// There is one already, or the version is another than its author saw. The row is nil when there is none.
        case conflict(ControlRow?)
    }
    private let rules: DocumentRules

    package init(rules: DocumentRules) { self.rules = rules }

    /// - Parameter row: the document's present state; nil when there is none.
    package func decide(_ command: ControlCommand, row: ControlRow?) throws(Fault) -> ControlChange {
        if let expected = command.expected, !ControlMachine.holds(expected, row) {
            // A change of what is not there is that, whatever version was named; unless there must be none.
            if row == nil, expected != .none { throw .notFound }
            throw .conflict(row)
        }
        let based: ExpectedVersion = row.map { .at($0.revision) } ?? .none
        func change(_ change: ControlEvent.Change, _ document: [UInt8]) -> ControlChange {
            let event = ControlEvent(
                command.kind, change, key: command.key, document: document, principal: command.author.principal, via: command.author.via,
                comment: command.author.comment)
            return ControlChange(event, expected: based)
        }
        switch command.verb {
        case .create(let document):
            try checkNew(command, row)
            try check(command, document)
            if row != nil { throw .conflict(row) }
            return change(.created, document)
        case .put(let document):
            try checkNew(command, row)
            try check(command, document)
            return change(row == nil ? .created : .updated, document)
        case .patch(let patch):
            guard let row else { throw .notFound }
            let document = try ControlMachine.merged(row.document, patch)
            try check(command, document)
            return change(.updated, document)
        case .delete:
            guard row != nil else { throw .notFound }
            return change(.deleted, [])
        }
    }

    private static func holds(_ expected: ExpectedVersion, _ row: ControlRow?) -> Bool {
        switch expected {
        case .any: true
        case .none: row == nil
        case .exists: row != nil
        case .at(let position): row?.revision == position
        case .oneOf(let positions): row.map { positions.contains($0.revision) } ?? false
        }
    }

    /// A document that is there already can still be changed and deleted, whatever it is called.
    private func checkNew(_ command: ControlCommand, _ row: ControlRow?) throws(Fault) {
        guard row == nil else { return }
        if command.kind.reservedKeys.contains(command.key) {
            throw .refused(Refusal(.conflict, "/\(command.kind.keyMember ?? "")", "'\(command.key)' is the name of a route; take another one"))
        }
        for (member, name) in ControlMachine.segments(command) where name == "." || name == ".." {
            throw .refused(Refusal(.malformed, "/\(member)", "'\(name)' in a path is a step to clients (RFC 3986, 5.2.4), not a name; take another one"))
        }
    }

    /// What of the key becomes a segment of the document's path, by the member that says it.
    private static func segments(_ command: ControlCommand) -> [(member: String, name: String)] {
        if let member = command.kind.keyMember { return [(member, command.key)] }
        guard let address = ConfigAddress(key: command.key) else { return [] }
        return [("name", address.name), ("scope", address.scope)]
    }

    private func check(_ command: ControlCommand, _ document: [UInt8]) throws(Fault) {
        let refusal = rules.check(command.kind, key: command.key, document: document)
        if !refusal.isEmpty { throw .refused(refusal) }
    }

    private static func merged(_ document: [UInt8], _ patch: [UInt8]) throws(Fault) -> [UInt8] {
        let changes = try parsed(patch)
        guard changes.kind == .object else {
            throw .refused(Refusal(.wrongType, "", "a patch is a JSON object with the members to change; null removes one"))
        }
        let duplicates = Refusal(duplicateKeysIn: changes)
        guard duplicates.isEmpty else { throw .refused(duplicates) }
        return JSONMergePatch.apply(changes, to: try parsed(document))
    }

    private static func parsed(_ text: [UInt8]) throws(Fault) -> JSONNode {
        do throws(JSONFault) { return try JSONDocument(text).root } catch { throw .refused(Refusal(error)) }
    }
}
