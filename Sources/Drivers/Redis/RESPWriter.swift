/// Commands in the Redis protocol, ready to be sent as one pipeline.
///
/// The formatter is ours rather than hiredis's `redisFormatCommandArgv`: constant parts (names of fields) are copied in ready-made, so a
/// command costs one pass over its values and no allocation.
/// - Source: RESP2, arrays of bulk strings.
package struct RESPWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    /// Commands written since the last `removeAll`.
    package private(set) var commands = 0

    package init() {}

    package mutating func removeAll() {
        // A buffer that once grew for a large batch would keep its pages for ever.
        bytes.removeAll(keepingCapacity: bytes.capacity <= RESPWriter.keptBytesMax)
        commands = 0
    }

    private static let keptBytesMax = 8 << 20

    /// Appends `count` commands that another writer has formatted.
    package mutating func append(_ formatted: ArraySlice<UInt8>, commands count: Int) {
        bytes.append(contentsOf: formatted)
        commands += count
    }

    /// Begins a command of `count` arguments, its name included.
    package mutating func begin(_ count: Int) {
        commands += 1
        bytes.append(UInt8(ascii: "*"))
        append(number: count)
    }

    // Concrete rather than generic: other modules would get the unspecialised form, several times slower.

    package mutating func argument(_ value: ArraySlice<UInt8>) {
        bytes.append(UInt8(ascii: "$"))
        append(number: value.count)
        bytes.append(contentsOf: value)
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    package mutating func argument(_ value: [UInt8]) { argument(value[...]) }

    package mutating func argument(_ value: String) {
        bytes.append(UInt8(ascii: "$"))
        append(number: value.utf8.count)
        bytes.append(contentsOf: value.utf8)
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    package mutating func argument(_ value: StaticString) {
        bytes.append(UInt8(ascii: "$"))
        append(number: value.utf8CodeUnitCount)
        value.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    package mutating func argument(_ value: Int) { argument(String(value)) }

    /// Arguments that were formatted before by `RESPWriter.formatted`.
    package mutating func raw(_ formatted: [UInt8]) { bytes.append(contentsOf: formatted) }

    /// Names and values, from ready text with values in its gaps: one check of the capacity, one pass.
    ///
    /// - Parameters:
    ///   - block: holds the values.
    ///   - value: where the value for a gap stands in `block`; nil leaves the name out too.
    package mutating func fill(_ template: RESPTemplate, from block: Span<UInt8>, _ value: (Int) -> Range<Int>?) {
        let gaps = template.ends.count
        var size = template.bytes.count + gaps * RESPTemplate.lengthBytesMax
        for gap in 0..<gaps {
            guard let range = value(gap) else { continue }
            precondition(range.upperBound <= block.count, "a value lies within its block")
            size += range.count
        }
        bytes.append(addingCapacity: size) { out in
            out.withUnsafeMutableBufferPointer { room, written in
                guard let begin = UnsafeMutableRawPointer(room.baseAddress) else { return }
                block.withUnsafeBytes { block in
                    template.bytes.withUnsafeBytes { text in
                        guard let texts = text.baseAddress else { return }
                        var to = begin
                        var from = 0
                        for gap in 0..<gaps {
                            let piece = from..<template.ends[gap]
                            from = piece.upperBound
                            guard let range = value(gap) else { continue }
                            to.copyMemory(from: texts + piece.lowerBound, byteCount: piece.count)
                            to = RESPTemplate.write(range.count, to + piece.count)
                            if let values = block.baseAddress, !range.isEmpty { to.copyMemory(from: values + range.lowerBound, byteCount: range.count) }
                            to = RESPTemplate.endLine(to + range.count)
                        }
                        written = to - begin
                    }
                }
            }
        }
    }

    /// A whole command.
    package mutating func command(_ name: StaticString, _ arguments: [String] = []) {
        begin(1 + arguments.count)
        argument(name)
        for value in arguments { argument(value) }
    }

    /// Arguments to be copied in later with `raw`.
    package static func formatted(_ arguments: [String]) -> [UInt8] {
        var writer = RESPWriter()
        for value in arguments { writer.argument(value) }
        return writer.bytes
    }

    private mutating func append(number: Int) {
        if number < 10 {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: number))
        } else {
            var divisor = 10
            while number / divisor >= 10 { divisor *= 10 }
            var rest = number
            while divisor > 0 {
                bytes.append(0x30 + UInt8(truncatingIfNeeded: rest / divisor))
                rest %= divisor
                divisor /= 10
            }
        }
        bytes.append(0x0D)
        bytes.append(0x0A)
    }
}
