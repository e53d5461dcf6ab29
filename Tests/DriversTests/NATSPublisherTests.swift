internal import NATSDriver
internal import Stack
internal import TestSupport
internal import Testing

@Suite("NATS publisher")
struct NATSPublisherTests {
    @Test("A batch is stored in order with its headers and bytes, and a repeat is answered with the first sequences")
    func batch() async throws {
        try await withNATSServer { server in
            let url = server.url
            try await onThread {
                let connection = try NATSConnection(NATSOptions(url: url))
                let jetStream = JetStream(connection)
                _ = try jetStream.createStream(StreamConfiguration(name: "ORDERS", subjects: ["orders.>"]))
                let publisher = try JetStreamPublisher(connection)
                let batch = (1...500).map { message($0) }
                let first = publisher.publish(batch, timeout: .seconds(5))
                #expect(first == (1...500).map { .stored(stream: "ORDERS", sequence: UInt64($0), duplicate: false) })
                let second = publisher.publish(batch, timeout: .seconds(5))
                #expect(second == (1...500).map { .stored(stream: "ORDERS", sequence: UInt64($0), duplicate: true) })

                let stored = try jetStream.message("ORDERS", sequence: 7)
                #expect(stored.payload == payload(7))
                #expect(stored.headers == headers(7))
                #expect(try jetStream.streamState("ORDERS").messages == 500)
                let tail = try jetStream.tail("ORDERS", count: 10, headers: ["Nats-Msg-Id"])
                #expect(tail.map(\.sequence) == Array(491...500))
                #expect(tail.compactMap { $0.header("Nats-Msg-Id") } == (491...500).map { "log/0-\($0)-0" })
                #expect(try jetStream.tail("ORDERS", count: 2_000, headers: ["Nats-Msg-Id"]).count == 500)
            }
        }
    }

    @Test("A subscriber that says 'nobody listens' after a batch is done holds nothing up")
    func stray() async throws {
        try await withNATSServer { server in
            let url = server.url
            try await onThread {
                let connection = try NATSConnection(NATSOptions(url: url))
                _ = try JetStream(connection).createStream(StreamConfiguration(name: "ORDERS", subjects: ["orders.>"]))
                let others = try NATSConnection(NATSOptions(url: url))
                let subscriber = try NATSSubscription(others, "orders.>")
                try others.flush(timeout: .seconds(5))
                let publisher = try JetStreamPublisher(connection)
                #expect(publisher.publish([message(1)], timeout: .seconds(5)) == [.stored(stream: "ORDERS", sequence: 1, duplicate: false)])
                let reply = try #require(try subscriber.next(timeout: .seconds(5))?.reply)
                try others.publish(subject: reply, headers: [NATSHeader("Status", "503")], payload: [])
                try others.flush(timeout: .seconds(5))
                // What was sent to this connection before is here behind its own flush.
                try connection.flush(timeout: .seconds(5))
                #expect(publisher.publish([message(2)], timeout: .seconds(5)) == [.stored(stream: "ORDERS", sequence: 2, duplicate: false)])
            }
        }
    }

    @Test("Preformatted headers and those of nats.c's own functions are the same on the wire")
    func headerForms() async throws {
        try await withNATSServer { server in
            let url = server.url
            try await onThread {
                var options = NATSOptions(url: url)
                let fast = try NATSConnection(options)
                options.preformatsHeaders = false
                let plain = try NATSConnection(options)
                let jetStream = JetStream(fast)
                _ = try jetStream.createStream(StreamConfiguration(name: "FORMS", subjects: ["forms"]))
                let headers = [NATSHeader("A", "one"), NATSHeader("Content-Type", "text/plain; charset=utf-8")]
                for connection in [fast, plain] {
                    let message = PreparedPublish(subject: "forms", headers: headers, payload: [0, 1, 2, 255], isStored: true)
                    _ = try JetStreamPublisher(connection).publish([message], timeout: .seconds(5))
                }
                let (first, second) = (try jetStream.message("FORMS", sequence: 1), try jetStream.message("FORMS", sequence: 2))
                #expect(Set(first.headers) == Set(headers))
                #expect(Set(first.headers) == Set(second.headers))
                #expect(first.payload == [0, 1, 2, 255])
                #expect(first.payload == second.payload)
            }
        }
    }

    @Test("What cannot be sent fails alone, with its reason, and its neighbours are stored")
    func refusals() async throws {
        try await withNATSServer { server in
            let url = server.url
            try await onThread {
                let connection = try NATSConnection(NATSOptions(url: url))
                _ = try JetStream(connection).createStream(StreamConfiguration(name: "S", subjects: ["s.>"]))
                let publisher = try JetStreamPublisher(connection)
                let limit = connection.payloadBytesMax
                let batch = [
                    PreparedPublish(subject: "s.1", headers: [], payload: [1], isStored: true),
                    PreparedPublish(subject: "s.2", headers: [], payload: [UInt8](repeating: 0, count: limit + 1), isStored: true),
                    PreparedPublish(subject: "s .3", headers: [], payload: [3], isStored: true),
                    PreparedPublish(subject: "elsewhere", headers: [], payload: [4], isStored: true),
                    PreparedPublish(subject: "core", headers: [], payload: [5], isStored: false),
                    PreparedPublish(subject: "s.6", headers: [], payload: [UInt8](repeating: 0, count: limit), isStored: true),
                ]
                let outcomes = publisher.publish(batch, timeout: .seconds(5))
                #expect(outcomes[0] == .stored(stream: "S", sequence: 1, duplicate: false))
                #expect(outcomes[1] == .failed(.payloadTooLarge(bytes: limit + 1, limit: limit)))
                #expect(outcomes[2] == .failed(.invalidSubject("s .3")))
                #expect(outcomes[3] == .failed(.noResponders(subject: "")))
                #expect(outcomes[4] == .flushed)
                #expect(outcomes[5] == .stored(stream: "S", sequence: 2, duplicate: false))
            }
        }
    }

    @Test("A header value with line breaks stays one header")
    func injection() {
        let block = HeaderBlock.encode([NATSHeader("A", "x\r\nNats-Msg-Id: forged"), NATSHeader("B:C", "no name"), NATSHeader("D", "")])
        #expect(String(decoding: block, as: UTF8.self) == "NATS/1.0\r\nA: x  Nats-Msg-Id: forged\r\nD: \r\n\r\n")
        #expect(HeaderBlock.decode(block) == [NATSHeader("A", "x  Nats-Msg-Id: forged"), NATSHeader("D", "")])
        #expect(HeaderBlock.encode([]).isEmpty)
    }

    @Test("A server that is killed leaves every open publish in doubt, quickly, and nothing is sent after the loss")
    func loss() async throws {
        try await withNATSServer { server in
            let url = server.url
            let session = try await onThread {
                let connection = try NATSConnection(NATSOptions(url: url, reconnect: .never))
                _ = try JetStream(connection).createStream(StreamConfiguration(name: "ORDERS", subjects: ["orders.>"]))
                return connection
            }
            await server.kill9()
            try await server.start()
            let outcomes = try await onThread {
                try? JetStreamPublisher(session).publish((1...100).map { message($0) }, timeout: .seconds(2))
            }
            for outcome in outcomes ?? [] {
                guard case .failed(let error) = outcome else {
                    Issue.record("\(outcome)")
                    continue
                }
                #expect(error.isRetryable)
            }
            try await onThread {
                let jetStream = JetStream(try NATSConnection(NATSOptions(url: url)))
                #expect(try jetStream.streamState("ORDERS").messages == 0)
            }
        }
    }
}

private func payload(_ number: Int) -> [UInt8] {
    Array("{\"number\":\(number)}\0\u{e9}".utf8)
}

private func headers(_ number: Int) -> [NATSHeader] {
    [NATSHeader("Nats-Msg-Id", "log/0-\(number)-0"), NATSHeader("Meshlog-Position", "0-\(number)-0"), NATSHeader("traceparent", "00-ab-cd-01")]
}

private func message(_ number: Int) -> PreparedPublish {
    PreparedPublish(subject: "orders.\(number % 7)", headers: headers(number), payload: payload(number), isStored: true)
}
