internal import Foundation

/// Folders and files beside the tests.
package enum Repository {
    /// The package's root folder.
    package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// Test data of outside suites: `MESHLOG_CONFORMANCE`, else `../shared/conformance`; nil when it is not there.
    package static var conformance: String? {
        existing(ProcessInfo.processInfo.environment["MESHLOG_CONFORMANCE"] ?? root + "/../shared/conformance")
    }

    /// 4,092 real messages, one a line: `MESHLOG_CONVERSATIONS`, else `../shared/data/agent-conversations.ndjson`; nil when they are not there.
    package static var conversations: String? {
        existing(ProcessInfo.processInfo.environment["MESHLOG_CONVERSATIONS"] ?? root + "/../shared/data/agent-conversations.ndjson")
    }

    /// The first `count` real messages; made-up ones of the same form when the file is not there.
    package static func messages(_ count: Int) -> [[UInt8]] {
        if let path = conversations, let data = FileManager.default.contents(atPath: path) {
            return data.split(separator: 0x0A, maxSplits: count, omittingEmptySubsequences: true).prefix(count).map { Array($0) }
        }
        return (0..<count).map { index in
            let number = String(format: "%012x", index)
            return Array(
                (#"{"message_uuid": "19164b3d-b1cb-5c74-9a4d-\#(number)", "topic": "tasks.gen-\#(index % 7).statement", "#
                    + #""source_subject_id": "agent_\#(index % 5)", "destination_subject_ids": ["all", "bob"], "message_type": "statement", "#
                    + #""message_metadata": {"task": "gen", "turn": \#(index)}, "message_data": {"content": "Grüße \u00e9 \"\#(index)\"\n"}}"#).utf8)
        }
    }

    /// Text of a file of the package; nil when it is not there.
    package static func text(_ path: String) -> String? { try? String(contentsOfFile: root + "/" + path, encoding: .utf8) }

    /// Paths below `folder` with one of these endings, relative to the root, sorted.
    package static func files(in folder: String, endings: Set<String>) -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: root + "/" + folder) else { return [] }
        return walk.compactMap { $0 as? String }.filter { endings.contains(($0 as NSString).pathExtension) }.map { folder + "/" + $0 }.sorted()
    }

    private static func existing(_ path: String) -> String? { FileManager.default.fileExists(atPath: path) ? path : nil }
}
