/// What a document of each kind must be. Its form is checked by whoever knows it (a JSON Schema, the readers of the policy); what is the
/// same for all, and what names and values of the configuration may be, is said here.
package struct DocumentRules: Sendable {
    /// Checks the form of a document of a kind; empty when it fits.
    package typealias Form = @Sendable (_ kind: ControlKind, _ document: JSONNode) -> Refusal
    private let form: Form

    package init(form: @escaping Form) { self.form = form }

    /// Everything that is wrong with a document; empty when nothing is.
    package func check(_ kind: ControlKind, key: String, document: [UInt8]) -> Refusal {
        if document.count > Limits.controlDocumentBytesMax {
            return Refusal(.tooLarge, "", "the document has \(document.count) bytes, at most \(Limits.controlDocumentBytesMax) are allowed")
        }
        let root: JSONNode
        do throws(JSONFault) { root = try JSONDocument(document).root } catch { return Refusal(error) }
        guard root.kind == .object else { return Refusal(.wrongType, "", "a \(kind.noun) is a JSON object") }
        if DocumentRules.holdsNull(document) {
            return Refusal(.malformed, "", "it holds \\u0000, which PostgreSQL cannot keep as text; leave the character out")
        }
        var refusal = form(kind, root)
        if let fault = DocumentRules.keyFault(key) { refusal.add(.malformed, "/\(kind.keyMember ?? "")", fault) }
        if let member = kind.keyMember, let named = root[member]?.string, named != key {
            refusal.add(.conflict, "/\(member)", "the document names '\(named)', the request '\(key)'")
        }
        switch kind {
        case .config: checkConfig(key, root, &refusal)
        case .topics: DocumentRules.checkTopics(root["topic_ids"], &refusal)
        case .webhook:
            do throws(Refusal) {
                _ = try WebhookEndpoint(root, key: key)
            } catch {
                // What the form has found already is not said twice.
                let known = Set(refusal.violations.map(\.pointer))
                for violation in error.violations where !known.contains(violation.pointer) { refusal.add(violation.code, violation.pointer, violation.detail) }
            }
        case .backbone, .constraint, .template: break
        }
        return refusal
    }

    /// Why a text cannot name a document; nil when it can.
    package static func keyFault(_ key: String) -> String? {
        if key.isEmpty { return "it is empty" }
        if key.utf8.count > Limits.nameBytesMax * 2 { return "it has \(key.utf8.count) bytes, at most \(Limits.nameBytesMax * 2) are allowed" }
        return key.utf8.contains { $0 < 0x20 || $0 == 0x7F } ? "it holds control characters" : nil
    }

    /// Is there an escape `\u0000` in this JSON text? Backslashes stand in strings only.
    private static func holdsNull(_ json: [UInt8]) -> Bool {
        var at = 0
        while at < json.count {
            guard json[at] == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            if json[at...].starts(with: #"\u0000"#.utf8) { return true }
            at += 2
        }
        return false
    }

    private func checkConfig(_ key: String, _ root: JSONNode, _ refusal: inout Refusal) {
        guard let address = ConfigAddress(key: key) else {
            return refusal.add(
                .malformed, "", "a value is named by level, name and scope: global/NAME, or org/NAME/ORG, topic/NAME/TOPIC, subject/NAME/SUBJECT")
        }
        if let level = root["level"]?.string, level != address.level.rawValue {
            refusal.add(.conflict, "/level", "the document says '\(level)', the request '\(address.level.rawValue)'")
        }
        if address.name.utf8.count > Limits.nameBytesMax { refusal.add(.tooLarge, "/name", "at most \(Limits.nameBytesMax) bytes are allowed") }
        if address.level == .topic {
            if !Subject.isPattern(address.scope.utf8) { refusal.add(.malformed, "/scope", "'\(address.scope)' is no topic and no pattern of topics") }
        }
        guard let known = KnownSetting(rawValue: address.name), let value = root["value"] else { return }
        if !known.levels.contains(address.level) {
            let levels = known.levels.map(\.rawValue).joined(separator: ", ")
            refusal.add(.malformed, "/level", "\(known.rawValue) concerns the log as a whole (\(known.purpose)); it can be set at: \(levels)")
        }
        if let fault = known.fault(value) { refusal.add(.malformed, "/value", fault) }
    }

    private static func checkTopics(_ list: JSONNode?, _ refusal: inout Refusal) {
        guard let list, list.kind == .array else { return }
        for (index, item) in list.items.enumerated() where item.stringBytes?.isEmpty == true {
            refusal.add(.malformed, "/topic_ids/\(index)", "a topic is not empty")
        }
    }
}
