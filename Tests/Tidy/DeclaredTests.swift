import Core
import Foundation
import Log
import TestSupport
import Testing

/// What is written down beside the code says the same as the code.
@Suite("Declared")
struct DeclaredTests {
    @Test("streams/*.yaml and the code name the same streams and groups") func streams() throws {
        let catalog = try StreamCatalog.load(Repository.root + "/streams")
        #expect(Set(catalog.streams.map(\.name)) == Set(StreamName.allCases.map(\.rawValue)))
        #expect(Set(catalog.streams.flatMap(\.groups)) == Set(GroupName.declared.map(\.rawValue)))
        #expect(Repository.files(in: "streams", endings: ["yaml"]) == catalog.streams.map { "streams/\($0.name).yaml" }.sorted())
    }

    /// The events of the log and the fields with which the code writes them.
    private static var written: [String: [String]] {
        logged.merging(ControlEvent.types.map { ($0, ControlEvent.fieldNames.map(\.description)) }) { first, _ in first }
    }

    private static var logged: [String: [String]] {
        [
            MessageEntry.accepted: MessageField.allCases.filter { !$0.isOptional }.map(\.name.description),
            MessageEntry.released: MessageField.allCases.filter { !$0.isOptional || $0 == .release }.map(\.name.description),
            VerdictEntry.event: VerdictEntry.fieldNames.map(\.description),
            DeliveryEntry.event: DeliveryEntry.fieldNames.map(\.description),
            RejectedEntry.event: fieldNames(RejectedEntry(door: "d", reason: "r", bytes: [], position: nil, attempts: 1).arguments),
            NotificationEntry.validationFailedEvent: NotificationEntry.fieldNames(NotificationEntry.validationFailedEvent).map(\.description),
            NotificationEntry.testEvent: NotificationEntry.fieldNames(NotificationEntry.testEvent).map(\.description),
            WebhookAttempt.event: WebhookAttempt.fieldNames.map(\.description),
            "log.trimmed": ["event", "v", "stream", "removed", "first"],
            SessionOpening.event: SessionOpening.requiredNames.map(\.description),
        ].merging(closings.map { ($0, SessionClosing.requiredNames($0).map(\.description)) }) { first, _ in first }
    }

    private static let closings = [SessionClosing.decided, SessionClosing.expired, SessionClosing.released]

    private static func fieldNames(_ arguments: [[UInt8]]) -> [String] {
        stride(from: 0, to: arguments.count, by: 2).map { String(decoding: arguments[$0], as: UTF8.self) }
    }

    private static func optional(_ event: String) -> [String] {
        switch event {
        case MessageEntry.accepted, MessageEntry.released:
            MessageField.allCases.filter { $0.isOptional && ($0 != .release || event == MessageEntry.released) }.map(\.name.description)
        case VerdictEntry.event: VerdictDetail.fieldNames.map(\.description)
        case SessionOpening.event: SessionOpening.optionalNames.map(\.description)
        case let event where closings.contains(event): SessionClosing.optionalNames(event).map(\.description)
        default: []
        }
    }

    @Test("Each event has a JSON Schema whose required fields are those that the code writes, in order") func schemas() throws {
        let files = Repository.files(in: "streams/events", endings: ["json"])
        #expect(Set(files) == Set(Self.written.keys.map { "streams/events/\($0).json" }))
        for (event, fields) in Self.written {
            let text = try #require(Repository.text("streams/events/\(event).json"))
            let schema = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(event).json is a JSON object")
            #expect(schema["required"] as? [String] == fields, "\(event)")
            let properties = try #require(schema["properties"] as? [String: [String: Any]])
            let optional = Self.optional(event)
            #expect(Set(properties.keys) == Set(fields + optional), "\(event)")
            #expect(properties["event"]?["const"] as? String == event)
            let version =
                ControlEvent.types.contains(event)
                ? event.split(separator: ".").first.flatMap { ControlKind(rawValue: String($0)) }.map { String(ControlEvent.currentVersion($0)) } : "1"
            #expect(properties["v"]?["const"] as? String == version)
            #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
            #expect(schema["$id"] as? String == "urn:meshlog:event:\(event):\(version ?? "")")
            #expect(schema["additionalProperties"] as? Bool == false)
            #expect((schema["title"] as? String)?.isEmpty == false)
            // Patterns are regular expressions that this platform reads too.
            for (name, property) in properties { if let pattern = property["pattern"] as? String { #expect((try? Regex(pattern)) != nil, "\(event).\(name)") } }
        }
    }

    @Test("The functions that the code calls are registered, and none besides") func functions() throws {
        let library = try #require(Repository.text("streams/functions/meshlog.lua"))
        let registered = Set(library.matches(of: /register(?:_function)?\('(\w+)'/).map { String($0.1) })
        let called = Set(
            SourceFile.sources.flatMap { file in
                file.lines.filter { $0.holds("\"meshlog_") }.flatMap {
                    $0.matches(of: /"(meshlog_(?:append|lease(?:_raise)?|decide|bury|deliver|list_\w+|trim|control|limits|session(?:_restore)?|notify\w*))"/)
                        .map { String($0.1) }
                }
            })
        #expect(registered == called)
    }

    // MARK: README

    private static let readme = Repository.text("README.md")

    @Test("README's commands exist", .enabled(if: readme != nil, "README.md is not there yet")) func commands() throws {
        let readme = try #require(Self.readme)
        // Scripts.
        for match in readme.matches(of: /(?:^|[\s`(])((?:tools|\.ci)\/[\w\/.-]*\w)/) {
            let path = String(match.1)
            #expect(FileManager.default.fileExists(atPath: Repository.root + "/" + path), "README names \(path)")
        }
        // Sub-commands.
        let commands = SourceFile.sources.filter { $0.path.hasPrefix("Sources/App/") }
        let known = Set(
            commands.flatMap { file in
                file.lines.filter { $0.holds("ParsableCommand") }.flatMap {
                    $0.matches(of: /^\s*struct (\w+): (?:Async)?ParsableCommand/).map { $0.1.lowercased() }
                }
            }
        )
        .union(
            commands.flatMap { file in
                file.lines.filter { $0.holds("commandName") }.flatMap { $0.matches(of: /commandName: "([a-z-]+)"/).map { String($0.1) } }
            })
        #expect(known.contains("serve"))
        let code =
            readme.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element).joined(separator: "\n")
            + "\n" + readme.matches(of: /`([^`\n]+)`/).map { String($0.1) }.joined(separator: "\n")
        for match in code.matches(of: /(?:^|[\s\/])meshlog ([a-z][a-z-]+)/.anchorsMatchLineEndings()) {
            #expect(known.contains(String(match.1)), "README says `meshlog \(match.1)`")
        }
    }

    @Test("README's files exist", .enabled(if: readme != nil, "README.md is not there yet")) func links() throws {
        let readme = try #require(Self.readme)
        for match in readme.matches(of: /\]\(([^)#:\s]+)(?:#[^)]*)?\)/) {
            #expect(FileManager.default.fileExists(atPath: Repository.root + "/" + match.1), "README links to \(match.1)")
        }
    }
}
