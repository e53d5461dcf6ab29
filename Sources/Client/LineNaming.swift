package import Core
internal import Crypto

/// Gives a line without `message_uuid` an id, so that it can be sent again without being doubled.
package struct LineNaming: Sendable {
    package enum Rule: Sendable {
        /// Made from the file's name, the line's number and its bytes: the same file gives the same ids every time.
        case derived(file: String)
        /// New ones, good for repeats within this run.
        case fresh(@Sendable () -> MessageUUID)
    }
    private let rule: Rule

    package init(_ rule: Rule) { self.rule = rule }

    /// The line with an id; nil when it has one already, or is no JSON object (the server says what is wrong with it).
    ///
    /// The id becomes the first member, or stands where `null` stood; all other bytes stay as they are.
    package func named(_ line: [UInt8], line number: Int) -> [UInt8]? {
        guard let brace = line.firstIndex(where: { $0 != 0x20 && $0 != 0x09 }), line[brace] == UInt8(ascii: "{") else { return nil }
        guard let object = JSONSlice(line) else { return nil }
        let present = object["message_uuid"]
        guard present?.isNull ?? true else { return nil }
        let id: MessageUUID
        switch rule {
        case .derived(let file): id = LineNaming.derive(file: file, line: number, bytes: line)
        case .fresh(let make): id = make()
        }
        var out: [UInt8] = []
        out.reserveCapacity(line.count + 56)
        if let present {
            // Its place counts from the brace.
            let (start, end) = (brace + present.bytes.startIndex, brace + present.bytes.endIndex)
            return Array(line[..<start]) + Array("\"\(id)\"".utf8) + Array(line[end...])
        }
        out.append(contentsOf: line[...brace])
        out.append(contentsOf: "\"message_uuid\":\"\(id)\"".utf8)
        if !object.members.isEmpty { out.append(UInt8(ascii: ",")) }
        out.append(contentsOf: line[(brace + 1)...])
        return out
    }

    /// A UUIDv8 from SHA-256 of `<file>\n<line number>\n<line>`.
    package static func derive(file: String, line: Int, bytes: [UInt8]) -> MessageUUID {
        var hash = SHA256()
        hash.update(data: Array("\(file)\n\(line)\n".utf8))
        hash.update(data: bytes)
        return MessageUUID.v8(digest: Array(hash.finalize()))
    }
}
