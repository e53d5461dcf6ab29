/// The validation templates of one moment, by topic. A value.
package struct TemplateSet: Sendable {
    /// One way in which a payload breaks a template.
    package struct Violation: Sendable, Equatable {
        package let template: String
        package let version: Int64
        /// JSON Pointer into the payload.
        package let pointer: String
        /// What would pass.
        package let message: String
    }

    private enum Entry: Sendable {
        case template(ValidationTemplate)
        /// A stored document that cannot be read, and why: nothing passes it.
        case fault(id: String, topics: [SubjectPattern], String)

        var topics: [SubjectPattern] {
            switch self {
            case .template(let template): template.topics
            case .fault(_, let topics, _): topics
            }
        }
    }

    private let compiler: SchemaCompiler
    private var entries: [Entry?] = []
    private var places: [String: Int32] = [:]
    private var free: [Int32] = []
    private var index = PolicyIndex()

    package init(_ compiler: SchemaCompiler) { self.compiler = compiler }

    package var count: Int { places.count }

    package subscript(id: String) -> ValidationTemplate? {
        if let place = places[id], case .template(let template)? = entries[Int(place)] { template } else { nil }
    }

    /// Puts in the document of a template, or takes the template out.
    ///
    /// One that cannot be read should not have been stored; it refuses everything on its topics and says why.
    package mutating func put(key: String, _ document: [UInt8]?) {
        if let place = places.removeValue(forKey: key) {
            if let old = entries[Int(place)] { index.remove(place, Self.scope(old)) }
            entries[Int(place)] = nil
            free.append(place)
        }
        guard let document else { return }
        let entry = entry(key, document)
        let place = free.popLast() ?? Int32(entries.count)
        if Int(place) == entries.count { entries.append(entry) } else { entries[Int(place)] = entry }
        places[key] = place
        index.add(place, Self.scope(entry))
    }

    private func entry(_ key: String, _ document: [UInt8]) -> Entry {
        do throws(JSONFault) {
            let root = try JSONDocument(document).root
            do throws(Refusal) {
                return .template(try ValidationTemplate(root, compiler: compiler))
            } catch {
                let topics = root["topics"].map { $0.items.compactMap(\.string) }?.filter { Subject.isPattern($0.utf8) } ?? []
                return .fault(id: key, topics: topics.map { SubjectPattern($0.utf8) }, "the template cannot be read: \(error.summary)")
            }
        } catch {
            return .fault(id: key, topics: [], "the template is not JSON: \(error.detail)")
        }
    }

    private static func scope(_ entry: Entry) -> ConstraintScope { ConstraintScope(topics: entry.topics.map(\.text)) }

    /// Is any template bound to this topic? Else the payload need not be parsed.
    package func isBound(topic: some Collection<UInt8>) -> Bool {
        let topic = Array(topic)
        return !places(topic.span).isEmpty
    }

    /// - Cost: a walk along the topic's tokens; nothing is allocated where no template is bound.
    private func places(_ topic: Span<UInt8>) -> [Int32] {
        var found: [Int32] = []
        if index.count > 0 { index.collect(topic, PolicyIndex.Keys(), into: &found) }
        return found
    }

    /// Everything in which a message breaks the templates of its topic, by template id; empty when it passes. At most
    /// `Limits.violationsMax`. A payload that is not JSON passes no template.
    ///
    /// - Cost: that of `isBound`; where one is, a parse of the payload and the evaluation of each, bounded by
    ///   `Limits.evaluationStepsMax`.
    package func check(_ message: MessageEntry) -> [Violation] {
        let found = places(message.bytes.span.extracting(message.range(.topic)))
        guard !found.isEmpty else { return [] }
        guard message.isJSON else { return Self.unreadable(bound(found), "its content type is '\(message.string(.contentType))'") }
        return check(found, Array(message.slice(.data)))
    }

    /// The same for a payload that calls itself JSON.
    ///
    /// - Parameter data: the payload's bytes.
    package func check(topic: some Collection<UInt8>, data: some Collection<UInt8>) -> [Violation] {
        let topic = Array(topic)
        let found = places(topic.span)
        return found.isEmpty ? [] : check(found, Array(data))
    }

    private func check(_ found: [Int32], _ data: [UInt8]) -> [Violation] {
        let bound = bound(found)
        let document: JSONDocument
        do throws(JSONFault) {
            document = try JSONDocument(data)
        } catch {
            return Self.unreadable(bound, error.detail)
        }
        var out: [Violation] = []
        for entry in bound where out.count < Limits.violationsMax {
            switch entry {
            case .fault(let id, _, let detail): out.append(Violation(template: id, version: 0, pointer: "", message: detail))
            case .template(let template): out += Self.check(template, document.root).prefix(Limits.violationsMax - out.count)
            }
        }
        return out
    }

    /// The templates at these places, each once, by their ids.
    private func bound(_ found: [Int32]) -> [Entry] {
        Set(found).compactMap { entries[Int($0)] }.sorted { Self.id($0).utf8.lexicographicallyPrecedes(Self.id($1).utf8) }
    }

    private static func unreadable(_ bound: [Entry], _ cause: String) -> [Violation] {
        bound.prefix(Limits.violationsMax).map { entry in
            Violation(template: id(entry), version: version(entry), pointer: "", message: "the payload is not JSON, which the template needs: \(cause)")
        }
    }

    private static func id(_ entry: Entry) -> String {
        switch entry {
        case .template(let template): template.id
        case .fault(let id, _, _): id
        }
    }

    private static func version(_ entry: Entry) -> Int64 {
        if case .template(let template) = entry { template.version } else { 0 }
    }

    static func check(_ template: ValidationTemplate, _ node: JSONNode) -> [Violation] {
        func violation(_ pointer: String, _ message: String) -> Violation {
            Violation(template: template.id, version: template.version, pointer: pointer, message: message)
        }
        do throws(EvaluationFault) {
            let verdict = try template.compiled.validate(node)
            var out = verdict.violations.map { violation($0.instance, $0.message) }
            if verdict.further > 0 { out.append(violation("", "and \(verdict.further) more")) }
            return out
        } catch {
            return [violation("", "the payload could not be checked: \(error.detail)")]
        }
    }
}
