internal import Client
internal import Foundation

/// Documents and their changes as text, and from files.
enum DocumentText {
    /// The whole of a file or of standard input.
    ///
    /// - Bounds: `ClientLimits.answerBytesMax`.
    static func read(_ file: String) async throws -> [UInt8] {
        let input = try InputFile(file)
        var bytes: [UInt8] = []
        while true {
            let part = try await input.read()
            if part.isEmpty { return bytes }
            bytes += part
            if bytes.count > ClientLimits.answerBytesMax { throw CommandFailure(.refused, "\(input.name) is too large for a document") }
        }
    }

    static func time(_ value: JSONSlice?) -> String {
        guard let text = value?.string else { return "" }
        return String(text.prefix(19)).replacing("T", with: " ")
    }

    static func author(_ record: JSONSlice) -> String {
        [record["principal"], record["via"]].compactMap { $0?.string }.filter { !$0.isEmpty }.joined(separator: " via ")
    }

    static func showChanges(_ page: JSONSlice) {
        var table = TextTable([
            .init("POSITION"), .init("TIME (UTC)"), .init("CHANGE"), .init("BY", widthMax: 30), .init("COMMENT", widthMax: 40), .init("DOCUMENT"),
        ])
        for change in page["changes"]?.elements ?? [] {
            let document = change["document"] ?? change["after"]
            table.add([
                change["position"]?.plain ?? "", time(change["ts"] ?? change["revision_ts"]), change["change"]?.plain ?? "", author(change),
                change["comment"].map { $0.isNull ? "" : $0.plain } ?? "", document.map { $0.isNull ? "" : $0.plain } ?? "",
            ])
        }
        for line in table.lines(width: Output.width) { Output.line(line) }
        if let next = page["next_cursor"], !next.isNull { Output.note("older ones: raise --limit") }
    }
}
