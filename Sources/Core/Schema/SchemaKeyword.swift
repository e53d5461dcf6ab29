/// Where keywords hold subschemas.
enum SchemaKeyword {
    enum Shape: Sendable { case schema, list, map, schemaOrList }

    /// Also those of earlier drafts that draft 2020-12 keeps readable: `definitions`, `dependencies`, `additionalItems`.
    static let shapes: [String: Shape] = [
        "$defs": .map, "definitions": .map, "properties": .map, "patternProperties": .map, "dependentSchemas": .map, "dependencies": .map,
        "allOf": .list, "anyOf": .list, "oneOf": .list, "prefixItems": .list, "items": .schemaOrList,
        "additionalItems": .schema, "additionalProperties": .schema, "propertyNames": .schema, "contains": .schema, "not": .schema,
        "if": .schema, "then": .schema, "else": .schema, "unevaluatedItems": .schema, "unevaluatedProperties": .schema, "contentSchema": .schema,
    ]
}
