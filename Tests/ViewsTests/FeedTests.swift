internal import Core
internal import Foundation
internal import Log
internal import Replay
internal import TestSupport
internal import Testing

@testable internal import Views

@Suite("Feed on real servers", .serialized, .timeLimit(.minutes(5)))
struct FeedTests {
    @Test("From now on: what is decided after the feed was opened comes, in order, and nothing of before", arguments: [false, true])
    func live(_ webSocket: Bool) async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...5)
            #expect(await eventually { try rig.hub.start() == ViewsRig.position(5) })
            let found = try await rig.follow("", count: 300, webSocket: webSocket) { try await rig.log(6...305) }
            #expect(found == Array(6...305))
        }
    }

    @Test("One cursor over archive, log and memory: a follower from the beginning sees everything once", arguments: [false, true])
    func seam(_ webSocket: Bool) async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...900)
            try await rig.archive(1...700)
            try await rig.trim(before: 400)
            let found = try await rig.follow("?since=0-0-0", count: 950, webSocket: webSocket) { try await rig.log(901...950) }
            #expect(found == Array(1...950))
            let middle = try await rig.follow("?since=\(ViewsRig.position(650))", count: 300, webSocket: webSocket)
            #expect(middle == Array(651...950))
        }
    }

    @Test("Without a trim the log serves from the beginning, whatever the archive has")
    func untrimmed() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...20)
            #expect(try await rig.follow("?since=0-0-0", count: 20) == Array(1...20))
        }
    }

    @Test("A log that follows one that was lost begins where the archive ends: a follower from the beginning sees both")
    func lostLog() async throws {
        try await ViewsRig.run { rig in
            try await rig.archive(1...400)
            try await rig.log(401...410)
            #expect(try await rig.follow("?since=0-0-0", count: 420) { try await rig.log(411...420) } == Array(1...420))
            #expect(try await rig.follow("?since=\(ViewsRig.position(390))", count: 30) == Array(391...420))
        }
    }

    @Test(
        "A log that follows one that was lost and has nothing yet: what is archived comes first, unless only what is new is wanted", arguments: [false, true])
    func emptyLog(_ webSocket: Bool) async throws {
        try await ViewsRig.run { rig in
            try await rig.archive(1...400)
            #expect(await eventually { try rig.hub.start() == .zero })
            #expect(try await rig.follow("?since=0-0-0", count: 400, webSocket: webSocket) == Array(1...400))
            #expect(try await rig.follow("", count: 20, webSocket: webSocket) { try await rig.log(401...420) } == Array(401...420))
            let resumed = try await rig.follow("?since=\(ViewsRig.position(390))", count: 40, webSocket: webSocket) { try await rig.log(421...430) }
            #expect(resumed == Array(391...430))
        }
    }

    @Test("A log that was told to go on behind a lost one's ids has what that one left, also before its first message")
    func goesOn() async throws {
        try await ViewsRig.run { rig in
            try await rig.archive(1...400)
            try await rig.redis { [keys = rig.keys] in try LogIdentity.goOn(behind: ViewsRig.position(400), keys, $0) }
            #expect(await eventually { try rig.hub.start() == ViewsRig.position(400) })
            #expect(try await rig.follow("?since=0-0-0", count: 410) { try await rig.log(401...410) } == Array(1...410))
        }
    }

    @Test("A follower that catches up holds its batch and one message more, however large they are")
    func large() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...6, payload: 400_000)
            var cursor = Position.zero
            var read: [Int] = []
            while cursor < ViewsRig.position(6) {
                let page = try await rig.hub.history.read(after: cursor, MessageFilter())
                #expect(page.entries.dropLast().reduce(0) { $0 + $1.bytes } < ViewLimits.feedBatchBytesTarget)
                read.append(page.entries.count)
                cursor = page.cursor
            }
            #expect(read == [3, 3])
        }
    }

    @Test("A filter that lets nothing through gets on in a large archive, part by part")
    func selective() async throws {
        try await ViewsRig.run { rig in
            let more = 100
            let count = ViewLimits.feedScanMax + more
            try await rig.archive(1...count)
            try await rig.log(count + 1...count + 2)
            try await rig.trim(before: count + 2)
            var filter = MessageFilter()
            filter.source = "nobody"
            let first = try await rig.hub.history.read(after: .zero, filter)
            #expect(first.entries.isEmpty && first.cursor == ViewsRig.position(ViewLimits.feedScanMax))
            let second = try await rig.hub.history.read(after: first.cursor, filter)
            #expect(second.entries.isEmpty && second.cursor == ViewsRig.position(count))
            filter.source = "alice"
            let some = try await rig.hub.history.read(after: first.cursor, filter)
            #expect(
                some.entries.map(\.position)
                    == (1...more).map { ViewsRig.position(ViewLimits.feedScanMax + $0) }.filter { $0.ms % 2_000 == 0 })
            #expect(some.cursor == ViewsRig.position(count))
        }
    }

    @Test("Filters hold in the archive, the log and live")
    func filters() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...300)
            try await rig.archive(1...200)
            try await rig.trim(before: 150)
            let expected = (1...330).filter { $0 % 3 != 2 && $0 % 2 == 0 }
            let found = try await rig.follow("?since=0-0-0&topic=orders.*&source=alice", count: expected.count) { try await rig.log(301...330) }
            #expect(found == expected)
        }
    }

    @Test("Events carry the position as their id, and Last-Event-ID goes on behind it")
    func resume() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...10)
            let request = "GET /v1/feed HTTP/1.1\r\nHost: a\r\nLast-Event-ID: \(ViewsRig.position(7))\r\n\r\n"
            #expect(await eventually { try rig.hub.start() == ViewsRig.position(10) })
            let text = try await rig.exchange(request) { ViewsRig.numbers($0).count >= 3 }
            #expect(ViewsRig.numbers(text) == [8, 9, 10])
            #expect(text.contains("id: \(ViewsRig.position(8))\nevent: message\ndata: {\"message_uuid\""))
            #expect(text.contains("Meshlog-Position: \(ViewsRig.position(7))"))
            #expect(text.contains("retry: 1000\n\n"))
        }
    }

    @Test("The reference's feed has nine fields")
    func reference() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...1)
            let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            #expect(await eventually { try rig.hub.start() == ViewsRig.position(1) })
            let text = try await rig.exchange("GET /?since=0-0-0 HTTP/1.1\r\nHost: a\r\n\(upgrade)\r\n") { $0.contains("\"message_metadata\":null}") }
            #expect(ViewsRig.numbers(text) == [1])
            #expect(!text.contains("\"position\""))
        }
    }

    @Test("Who does not read holds up nobody, loses nothing, and memory holds one batch for it")
    func slow() async throws {
        try await ViewsRig.run { rig in
            #expect(
                await eventually {
                    _ = try rig.hub.start(); return true
                })
            let pause = Once()
            let slow = try await rig.follow("", count: 200, webSocket: true) {
                // Opened, and now not read from, while another one reads all.
                if pause.first() {
                    try await rig.log(1...200, payload: 20_000)
                    let fast = try await rig.follow("?since=0-0-0", count: 200)
                    #expect(fast == Array(1...200))
                }
            }
            #expect(slow == Array(1...200))
        }
    }

    @Test("Who takes nothing for too long is let go, and resumes where it was", arguments: [false, true])
    func stalled(_ webSocket: Bool) async throws {
        try await ViewsRig.run(stallMax: .milliseconds(300)) { rig in
            #expect(
                await eventually {
                    _ = try rig.hub.start(); return true
                })
            // More than the buffers of both systems hold. Read again only after the hub has let it go.
            let before = try await rig.follow("", count: 600, webSocket: webSocket) {
                try await rig.log(1...600, payload: 20_000)
                #expect(await eventually { try await rig.get("/metrics").body.contains("meshlog_feed_followers 0\n") })
            }
            try #require(before.count > 1 && before.count < 600)
            #expect(before == Array(1...before.count))
            // The last one may have come in part.
            let last = before.count - (webSocket ? 0 : 1)
            let after = try await rig.follow("?since=\(ViewsRig.position(last))", count: 600 - last, webSocket: webSocket)
            #expect(after == Array(last + 1...600))
        }
    }

    @Test("A wrong parameter is answered before anything is followed, also to a WebSocket")
    func refused() async throws {
        try await ViewsRig.run { rig in
            #expect(
                await eventually {
                    _ = try rig.hub.start(); return true
                })
            let upgrade = ["Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="]
            let plain = try await rig.get("/v1/feed?since=now&topik=a")
            #expect(plain.status == 400 && plain.body.contains("since") && plain.body.contains("topik"))
            #expect(try await rig.get("/v1/feed?since=now", upgrade).status == 400)
            let text = try await rig.exchange(
                "GET /v1/feed?since=now HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            ) { $0.contains("}]}") }
            #expect(text.hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test("Followers are counted out when they go")
    func leaving() async throws {
        try await ViewsRig.run { rig in
            try await rig.log(1...3)
            for _ in 0..<5 { #expect(try await rig.follow("?since=0-0-0", count: 3, webSocket: true) == [1, 2, 3]) }
            #expect(await eventually { try await rig.get("/metrics").body.contains("meshlog_feed_followers 0\n") })
        }
    }
}
