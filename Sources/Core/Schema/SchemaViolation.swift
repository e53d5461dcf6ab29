/// One way in which an instance breaks a schema.
package struct SchemaViolation: Equatable, Sendable {
    /// JSON Pointer of the offending value.
    package let instance: String
    /// The keyword's absolute location: the schema resource's URI, `#`, and a JSON Pointer.
    package let schema: String
    package let keyword: String
    /// What would pass, for people; reads on from the value: `must be one of "a", "b"`.
    package let message: String

    package init(instance: String, schema: String, keyword: String, message: String) {
        self.instance = instance
        self.schema = schema
        self.keyword = keyword
        self.message = message
    }
}

/// All violations of one instance.
package struct SchemaVerdict: Equatable, Sendable {
    /// At most `Limits.violationsMax`, in the order of evaluation.
    package let violations: [SchemaViolation]
    /// How many more there were.
    package let further: Int

    package var isValid: Bool { violations.isEmpty }

    package init(violations: [SchemaViolation], further: Int) {
        self.violations = violations
        self.further = further
    }
}
