/// A map held in memory, in the order in which its entries were written.
///
/// - Cost: up to `scannedMax` entries a look-up scans, above that it hashes.
package final class CELTable: Sendable {
    private static let scannedMax = 8

    package let keys: [CELMapKey]
    package let values: [CELValue]
    private let positions: [CELMapKey: Int]

    package init() {
        keys = []
        values = []
        positions = [:]
    }

    /// - Shape: as many values as keys; nil when a key repeats (`1` and `1u` are one key).
    package init?(keys: [CELMapKey], values: [CELValue]) {
        var positions: [CELMapKey: Int] = [:]
        if keys.count <= Self.scannedMax {
            for index in keys.indices where keys[..<index].contains(keys[index]) { return nil }
        } else {
            positions.reserveCapacity(keys.count)
            for (index, key) in keys.enumerated() where positions.updateValue(index, forKey: key) != nil { return nil }
        }
        self.keys = keys
        self.values = values
        self.positions = positions
    }

    package var count: Int { keys.count }

    package func position(_ key: CELMapKey) -> Int? {
        keys.count <= Self.scannedMax ? keys.firstIndex(of: key) : positions[key]
    }

    package subscript(key: CELMapKey) -> CELValue? { position(key).map { values[$0] } }
}
