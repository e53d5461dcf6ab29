package import Control
internal import Core
internal import NIOCore
package import Web

/// Documents of the control plane, one by one, by the fast lane: what `ControlDocuments.one` answers to a GET that asks for no more than
/// the document as it is now.
package struct DocumentLane: ReadLane {
    private let follower: ControlFollower

    package init(follower: ControlFollower) { self.follower = follower }

    private static let ok = AnswerHead(status: 200, reason: "OK", contentType: "application/json")

    package func read(_ target: Span<UInt8>) -> Answer? {
        guard let (kind, key) = Self.document(target), let state = follower.readyState, let row = state.row(kind, key) else { return nil }
        var fields = ByteBuffer()
        fields.writeString("ETag: \(EntityTag.text(row.revision))\r\nMeshlog-Position: \(state.position)\r\n")
        return Answer(Self.ok, fields: fields, body: ByteBuffer(bytes: row.document))
    }

    /// Which document a path names, as far as that takes no decoding: `/v1/constraints/KEY`, `/v1/config/global/NAME`,
    /// `/v1/config/LEVEL/SCOPE/NAME`.
    private static func document(_ target: Span<UInt8>) -> (ControlKind, String)? {
        var path: [UInt8] = []
        path.reserveCapacity(target.count)
        for index in target.indices {
            if target[index] == UInt8(ascii: "?") || target[index] == UInt8(ascii: "%") { return nil }
            path.append(target[index])
        }
        let segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        guard segments.count > 3, segments[1] == "v1", !segments[3...].contains(""), let kind = ControlKind(word: segments[2]) else { return nil }
        guard kind == .config else { return segments.count == 4 && !kind.reservedKeys.contains(segments[3]) ? (kind, segments[3]) : nil }
        guard let level = ConfigLevel(rawValue: segments[3]), segments.count == (level == .global ? 5 : 6) else { return nil }
        return (kind, ConfigAddress(level, scope: level == .global ? "" : segments[4], name: segments[segments.count - 1]).key)
    }
}
