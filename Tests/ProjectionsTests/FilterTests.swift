import Core
import Foundation
import Log
import PostgreSQLDriver
import Projections
import TestSupport
import Testing

/// The same filters on rows in PostgreSQL and on rows of the past, in memory.
@Suite("Filters")
struct FilterTests {
    /// A row is whatever document its event carries.
    struct Documents: Projection {
        var definition: ProjectionDefinition {
            ProjectionDefinition(
                name: "documents", version: 1, streams: [.control], purpose: "documents",
                columns: [
                    ProjectionColumn("name", .text), ProjectionColumn("size", .integer), ProjectionColumn("ratio", .number, path: ["deep", "ratio"]),
                    ProjectionColumn("open", .boolean), ProjectionColumn("at", .time), ProjectionColumn("tags", .json),
                ])
        }
        func keys(of event: LogEvent) throws(ProjectionFault) -> [String] { if case .control(let change) = event.content { [change.key] } else { [] } }
        func apply(_ event: LogEvent, to row: inout Plain?, key: String) throws(ProjectionFault) {
            if case .control(let change) = event.content { row = Plain(json: change.document) }
        }
    }

    struct Plain: ProjectionRow {
        let json: [UInt8]
        init?(json: [UInt8]) { self.json = json }
    }

    private static let documents: [String: String] = [
        "a": #"{"name":"alpha","size":1,"deep":{"ratio":0.5},"open":true,"at":"2026-11-22T03:30:02Z","tags":["x"]}"#,
        "b": #"{"name":"beta","size":20,"deep":{"ratio":-1.5e1},"open":false,"at":"2026-11-22T03:30:02.5Z"}"#,
        "c": #"{"name":"al'pha%","size":"30","deep":{"ratio":2},"open":"true","at":"2026-11-22T04:30:02+01:00"}"#,
        "d": #"{"name":7,"size":1.5,"deep":{"ratio":"2.0"},"open":null,"at":"2026-02-30T00:00:00Z"}"#,
        "e": #"{"name":null,"size":99999999999999999999,"deep":{"ratio":1e999},"open":0,"at":"soon"}"#,
        "f": #"{"name":"","size":-5,"deep":7,"at":"2026-11-22T03:30:60Z"}"#,
        "\u{E9}": #"{"name":"caf\u00e9","size":0,"deep":{"ratio":0},"open":true,"at":"1999-12-31T23:59:59.999999Z"}"#,
    ]

    static let table: [(String, String, [String])] = [
        ("key", "a", ["a"]), ("key.in", "a,f,zz", ["a", "f"]), ("key.prefix", "\u{E9}", ["\u{E9}"]), ("key.gt", "e", ["f", "\u{E9}"]),
        ("key.lte", "b", ["a", "b"]),
        ("name", "alpha", ["a"]), ("name.prefix", "al", ["a", "c"]), ("name", "al'pha%", ["c"]), ("name.prefix", "al'", ["c"]), ("name", "7", ["d"]),
        ("name", "", ["f"]),
        ("name", "caf\u{E9}", ["\u{E9}"]), ("name", "cafe\u{301}", []), ("name.gte", "b", ["b", "\u{E9}"]),
        ("size", "1", ["a"]), ("size.gt", "1", ["b", "c"]), ("size.lt", "1", ["f", "\u{E9}"]), ("size.in", "20,30", ["b", "c"]),
        ("size.gte", "-5", ["a", "b", "c", "f", "\u{E9}"]),
        ("ratio", "2", ["c", "d"]), ("ratio.lt", "0", ["b"]), ("ratio.gte", "0.5", ["a", "c", "d"]), ("ratio.in", "0,-15", ["b", "\u{E9}"]),
        ("open", "true", ["a", "c", "\u{E9}"]), ("open", "false", ["b"]), ("open.in", "true,false", ["a", "b", "c", "\u{E9}"]),
        ("at", "2026-11-22T03:30:02Z", ["a", "c"]), ("at.gt", "2026-11-22T03:30:02Z", ["b"]), ("at.lt", "2000-01-01T00:00:00Z", ["\u{E9}"]),
        ("at.gte", "2026-11-22T03:30:02+00:00", ["a", "b", "c"]),
    ]

    @Test("Every operator on every kind, in PostgreSQL and in memory alike") func table() async throws {
        try await withRows { rig, past in
            let reader = ProjectionReader(ProjectionCatalog([ProjectionHost(Documents())]), keys: rig.keys)
            for (name, value, expected) in Self.table {
                let query = try RowQuery(Documents().definition, [(name, value)])
                #expect(try reader.page(query, on: rig.postgresql()).rows.map(\.key) == expected, "\(name)=\(value) in PostgreSQL")
                #expect(past.page(query).rows.map(\.key) == expected, "\(name)=\(value) in memory")
            }
            let both = try RowQuery(Documents().definition, [("size.gte", "0"), ("open", "true")])
            #expect(try reader.page(both, on: rig.postgresql()).rows.map(\.key) == ["a", "c", "\u{E9}"])
            #expect(past.page(both).rows.map(\.key) == ["a", "c", "\u{E9}"])
        }
    }

    @Test("Pages follow one another, and say which moment they are of") func pages() async throws {
        try await withRows { rig, past in
            let reader = ProjectionReader(ProjectionCatalog([ProjectionHost(Documents())]), keys: rig.keys)
            for page in [{ (query: RowQuery) in try reader.page(query, on: rig.postgresql()) }, { past.page($0) }] {
                var seen: [String] = []
                var after: String?
                let head = try rig.head(.control)
                repeat {
                    let part = try page(try RowQuery(Documents().definition, after: after, limit: 3))
                    #expect(part.rows.count <= 3 && part.position == head)
                    seen += part.rows.map(\.key)
                    after = part.next
                } while after != nil
                #expect(seen == ["a", "b", "c", "d", "e", "f", "\u{E9}"])
            }
            let one = try reader.row(Documents().definition, key: "b", on: rig.postgresql())
            #expect(one.rows.first.map { String(decoding: $0.json, as: UTF8.self) } == Self.documents["b"])
            #expect(try reader.row(Documents().definition, key: "none", on: rig.postgresql()).rows == [])
            // The view has them as columns.
            let view = try rig.postgresql().query("SELECT key, name, size, ratio, open, at, tags FROM projections.documents WHERE size > 10 ORDER BY size")
            #expect(view.rowCount == 2 && view.int(1, 2) == 30)
        }
    }

    @Test("What cannot be asked is refused with what can") func refused() {
        func fault(_ name: String, _ value: String, limit: Int = 10) -> String {
            do {
                _ = try RowQuery(Documents().definition, [(name, value)], limit: limit)
                return ""
            } catch { return error.description }
        }
        #expect(
            fault("colour", "red").contains("the fields are key (text), name (text), size (an integer), ratio (a number), open (true or false), at (a time)"))
        #expect(fault("size.like", "1").contains("the operators are eq, in, gt, gte, lt, lte, prefix"))
        #expect(fault("size", "one").contains("'one' is not"))
        #expect(fault("size.prefix", "1").contains("not prefix"))
        #expect(fault("open.gt", "true").contains("knows eq, in"))
        #expect(fault("at", "yesterday").contains("RFC 3339"))
        #expect(fault("tags", "x").contains("no field"))
        #expect(fault("name", "a\0b").contains("U+0000"))
        #expect(fault("key", "a", limit: 100_000).contains("limit is 1 to"))
    }

    private func withRows(_ body: (ProjectionRig, PastState) async throws -> Void) async throws {
        try await ProjectionRig.with { rig in
            let host = ProjectionHost(Documents())
            try await rig.serving(ProjectionCatalog([host]), rig.place()) {
                try rig.append(Self.documents.map { ControlEvent(.config, .updated, key: $0.key, document: Array($0.value.utf8)) })
                try await rig.caughtUp("documents")
                let place = rig.place()
                let head = try rig.head(.control)
                let past = try await onThread { try host.state(at: head, place) }
                try await body(rig, past)
            }
        }
    }
}
