internal import Foundation
internal import Yams

/// What `streams/<name>.yaml` declares about a stream.
package struct StreamDeclaration: Sendable, Equatable {
    package let name: String
    package let purpose: String
    /// What decides the partition.
    package let key: String
    package let partitions: Int
    package let groups: [String]
    package let retention: Retention
    /// How long a stage that reads it may be silent before another process takes over: the time of its lease.
    package let claimAfter: Duration
    /// Deliveries of one entry before it is buried.
    package let attempts: Int
    package let events: [String]

    package struct Retention: Sendable, Equatable {
        package let ageMs: UInt64
        package let entries: Int

        package init(ageMs: UInt64, entries: Int) {
            self.ageMs = ageMs
            self.entries = entries
        }
    }
}

/// All declared streams, read from a folder.
package struct StreamCatalog: Sendable {
    package let streams: [StreamDeclaration]
    /// The library of Redis functions.
    package let functions: String
    /// JSON Schemas by event type, as text.
    package let eventSchemas: [String: String]
    /// JSON Schemas of the control stream's documents by kind, as text.
    package let documentSchemas: [String: String]

    package subscript(name: StreamName) -> StreamDeclaration {
        guard let found = streams.first(where: { $0.name == name.rawValue }) else { preconditionFailure("load checks that every stream is declared") }
        return found
    }

    /// Reads `<folder>/*.yaml`, `<folder>/events/*.json`, `<folder>/documents/*.json` and `<folder>/functions/meshlog.lua`.
    ///
    /// - Throws: `.declaration` that names the file and what is wrong in it.
    package static func load(_ folder: String) throws(LogError) -> StreamCatalog {
        let base = URL(fileURLWithPath: folder, isDirectory: true)
        func text(_ url: URL) throws(LogError) -> String {
            do { return try String(contentsOf: url, encoding: .utf8) } catch { throw .declaration("cannot read \(url.path): no such file, or not UTF-8") }
        }
        func files(_ folder: URL, _ ending: String) throws(LogError) -> [URL] {
            do {
                return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                    .filter { $0.pathExtension == ending }.sorted { $0.path < $1.path }
            } catch {
                throw .declaration("cannot list \(folder.path); set --home to the folder that holds streams/ and migrations/")
            }
        }
        var streams: [StreamDeclaration] = []
        for file in try files(base, "yaml") { streams.append(try parse(try text(file), file: file.lastPathComponent)) }
        for name in StreamName.allCases where !streams.contains(where: { $0.name == name.rawValue }) {
            throw .declaration("\(folder) declares no stream '\(name.rawValue)'")
        }
        func schemas(_ folder: String) throws(LogError) -> [String: String] {
            var out: [String: String] = [:]
            for file in try files(base.appendingPathComponent(folder), "json") { out[file.deletingPathExtension().lastPathComponent] = try text(file) }
            return out
        }
        let events = try schemas("events")
        for stream in streams {
            for event in stream.events where events[event] == nil {
                throw .declaration("stream '\(stream.name)' names the event '\(event)', but events/\(event).json is not there")
            }
        }
        return StreamCatalog(
            streams: streams, functions: try text(base.appendingPathComponent("functions/meshlog.lua")), eventSchemas: events,
            documentSchemas: try schemas("documents"))
    }

    private struct Document: Decodable {
        struct Retention: Decodable {
            let age: String
            let entries: Int
        }
        let name: String
        let purpose: String
        let key: String
        let partitions: Int
        let groups: [String]
        let retention: Retention
        let claimAfter: String
        let attempts: Int
        let events: [String]

        enum CodingKeys: String, CodingKey {
            case name, purpose, key, partitions, groups, retention
            case claimAfter = "claim_after"
            case attempts, events
        }
    }

    private static func parse(_ text: String, file: String) throws(LogError) -> StreamDeclaration {
        let document: Document
        do { document = try YAMLDecoder().decode(Document.self, from: text) } catch { throw .declaration("streams/\(file): \(error)") }
        guard document.partitions == 1 else {
            throw .declaration("streams/\(file): partitions is \(document.partitions); this version serves one partition, one total order")
        }
        guard let age = duration(document.retention.age), let claim = duration(document.claimAfter) else {
            throw .declaration("streams/\(file): durations are written like 500ms, 5s, 30m, 24h or 7d")
        }
        guard document.attempts >= 1, document.retention.entries >= 0 else {
            throw .declaration("streams/\(file): attempts is at least 1, retention.entries at least 0")
        }
        return StreamDeclaration(
            name: document.name, purpose: document.purpose, key: document.key, partitions: document.partitions, groups: document.groups,
            retention: .init(ageMs: age, entries: document.retention.entries), claimAfter: .milliseconds(Int64(claim)), attempts: document.attempts,
            events: document.events)
    }

    /// Milliseconds of `500ms`, `5s`, `30m`, `24h`, `7d`.
    package static func duration(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let value = UInt64(digits), value < 1 << 40 else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": return value
        case "s": return value * 1000
        case "m": return value * 60_000
        case "h": return value * 3_600_000
        case "d": return value * 86_400_000
        default: return nil
        }
    }
}
