/// What can be the key of a CEL map: bool, int, uint, string. Keys that are equal as CEL values are equal here, so `1u` finds `1`.
package enum CELMapKey: Sendable {
    case bool(Bool)
    case int(Int64)
    /// Above `Int64.max` only; smaller ones are `.int`, with the sign of the original type lost on purpose (see `value`).
    case large(UInt64)
    /// An unsigned key within Int64, kept apart for `value` alone.
    case uint(UInt64)
    case string(String)

    /// The key for a look-up or an entry; nil when the value can equal no key. A whole double finds the number.
    package init?(_ value: CELValue) {
        switch value {
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .uint(let value): self = value > UInt64(Int64.max) ? .large(value) : .uint(value)
        case .string(let value): self = .string(value)
        case .double(let value):
            if let whole = Int64(exactly: value) {
                self = .int(whole)
            } else if let whole = UInt64(exactly: value) {
                self = .large(whole)
            } else {
                return nil
            }
        default: return nil
        }
    }

    /// The key as it was written.
    package var value: CELValue {
        switch self {
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .large(let value), .uint(let value): .uint(value)
        case .string(let value): .string(value)
        }
    }

    /// The number as UInt64 bits for comparison; nil for what is no number within Int64.
    private var small: Int64? {
        switch self {
        case .int(let value): value
        case .uint(let value): Int64(truncatingIfNeeded: value)
        default: nil
        }
    }
}

extension CELMapKey: Hashable {
    package static func == (left: CELMapKey, right: CELMapKey) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)): UTF8Text.equal(left, right)
        case (.bool(let left), .bool(let right)): left == right
        case (.large(let left), .large(let right)): left == right
        default: if let left = left.small, let right = right.small { left == right } else { false }
        }
    }

    /// Swift hashes strings by canonical equivalence, which is coarser than code points: equal keys still hash alike.
    package func hash(into hasher: inout Hasher) {
        switch self {
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .uint(let value): hasher.combine(Int64(truncatingIfNeeded: value))
        case .large(let value): hasher.combine(value)
        case .string(let value): hasher.combine(value)
        }
    }
}
