package import Core

/// A row that was touched since the last commit; `json` is nil when it is to be removed.
package struct RowChange: Sendable {
    package let key: String
    package let json: [UInt8]?
    package let digest: StateDigest?
    /// Of the last event that touched it.
    package let position: Position
    /// There was none before.
    package let isNew: Bool
}
