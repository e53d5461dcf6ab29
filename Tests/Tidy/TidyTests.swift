import Core
import Foundation
import Log
import TestSupport
import Testing

@Suite("Tidy")
struct TidyTests {
    private static let sources = SourceFile.sources
    private static let tests = SourceFile.tests

    /// Places where `matches` holds, as `path:line: text`.
    private func places(_ files: [SourceFile], code: Bool = true, _ matches: (String, String) -> Bool) -> [String] {
        files.flatMap { file in
            (code ? file.code : file.lines).enumerated().filter { matches(file.path, $0.element) }.map {
                "\(file.path):\($0.offset + 1): \(file.lines[$0.offset].trimmingCharacters(in: .whitespaces))"
            }
        }
    }

    private func isImport(_ line: String, of names: Set<String>) -> Bool {
        let words = line.split(separator: " ")
        guard let at = words.firstIndex(of: "import"),
            words[..<at].allSatisfy({ ["internal", "package", "public", "private", "fileprivate"].contains($0) || $0.hasPrefix("@") })
        else { return false }
        return words.dropFirst(at + 1).first.map { names.contains(String($0)) } ?? false
    }

    @Test("The sources are found") func found() { #expect(Self.sources.count > 100) }

    @Test("C libraries are imported by the drivers only") func cModules() {
        #expect(
            places(Self.sources) { path, line in
                !path.hasPrefix("Sources/Drivers/") && isImport(line, of: ["CHiredis", "CLibpq", "CNats", "CSimdjson", "CRe2"])
            } == [])
    }

    /// Where an unsafe name may stand outside the drivers, and why.
    private let unsafeExceptions: [String: String] = [
        // Carries a connection to a job on the same thread, which the compiler cannot see.
        "Sources/Log/BlockingPool.swift": "UnsafeTransfer",
        // A load of 32 bytes at once, within bounds that it checks.
        "Sources/Core/ByteScan.swift": "unsafeLoadUnaligned",
        // read(2) and write(2), whose short counts and EINTR Foundation hides.
        "Sources/App/Client/InputFile.swift": "withUnsafeMutableBytes",
        "Sources/App/Client/Output.swift": "withUnsafeBytes",
    ]

    @Test("Unsafe memory is touched by the drivers only") func unsafe() {
        let found = places(Self.sources) { path, line in
            !path.hasPrefix("Sources/Drivers/") && !unsafeExceptions.keys.contains { path.hasPrefix($0) } && line.holds("nsafe")
                && line.range(of: "[Uu]nsafe", options: .regularExpression) != nil
                && !line.holds("nonisolated(unsafe)")
        }
        #expect(found == [])
    }

    @Test(
        "The exceptions for unsafe names are still needed",
        arguments: ["Sources/Core/ByteScan.swift", "Sources/Log/BlockingPool.swift", "Sources/App/Client/InputFile.swift", "Sources/App/Client/Output.swift"])
    func exceptionsAreUsed(_ path: String) {
        #expect(
            !places(Self.sources.filter { $0.path.hasPrefix(path) }) { _, line in
                line.holds("nsafe") && line.range(of: "[Uu]nsafe", options: .regularExpression) != nil
            }.isEmpty)
    }

    @Test("Core is pure: no Foundation, no clock, no I/O, no async") func core() {
        let core = Self.sources.filter { $0.path.hasPrefix("Sources/Core/") }
        #expect(core.count > 10)
        #expect(
            places(core) { _, line in isImport(line, of: ["Foundation", "FoundationEssentials", "Glibc", "Dispatch", "NIOCore", "Logging", "Synchronization"]) }
                == [])
        #expect(
            places(core) { _, line in
                ["async", "await", "Task(", "Date(", "Clock(", "print(", "FileHandle("].contains { line.holds($0) }
                    && line.range(of: #"\b(async|await)\b|\b(Task|Date|ContinuousClock|SystemClock|print|FileHandle)\("#, options: .regularExpression) != nil
            } == [])
    }

    @Test(
        "Arrows point one way",
        arguments: [
            ("Core", []), ("Drivers", ["Core"]), ("Log", ["Core", "RedisDriver"]), ("Web", ["Core"]),
            ("Ingress", ["Core", "Log", "Web", "RedisDriver", "NATSDriver"]), ("Verdicts", ["Core", "Log", "RedisDriver"]),
            ("Replay", ["Core", "Log", "RedisDriver", "PostgreSQLDriver", "NATSDriver"]),
            ("WhatIf", ["Core", "Log", "Replay", "RedisDriver", "PostgreSQLDriver"]),
            ("Interventions", ["Core", "Log", "Replay", "RedisDriver", "PostgreSQLDriver"]),
            ("Views", ["Core", "Log", "Web", "Replay", "WhatIf", "Interventions", "RedisDriver", "PostgreSQLDriver"]),
        ] as [(String, Set<String>)])
    func arrows(_ module: String, _ allowed: Set<String>) {
        let own: Set<String> = [
            "Core", "Log", "Web", "Ingress", "Verdicts", "Replay", "WhatIf", "Interventions", "Views", "Stack", "Client", "App", "RedisDriver",
            "PostgreSQLDriver", "NATSDriver",
        ]
        let files = Self.sources.filter { $0.path.hasPrefix("Sources/\(module)/") }
        #expect(!files.isEmpty)
        #expect(places(files) { _, line in isImport(line, of: own.subtracting(allowed)) } == [])
    }

    @Test("No type's name ends in a word that says nothing") func names() {
        let banned = "Manager|Helper|Helpers|Util|Utils|Utilities"
        let found = places(Self.sources + Self.tests) { _, line in
            banned.split(separator: "|").contains { line.holds(String($0)) }
                && line.range(of: #"\b(struct|class|enum|actor|protocol|typealias)\s+\w*("# + banned + #")\b"#, options: .regularExpression) != nil
        }
        #expect(found == [], "name it by its trade: …Machine decides, a service says what it does (Archiver), a port is a noun (EventLog)")
        let folders = Repository.files(in: "Sources", endings: ["swift"]) + Repository.files(in: "Tests", endings: ["swift"])
        #expect(folders.filter { $0.range(of: #"(^|/)(Utils|Util|Helpers|Managers|Common|Misc)/"#, options: .regularExpression) != nil } == [])
    }

    @Test("Nothing is left to do in a comment") func toDo() {
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK"]
        #expect(
            places(Self.sources + Self.tests, code: false) { _, line in
                words.contains { line.holds($0) && line.range(of: "\\b\($0)", options: .regularExpression) != nil }
            } == [])
    }

    @Test("No loose tasks in the product: children live in groups or services") func looseTasks() {
        let exceptions: Set<String> = [
            // Bridges a thread to asynchronous work and waits for it.
            "Sources/Log/WorkerThread.swift"
        ]
        let found = places(Self.sources) { path, line in
            !exceptions.contains(path) && line.holds("Task")
                && line.range(of: #"(^|[^\w.])Task(\.detached)?\s*(\([^)]*\)\s*)?\{"#, options: .regularExpression) != nil
        }
        #expect(found == [])
    }

    @Test("Nothing is forced past the compiler: no try! and no as!") func forced() {
        #expect(places(Self.sources) { _, line in line.holds("try!") || line.holds(" as! ") } == [])
    }

    @Test("Files stay readable: none above 400 lines, no line of code above 180 characters") func sizes() {
        #expect(Self.sources.filter { $0.lines.count > 400 }.map(\.path) == [])
        #expect(places(Self.sources) { _, line in line.utf8.count > 180 && line.count > 180 } == [])
    }
}
