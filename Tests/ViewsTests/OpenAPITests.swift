internal import Control
internal import Core
internal import Foundation
internal import Hummingbird
internal import Ingress
internal import Interventions
internal import Log
internal import PostgreSQLDriver
internal import Projections
internal import RedisDriver
internal import TestSupport
internal import Testing
internal import WhatIf
internal import Yams

@testable internal import Views

@Suite("OpenAPI")
struct OpenAPITests {
    @Test("The document names exactly the routes there are")
    func routes() throws {
        let router = try OpenAPITests.router()
        let served = Set(router.routes.map { "\($0.method.rawValue) /\("\($0.path)".drop { $0 == "/" })" })
        var written: Set<String> = []
        for (path, item) in try OpenAPITests.paths() {
            for method in item.keys where ["get", "post", "put", "patch", "delete", "head", "options"].contains(method) {
                written.insert("\(method.uppercased()) \(path)")
            }
        }
        #expect(served.subtracting(written).sorted() == [], "served, but not described")
        #expect(written.subtracting(served).sorted() == [], "described, but not served")
    }

    @Test("No new document gets a key that a route hides")
    func reserved() throws {
        let paths = try OpenAPITests.router().routes.map { "\($0.path)".split(separator: "/").map(String.init) }
        for kind in ControlKind.allCases where kind.keyMember != nil {
            let hidden = paths.filter { $0.count == 3 && $0.starts(with: ["v1", kind.word]) && !$0[2].hasPrefix("{") }.map { $0[2] }
            #expect(!hidden.isEmpty && kind.reservedKeys == Set(hidden), "\(kind)")
        }
    }

    @Test("Every operation has an id of its own, tags, and errors as problem documents or in the reference's form")
    func operations() throws {
        var ids: Set<String> = []
        // Read once: it is long, and YAML is slow in a debug build.
        let document = try OpenAPITests.document()
        let shared = try #require((document["components"] as? [String: Any])?["responses"] as? [String: Any])
        for (path, item) in try #require(document["paths"] as? [String: [String: Any]]) {
            for (method, operation) in item {
                let operation = try #require(operation as? [String: Any])
                let id = try #require(operation["operationId"] as? String, "\(method) \(path)")
                #expect(ids.insert(id).inserted)
                #expect((operation["tags"] as? [String])?.isEmpty == false)
                let responses = try #require(operation["responses"] as? [String: Any])
                if path.contains("{") { #expect(responses["404"] != nil && responses["405"] != nil, "\(path)") }
                for (status, response) in responses where status >= "400" {
                    let types = try OpenAPITests.types(of: response, shared)
                    #expect(types.contains("application/problem+json") || operation["tags"] as? [String] == ["reference"], "\(path) \(status)")
                }
            }
        }
    }

    @Test("The limits in the document are the limits of the code")
    func limits() throws {
        let text = OpenAPITests.text
        #expect(text.contains("maximum: \(Limits.pageRowsMax), default: \(ViewLimits.pageRowsDefault)}"))
        #expect(text.contains("maxItems: \(Limits.batchMessagesMax)"))
        #expect(text.contains("At most \(Limits.feedFollowersMax) follow one process"))
        #expect(text.contains("taken nothing for \(Int(ViewLimits.feedStallMax / .seconds(1))) s"))
        #expect(text.contains("after \(Int(ViewLimits.feedHeartbeat / .seconds(1))) s of silence"))
        #expect(text.contains("at most \(Limits.minPositionWaitMsMax / 1000) s"))
        #expect(text.contains("up to \(Limits.historyMessagesMax) messages and takes up to \(Limits.historyRequestSeconds) s"))
        #expect(text.contains("The body has more than \(Limits.historyBodyBytesMax >> 20) MiB."))
        #expect(text.contains("enum: [\(StreamName.allCases.map(\.rawValue).joined(separator: ", "))]"))
        #expect(text.contains("enum: [\(Outcome.allCases.map(\.rawValue).joined(separator: ", "))]"))
        #expect(text.contains("nested at most \(Limits.nestingMax) deep"))
        #expect(Limits.messageBytesMax == 1 << 20 && Limits.bodyBytesMax == 32 << 20)
    }

    static let text = String(decoding: OpenAPIDocument.bytes, as: UTF8.self)

    /// All routes of the product. Nothing is connected to.
    static func router() throws -> Router<BasicRequestContext> {
        let catalog = try StreamCatalog.load(Repository.root + "/streams")
        let keys = LogKeys()
        let metrics = Metrics()
        let endpoint = RedisEndpoint(host: "127.0.0.1", port: 1)
        let appender = Appender(
            endpoint: endpoint, setup: LogSetup(catalog: catalog, keys: keys), codec: EntryCodec(keys: keys, dedupeWindowMs: 1000), metrics: metrics)
        let stores = Stores(
            redis: .init(name: "r", width: 1) { throw LogError.unavailable("") }, postgresql: .init(name: "p", width: 1) { throw LogError.unavailable("") })
        let hub = FeedHub(endpoint: endpoint, keys: keys, stores: stores, live: LiveConfig(), metrics: metrics)
        let router = Router()
        let verdicts = VerdictDesk(waiter: VerdictWaiter(endpoint: endpoint, keys: keys, metrics: metrics), disclosesConditions: true) { _ in nil }
        PublishRoutes(admission: Admission(ids: IDSource(), doorSubjects: [], live: LiveConfig(), metrics: metrics), appender: appender, verdicts: verdicts)
            .add(to: router)
        let follower = ControlFollower(endpoint: endpoint, keys: keys, live: LiveConfig())
        let writer = ControlWriter(redis: stores.redis, keys: keys, follower: follower, machine: ControlMachine(rules: DocumentRules { _, _ in Refusal() }))
        let place = ProjectionPlace(keys: keys, endpoint: endpoint, instance: "i", metrics: metrics) { _ throws(PostgreSQLError) in throw .unavailable("") }
        ViewRoutes(
            .init(
                stores: stores, keys: keys, catalog: catalog, metrics: metrics, hub: hub, pulse: Pulse(servers: [], gauges: []), control: follower,
                writer: writer,
                configDefaults: [:], projections: .standard, place: place, folds: .init(name: "f", width: 1) { place },
                policy: try PolicyTools(defaultTarget: "default"),
                sessions: SessionDesk(redis: stores.redis, postgresql: stores.postgresql, keys: keys) { _, _ in },
                webhookKey: nil)
        ).add(to: router)
        return router
    }

    private static func document() throws -> [String: Any] { try #require(try Yams.load(yaml: text) as? [String: Any]) }

    private static func paths() throws -> [String: [String: Any]] { try #require(try document()["paths"] as? [String: [String: Any]]) }

    private static func types(of response: Any, _ shared: [String: Any]) throws -> [String] {
        var response = try #require(response as? [String: Any])
        if let name = (response["$ref"] as? String)?.split(separator: "/").last { response = try #require(shared[String(name)] as? [String: Any]) }
        return (response["content"] as? [String: Any]).map { Array($0.keys) } ?? []
    }
}
