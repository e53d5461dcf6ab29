/// Why an entry of `sessions` cannot be applied.
package struct SessionFault: Error, Equatable, Sendable {
    package let detail: String
    package init(_ detail: String) { self.detail = detail }
}

/// Reads the fields of an entry of `sessions`, each as what it is.
struct SessionFields {
    private let fields: (StaticString) -> ArraySlice<UInt8>?

    init(_ fields: @escaping (StaticString) -> ArraySlice<UInt8>?) { self.fields = fields }

    func optional(_ name: StaticString) -> String? { fields(name).map { String(decoding: $0, as: UTF8.self) } }

    func text(_ name: StaticString) throws(SessionFault) -> String {
        guard let value = optional(name) else { throw SessionFault("the field '\(name)' is missing") }
        return value
    }

    func choice<T: RawRepresentable & CaseIterable>(_ name: StaticString) throws(SessionFault) -> T where T.RawValue == String {
        let word = try text(name)
        guard let value = T(rawValue: word) else {
            throw SessionFault("'\(word)' in '\(name)' is none of \(T.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return value
    }

    func position(_ name: StaticString) throws(SessionFault) -> Position {
        let word = try text(name)
        guard let value = Position(word) else { throw SessionFault("'\(word)' in '\(name)' is no position") }
        return value
    }

    /// nil when the field is not there.
    func optionalPosition(_ name: StaticString) throws(SessionFault) -> Position? { optional(name) == nil ? nil : try position(name) }

    /// nil when the field is not there.
    func integer(_ name: StaticString) throws(SessionFault) -> Int64? {
        guard let word = optional(name) else { return nil }
        guard let value = Int64(word) else { throw SessionFault("'\(word)' in '\(name)' is no whole number") }
        return value
    }

    /// A JSON array of strings; nil when the field is not there.
    func strings(_ name: StaticString) throws(SessionFault) -> [String]? {
        guard let text = fields(name) else { return nil }
        guard let root = try? JSONDocument(Array(text)).root, root.kind == .array else { throw SessionFault("'\(name)' is no JSON array") }
        return root.items.compactMap(\.string)
    }
}
