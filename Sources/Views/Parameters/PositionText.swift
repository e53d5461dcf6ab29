internal import Core

/// Positions as clients give them.
enum PositionText {
    static let expectation = "not a position such as 0-1767225600000-0 (partition 0, milliseconds, sequence)"

    /// Nil when the text is no position of this log: another form, another partition, or a time after the year 5138.
    static func parse(_ text: some StringProtocol) -> Position? {
        guard let position = Position(text), position.partition == 0, position.ms < 100_000_000_000_000 else { return nil }
        return position
    }
}
