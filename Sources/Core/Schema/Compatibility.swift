/// Whether everything valid under an old schema is valid under a new one.
package enum Compatibility: Equatable, Sendable {
    /// A place in the new schema, as a JSON Pointer, and what about it.
    package struct Finding: Equatable, Sendable {
        package let pointer: String
        package let reason: String
    }

    case compatible
    /// Some instance is valid under the old schema and not under the new one; each finding tells which.
    case incompatible([Finding])
    /// Nothing speaks against it, but these places could not be compared.
    case undecided([Finding])

    /// Compares two schemas of draft 2020-12 by their structure.
    ///
    /// The answer `compatible` is certain. `incompatible` is certain except where the old schema allows nothing at all at that place.
    /// Everything that needs more than comparing keyword with keyword is `undecided`; a part that is written alike in both is compatible.
    /// - Cost: linear in the schemas, `enum` and `required` by look-up; at most `Limits.compatibilityStepsMax` pairs.
    package static func check(old: JSONDocument, new: JSONDocument) -> Compatibility {
        var comparison = SchemaComparison(old: old, new: new)
        comparison.compare(old.root, new.root, "")
        if !comparison.broken.isEmpty { return .incompatible(comparison.broken) }
        return comparison.unclear.isEmpty ? .compatible : .undecided(comparison.unclear)
    }
}
