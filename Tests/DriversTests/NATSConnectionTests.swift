internal import NATSDriver
internal import Stack
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite("NATS connection")
struct NATSConnectionTests {
    @Test("A connection to nobody is refused as unavailable within its timeout")
    func nobody() async throws {
        let port = SharedStack.freePort()
        let error = try await onThread { () -> NATSError? in
            do throws(NATSError) {
                _ = try NATSConnection(NATSOptions(url: "nats://127.0.0.1:\(port)", connectTimeout: .milliseconds(500)))
                return nil
            } catch {
                return error
            }
        }
        #expect(error?.isRetryable == true)
    }

    @Test("The greeting tells version, JetStream and the largest payload")
    func greeting() async throws {
        try await withNATSServer { server in
            let port = server.port
            let info = try await onThread { try NATSServerInfo.read(host: "127.0.0.1", port: port) }
            #expect(info.version.hasPrefix("2."))
            #expect(info.hasJetStream)
            #expect(info.payloadBytesMax == 1 << 20)
            // Any server of the list, and any address of its name: this one listens on 127.0.0.1 alone.
            let dead = SharedStack.freePort()
            let first = try await onThread { try NATSServerInfo.readFirst(of: "nats://127.0.0.1:\(dead), user:word@localhost:\(port)") }
            #expect(first == info)
            let error = try await onThread { () throws -> NATSError? in
                do throws(NATSError) { _ = try NATSServerInfo.readFirst(of: "nats://127.0.0.1:\(dead)") } catch { return error }
                return nil
            }
            #expect(error?.isRetryable == true)
        }
    }

    @Test("The members of a queue share its messages, headers asked for come along, and replies go back")
    func queue() async throws {
        try await withNATSServer { server in
            let url = server.url
            try await onThread {
                let connection = try NATSConnection(NATSOptions(url: url))
                let counts = Counts()
                let members = try (0..<2).map { member in
                    try NATSCallbackSubscription(connection, "jobs", queue: "workers", headers: .named(["kind"])) { message in
                        counts.add(member)
                        guard let reply = message.reply, message.header("Kind") == "test" else { return }
                        try? connection.publish(subject: reply, payload: message.payload)
                    }
                }
                let inbox = try connection.newInbox()
                let replies = try NATSSubscription(connection, inbox)
                for number in 0..<200 {
                    try connection.publish(
                        subject: "jobs", reply: inbox, headers: [NATSHeader("kind", "test"), NATSHeader("other", "x")], payload: [UInt8(number)])
                }
                var received: [UInt8] = []
                while received.count < 200, let message = try replies.next(timeout: .seconds(5)) { received += message.payload }
                #expect(received.sorted() == (0..<200).map { UInt8($0) })
                #expect(counts.total == 200)
                #expect(members.allSatisfy { $0.dropped == 0 })
            }
        }
    }

    @Test("A subscriber that does not read loses what exceeds its limit, and can see how much")
    func slow() async throws {
        try await withNATSServer { server in
            let url = server.url
            try await onThread {
                let connection = try NATSConnection(NATSOptions(url: url))
                let subscription = try NATSSubscription(connection, "flood", pendingMessagesMax: 10)
                for _ in 0..<100 { try connection.publish(subject: "flood", payload: [1]) }
                try connection.flush(timeout: .seconds(5))
                #expect(subscription.dropped == 90)
                #expect(try subscription.fetch(max: 100, timeout: .seconds(1)).count == 10)
                #expect(try subscription.fetch(max: 100, timeout: .milliseconds(10)).isEmpty)
            }
        }
    }

    @Test("A connection comes back by itself with its subscriptions, says so, and meanwhile publishes fail once the small buffer is full")
    func comesBack() async throws {
        try await withNATSServer { server in
            let url = server.url
            let connection = try await onThread { try NATSConnection(NATSOptions(url: url)) }
            let subscription = try await onThread { try NATSSubscription(connection, "news") }
            var events = connection.events.makeAsyncIterator()
            await server.kill9()
            #expect(await events.next() == .disconnected)
            let full = try await onThread { () -> NATSError? in
                do throws(NATSError) {
                    for _ in 0..<200 { try connection.publish(subject: "elsewhere", payload: [UInt8](repeating: 0, count: 1_000)) }
                    return nil
                } catch {
                    return error
                }
            }
            guard case .unavailable = full else {
                Issue.record("\(String(describing: full))")
                return
            }
            try await server.start()
            while let event = await events.next() {
                if case .reconnected = event { break }
            }
            let message = try await onThread {
                try connection.publish(subject: "news", payload: [7])
                return try subscription.next(timeout: .seconds(5))
            }
            #expect(message?.payload == [7])
            #expect(connection.reconnects == 1)
        }
    }
}

/// Two counters that a handler on another thread adds to.
private final class Counts: Sendable {
    private let values = Mutex([0, 0])
    func add(_ index: Int) { values.withLock { $0[index] += 1 } }
    var total: Int { values.withLock { $0.reduce(0, +) } }
}
