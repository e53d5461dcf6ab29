/// Values of expressions as JSON and as text.
enum PolicyText {
    /// Appends a value as JSON text.
    ///
    /// - Returns: false when it has no such form: a record, a type, a number that is none, a map whose keys are no strings; also when
    ///   `out` would grow beyond `bytesMax`.
    static func append(_ value: CELValue, to out: inout [UInt8], bytesMax: Int) -> Bool {
        switch value {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let flag): out.append(contentsOf: (flag ? "true" : "false").utf8)
        case .int(let number): DecimalDigits.append(number, to: &out)
        case .uint(let number): DecimalDigits.append(number, to: &out)
        case .double(let number):
            guard number.isFinite else { return false }
            out.append(contentsOf: CELNumberText.shortest(number).utf8)
        case .string(let text):
            guard out.count + text.utf8.count <= bytesMax else { return false }
            JSONText.append(text, to: &out)
        case .bytes(let bytes):
            guard out.count + bytes.count * 4 / 3 <= bytesMax else { return false }
            JSONText.append(Base64.encode(bytes), to: &out)
        case .timestamp(let time): JSONText.append(time.text, to: &out)
        case .duration(let duration): JSONText.append(duration.text, to: &out)
        case .list(.json(let node)), .map(.json(let node)):
            guard out.count + node.text.count <= bytesMax else { return false }
            node.append(canonicalTo: &out)
        case .list(let list):
            out.append(UInt8(ascii: "["))
            for (index, element) in list.elements.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                guard append(element, to: &out, bytesMax: bytesMax) else { return false }
            }
            out.append(UInt8(ascii: "]"))
        case .map(let map):
            out.append(UInt8(ascii: "{"))
            for (index, key) in map.keys.enumerated() {
                guard case .string(let name) = key, let element = map[key] else { return false }
                if index > 0 { out.append(UInt8(ascii: ",")) }
                JSONText.append(name, to: &out)
                out.append(UInt8(ascii: ":"))
                guard append(element, to: &out, bytesMax: bytesMax) else { return false }
            }
            out.append(UInt8(ascii: "}"))
        case .record, .type: return false
        }
        return out.count <= bytesMax
    }

    /// A value within a text: strings as they are, others as JSON; nil when it has no such form.
    static func text(_ value: CELValue, bytesMax: Int) -> String? {
        switch value {
        case .string(let text): return text
        case .timestamp(let time): return time.text
        case .duration(let duration): return duration.text
        default:
            var out: [UInt8] = []
            return append(value, to: &out, bytesMax: bytesMax) ? String(decoding: out, as: UTF8.self) : nil
        }
    }

    /// The beginning of a text, cut between characters.
    static func bounded(_ text: String, _ bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var bytes = Array(text.utf8.prefix(bytesMax - 3))
        while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
        if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self) + "…"
    }
}
