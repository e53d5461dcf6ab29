/// One thing wrong with an input: where, what, and what would pass.
package struct Violation: Sendable, Equatable {
    package enum Code: String, Sendable {
        case notJSON = "not-json"
        case notUTF8 = "not-utf8"
        case nesting
        case missing
        case malformed
        case wrongType = "wrong-type"
        case tooLarge = "too-large"
        case duplicateKey = "duplicate-key"
        case unknownField = "unknown-field"
        case conflict
        /// The payload breaks a validation template.
        case template
    }

    /// A validation template, and which version of it was broken.
    package struct Template: Sendable, Equatable {
        package let id: String
        /// 0 for a stored template that cannot be read.
        package let version: Int64
    }

    package let code: Code
    /// JSON Pointer (RFC 6901) into the input; empty for the whole. With the code `template` it points into the payload.
    package let pointer: String
    package let detail: String
    /// With the code `template` only.
    package let template: Template?

    package init(_ code: Code, _ pointer: String, _ detail: String, template: Template? = nil) {
        self.code = code
        self.pointer = pointer
        self.detail = detail
        self.template = template
    }

    /// One line; of a template also which it was, since several may concern a topic.
    fileprivate var line: String {
        let place = pointer.isEmpty ? detail : "\(pointer): \(detail)"
        return template.map { "\(place) (template '\($0.id)', version \($0.version))" } ?? place
    }

    /// The JSON Pointer to a member of the input; of a long name only the beginning. Scalars are counted, since one character may have any
    /// number of them.
    package static func pointer(to name: String) -> String {
        "/" + String(String.UnicodeScalarView(name.unicodeScalars.prefix(64))).replacing("~", with: "~0").replacing("/", with: "~1")
    }
}

/// An input that is not admitted, with everything that is wrong with it (at most `Limits.violationsMax`, in input order).
package struct Refusal: Error, Sendable, Equatable {
    package private(set) var violations: [Violation]

    package init(_ violations: [Violation] = []) { self.violations = violations }

    package init(_ code: Violation.Code, _ pointer: String, _ detail: String) { self.init([Violation(code, pointer, detail)]) }

    /// A payload that breaks templates of its topic.
    package init(breaking violations: [TemplateSet.Violation]) {
        self.init(violations.map { Violation(.template, $0.pointer, $0.message, template: .init(id: $0.template, version: $0.version)) })
    }

    package init(_ fault: JSONFault) {
        let code: Violation.Code =
            switch fault.reason {
            case .notUTF8: .notUTF8
            case .nesting: .nesting
            default: .notJSON
            }
        self.init(code, "", fault.detail)
    }

    package var isEmpty: Bool { violations.isEmpty }

    /// Could not be read at all, as against: was read and broke a rule.
    package var isSyntax: Bool { violations.contains { $0.code == .notJSON || $0.code == .notUTF8 || $0.code == .nesting } }

    package var isTooLarge: Bool { violations.contains { $0.code == .tooLarge && $0.pointer.isEmpty } }

    /// The payload breaks templates of its topic; such a refusal names nothing else.
    package var isTemplate: Bool { violations.contains { $0.code == .template } }

    /// Nothing more is named, so nothing more need be found.
    package var isFull: Bool { violations.count >= Limits.violationsMax }

    package mutating func add(_ code: Violation.Code, _ pointer: String, _ detail: String) {
        if !isFull { violations.append(Violation(code, pointer, detail)) }
    }

    /// One line for logs, the `rejected` stream and doors that answer with plain text.
    package var summary: String {
        violations.map(\.line).joined(separator: "; ")
    }

    /// The violations as a JSON array of `{code, pointer, detail}`; of a template also `template` and `version`.
    package var json: [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "[")]
        for (index, violation) in violations.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            var object = JSONObject()
            object.add("code", violation.code.rawValue)
            object.add("pointer", violation.pointer)
            object.add("detail", violation.detail)
            if let template = violation.template {
                object.add("template", template.id)
                object.add("version", Int(template.version))
            }
            out.append(contentsOf: object.finish())
        }
        out.append(UInt8(ascii: "]"))
        return out
    }
}
