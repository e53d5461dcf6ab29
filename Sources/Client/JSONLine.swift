/// A JSON value on one line.
package enum JSONLine {
    /// `text` with a space for every CR and LF: as bytes they stand between tokens only, since a string must escape them.
    ///
    /// - Source: RFC 8259, 2 and 7.
    package static func folded(_ text: some Sequence<UInt8>) -> [UInt8] { text.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 } }
}
