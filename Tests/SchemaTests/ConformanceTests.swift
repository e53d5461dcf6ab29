import Core
import Foundation
import RE2Driver
import TestSupport
import Testing

/// The JSON Schema Test Suite, in the folder `json-schema` of the conformance data.
enum ConformanceSuite {
    static let folder = Repository.conformance.map { $0 + "/json-schema" }

    static func files(_ path: String) -> [String] {
        guard let folder, let names = try? FileManager.default.contentsOfDirectory(atPath: folder + path) else { return [] }
        return names.filter { $0.hasSuffix(".json") }.sorted().map { path + "/" + $0 }
    }

    static func document(_ path: String) throws -> JSONDocument {
        try JSONDocument(Array(try Data(contentsOf: URL(fileURLWithPath: path))))
    }

    /// All remote schemas by the URI that the suite's server would serve them from.
    static let registry: SchemaRegistry = {
        var registry = SchemaRegistry()
        guard let root = Repository.conformance.map({ $0 + "/remotes" }), let walk = FileManager.default.enumerator(atPath: root) else { return registry }
        for case let path as String in walk where path.hasSuffix(".json") {
            do { try registry.add(try document(root + "/" + path), uri: "http://localhost:1234/" + path) } catch { Issue.record("\(path): \(error)") }
        }
        return registry
    }()

    /// Cases that do not give the answer the suite expects, as `file: group: test`.
    static func failures(_ file: String, assertsFormats: Bool) throws -> (count: Int, failures: [String]) {
        guard let folder else { return (0, []) }
        let compiler = try SchemaCompiler(patterns: RE2Compiler())
        var count = 0
        var failures: [String] = []
        for group in try document(folder + file).root.items {
            let name = file + ": " + (group["description"]?.string ?? "")
            let tests = group["tests"]?.items.map { $0 } ?? []
            count += tests.count
            guard let text = group["schema"]?.text else { continue }
            let schema: CompiledSchema
            do {
                schema = try compiler.compile(text: Array(text), registry: registry, options: .init(assertsFormats: assertsFormats))
            } catch {
                failures += tests.map { "\(name): \($0["description"]?.string ?? ""): \(error.detail)" }
                continue
            }
            for test in tests {
                let label = "\(name): \(test["description"]?.string ?? "")"
                guard let data = test["data"], let expected = test["valid"]?.bool else { continue }
                do {
                    let verdict = try schema.validate(data)
                    if verdict.isValid != expected { failures.append(label) }
                    if try schema.isValid(data) != verdict.isValid { failures.append(label + ": isValid and validate differ") }
                } catch {
                    failures.append("\(label): \(error.detail)")
                }
            }
        }
        return (count, failures)
    }
}

@Suite("JSON Schema Test Suite", .enabled(if: ConformanceSuite.folder != nil, "the conformance data is not there: set MESHLOG_CONFORMANCE"))
struct ConformanceTests {
    @Test("Every required test passes", arguments: ConformanceSuite.files("")) func required(_ file: String) throws {
        let result = try ConformanceSuite.failures(file, assertsFormats: false)
        #expect(result.count > 0)
        #expect(result.failures == [])
    }

    @Test("Every optional test passes", arguments: ConformanceSuite.files("/optional")) func optional(_ file: String) throws {
        #expect(try ConformanceSuite.failures(file, assertsFormats: false).failures == [])
    }

    @Test(
        "Every format is asserted when asked for", arguments: ConformanceSuite.files("/optional/format") + ConformanceSuite.files("/optional/format-secondary"))
    func formats(_ file: String) throws {
        #expect(try ConformanceSuite.failures(file, assertsFormats: true).failures == [])
    }
}
