/// An object of the host, read field by field: a field that no expression asks for is never made.
package protocol CELRecord: AnyObject, Sendable {
    var type: CELRecordType { get }

    /// The field with this index in `type.fields`; nil when the object lacks it (`has` says false, reading it is an error).
    func field(_ index: Int) -> CELValue?
}

/// A type of the host: named fields, each with a CEL type.
package final class CELRecordType: Sendable {
    package struct Field: Sendable {
        package let name: String
        package let type: CELType
        /// The most elements or bytes that a value of this field has, for the cost estimate; nil takes the environment's default.
        package let sizeMax: Int?

        package init(_ name: String, _ type: CELType, sizeMax: Int? = nil) {
            self.name = name
            self.type = type
            self.sizeMax = sizeMax
        }
    }

    package let name: String
    package let fields: [Field]
    private let indices: [String: Int]

    /// - Shape: field names are distinct.
    package init(_ name: String, _ fields: [Field]) {
        self.name = name
        self.fields = fields
        indices = Dictionary(fields.enumerated().map { ($1.name, $0) }) { first, _ in first }
    }

    package func index(of field: String) -> Int? { indices[field] }
}
