/// Which keywords a schema resource may use: what its `$schema` names.
struct SchemaDialect: Sendable, Equatable {
    package static let draft2020URI = "https://json-schema.org/draft/2020-12/schema"
    static let draft2019URI = "https://json-schema.org/draft/2019-09/schema"

    /// Vocabularies of draft 2020-12, by the last part of their URI.
    struct Vocabularies: OptionSet, Sendable {
        let rawValue: Int
        static let applicator = Vocabularies(rawValue: 1)
        static let unevaluated = Vocabularies(rawValue: 2)
        static let validation = Vocabularies(rawValue: 4)
        static let formatAssertion = Vocabularies(rawValue: 8)

        static let prefix = "https://json-schema.org/draft/2020-12/vocab/"
        /// Those without a bit assert nothing, or are always on.
        static let known: [String: Vocabularies] = [
            "core": [], "applicator": .applicator, "unevaluated": .unevaluated, "validation": .validation, "meta-data": [],
            "format-annotation": [], "format-assertion": .formatAssertion, "content": [],
        ]
    }

    var vocabularies: Vocabularies
    /// `items` may be an array and is followed by `additionalItems`; there is no `prefixItems`.
    var is2019: Bool

    static let draft2020 = SchemaDialect(vocabularies: [.applicator, .unevaluated, .validation], is2019: false)
    static let draft2019 = SchemaDialect(vocabularies: [.applicator, .unevaluated, .validation], is2019: true)

    /// The dialect that a meta-schema describes.
    init(metaSchema: JSONNode) throws(SchemaFault) {
        guard let declared = metaSchema["$vocabulary"], declared.kind == .object else {
            self = .draft2020
            return
        }
        self = SchemaDialect(vocabularies: [], is2019: false)
        for (key, value) in declared.members {
            let uri = key.string ?? ""
            if uri.hasPrefix(Vocabularies.prefix), let known = Vocabularies.known[String(uri.dropFirst(Vocabularies.prefix.count))] {
                vocabularies.formUnion(known)
            } else if value.bool == true {
                throw .unknownVocabulary(uri)
            }
        }
    }

    private init(vocabularies: Vocabularies, is2019: Bool) {
        self.vocabularies = vocabularies
        self.is2019 = is2019
    }
}
