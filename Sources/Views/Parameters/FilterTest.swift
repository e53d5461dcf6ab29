/// What a filter asks of a member; the raw value is written behind its name.
enum FilterTest: String, Sendable, CaseIterable {
    case equals = "eq"
    case among = "in"
    case above = "gt"
    case from = "gte"
    case below = "lt"
    case upTo = "lte"
    case prefix
}
