internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import ServiceLifecycle

/// A real HTTP server on 127.0.0.1 that takes webhooks and remembers them.
package final class WebhookReceiver: Sendable {
    package struct Received: Sendable {
        package let path: String
        package let headers: [(name: String, value: String)]
        package let body: [UInt8]

        package func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
        package var id: String { header("webhook-id") ?? "" }
    }

    package struct Reply: Sendable {
        package let status: Int
        package let headers: [(String, String)]

        package init(_ status: Int, _ headers: [(String, String)] = []) {
            self.status = status
            self.headers = headers
        }
    }

    package let port: Int
    private let received: NIOLockedValueBox<[Received]>

    private init(port: Int, received: NIOLockedValueBox<[Received]>) {
        self.port = port
        self.received = received
    }

    /// Everything that came, in order.
    package var all: [Received] { received.withLockedValue { $0 } }
    package func url(_ path: String = "/hook") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Runs `body` with a receiver, and stops it on both paths.
    ///
    /// - Parameter reply: to a request, which is the `number`th, from 1.
    package static func with(
        reply: @escaping @Sendable (_ request: Received, _ number: Int) async -> Reply, _ body: @escaping @Sendable (WebhookReceiver) async throws -> Void
    ) async throws {
        let received = NIOLockedValueBox<[Received]>([])
        let router = Router()
        router.post("**") { request, _ in
            let bytes = Array(buffer: try await request.body.collect(upTo: 1 << 20))
            // The server takes the header Host out of the others.
            let host = request.head.authority.map { [(name: "host", value: $0)] } ?? []
            let headers = host + request.headers.map { (name: $0.name.rawName, value: $0.value) }
            let one = Received(path: request.uri.path, headers: headers, body: bytes)
            let number = received.withLockedValue { all in
                all.append(one)
                return all.count
            }
            let reply = await reply(one, number)
            var fields = HTTPFields()
            for (name, value) in reply.headers { if let name = HTTPField.Name(name) { fields[name] = value } }
            return Response(status: .init(code: reply.status), headers: fields)
        }
        let (ports, ready) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "receiver")
        logger.logLevel = .critical
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)), onServerRunning: { ready.yield($0.localAddress?.port ?? 0) },
            logger: logger)
        let group = ServiceGroup(configuration: .init(services: [.init(service: application)], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await group.run() }
            var iterator = ports.makeAsyncIterator()
            let receiver = WebhookReceiver(port: await iterator.next() ?? 0, received: received)
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(receiver))
            } catch {
                result = .failure(error)
            }
            // Whoever still keeps a request waiting is not waited for.
            tasks.cancelAll()
            try await tasks.waitForAll()
            try result.get()
        }
    }
}
