internal import NATSDriver
internal import Stack
internal import TestSupport
internal import Testing

@Suite("NATS JetStream")
struct NATSJetStreamTests {
    @Test("Refusals carry JetStream's own code")
    func codes() async throws {
        try await withNATSServer { server in
            let url = server.url
            try await onThread {
                let jetStream = JetStream(try NATSConnection(NATSOptions(url: url)))
                #expect(try jetStream.isEnabled())
                _ = try jetStream.createStream(StreamConfiguration(name: "A", subjects: ["a.>"]))
                #expect(code { _ = try jetStream.streamInfo("NONE") } == .streamNotFound)
                #expect(code { _ = try jetStream.createStream(StreamConfiguration(name: "B", subjects: ["a.b"])) } == .subjectsOverlap)
                #expect(code { _ = try jetStream.createStream(StreamConfiguration(name: "A", subjects: ["c"])) } == .streamNameInUse)
                #expect(code { _ = try jetStream.message("A", sequence: 1) } == .noMessageFound)
                #expect(code { _ = try jetStream.consumerInfo("none", of: "A") } == .consumerNotFound)
                #expect(try jetStream.streamNames(storing: "a.b.c") == ["A"])
                #expect(try jetStream.streamNames(storing: "b").isEmpty)
                #expect(try jetStream.addSubjects(["b", "a.>"], to: "A").subjects == ["a.>", "b"])
                #expect(try jetStream.streamNames(storing: "b") == ["A"])
                #expect(try jetStream.tail("A", count: 5, headers: []).isEmpty)
            }
        }
    }

    @Test("A pull consumer gets what is not acknowledged again, and never what is acknowledged or ended")
    func consumer() async throws {
        try await withNATSServer { server in
            let url = server.url
            try await onThread {
                let connection = try NATSConnection(NATSOptions(url: url))
                let jetStream = JetStream(connection)
                _ = try jetStream.createStream(StreamConfiguration(name: "IN", subjects: ["in"]))
                try jetStream.createDurable(ConsumerConfiguration(name: "door", ackWait: .seconds(3)), on: "IN")
                for number in 1...5 { try connection.publish(subject: "in", headers: [NATSHeader("n", "\(number)")], payload: [UInt8(number)]) }
                let consumer = try JetStreamConsumer(jetStream, stream: "IN", durable: "door")
                var first: [NATSMessage] = []
                while first.count < 5 { first += try consumer.fetch(max: 16, expires: .seconds(5)) }
                #expect(first.map(\.payload) == [[1], [2], [3], [4], [5]])
                #expect(first[1].headers == [NATSHeader("n", "2")])
                #expect(DeliveryPlace(ackSubject: first[4].reply)?.streamSequence == 5)
                try consumer.acknowledge(first[0])
                try consumer.terminate(first[1])
                try consumer.negativelyAcknowledge(first[2])
                try consumer.negativelyAcknowledge(first[3], delay: .milliseconds(50))
                var again: Set<[UInt8]> = []
                while again.count < 3 {
                    for message in try consumer.fetch(max: 16, expires: .seconds(5)) {
                        again.insert(message.payload)
                        try consumer.acknowledge(message)
                    }
                }
                #expect(again == [[3], [4], [5]])
                try connection.flush(timeout: .seconds(5))
                #expect(try consumer.fetch(max: 16, expires: .milliseconds(3_500)).isEmpty)
                let info = try jetStream.consumerInfo("door", of: "IN")
                #expect(info.pending == 0)
                #expect(info.ackPending == 0)
            }
        }
    }

    @Test("A consumer that does not exist is told from one that has nothing")
    func missing() async throws {
        try await withNATSServer { server in
            let url = server.url
            try await onThread {
                let jetStream = JetStream(try NATSConnection(NATSOptions(url: url)))
                _ = try jetStream.createStream(StreamConfiguration(name: "IN", subjects: ["in"]))
                try jetStream.createDurable(ConsumerConfiguration(name: "door"), on: "IN")
                let empty = try JetStreamConsumer(jetStream, stream: "IN", durable: "door")
                let missing = try JetStreamConsumer(jetStream, stream: "IN", durable: "other")
                for _ in 0..<5 { #expect(try empty.fetch(max: 4, expires: .milliseconds(100)).isEmpty) }
                #expect(
                    code { for _ in 0..<5 { _ = try missing.fetch(max: 4, expires: .milliseconds(100)) } } == .consumerNotFound)
                try jetStream.connection.publish(subject: "in", payload: [1])
                #expect(try empty.fetch(max: 4, expires: .seconds(5)).count == 1)
            }
        }
    }

    @Test(
        "An acknowledgement subject is read in both its forms",
        arguments: [
            ("$JS.ACK.S.c.2.17.3.1700000000000000000.4", 17 as UInt64?), ("$JS.ACK.hub.acc.S.c.2.17.3.1700000000000000000.4.rnd", 17),
            ("$JS.ACK.S.c.2.x.3.1.4", nil), ("_INBOX.a", nil), ("", nil),
        ])
    func place(subject: String, sequence: UInt64?) {
        #expect(DeliveryPlace(ackSubject: subject)?.streamSequence == sequence)
    }
}

private func code(_ body: () throws -> Void) -> JetStreamErrorCode? {
    do {
        try body()
        return nil
    } catch NATSError.jetStream(_, let code, _) {
        return code
    } catch {
        return nil
    }
}
