import Core
import Foundation
import Ingress
import Synchronization
import TestSupport
import Testing

@Suite("IDSource")
struct IDSourceTests {
    @Test("Ids are UUIDv7 of now, and their milliseconds never go back") func order() throws {
        let source = IDSource()
        let before = UInt64(Date().timeIntervalSince1970 * 1000)
        let ids = (0..<5_000).map { _ in source.next() }
        let after = UInt64(Date().timeIntervalSince1970 * 1000) + 1
        let milliseconds = try ids.map { try #require($0.v7Milliseconds) }
        #expect(milliseconds == milliseconds.sorted())
        #expect(try (before...after).contains(#require(milliseconds.first)))
        #expect(Set(ids).count == ids.count)
    }

    @Test("Many threads and several sources never give the same id") func unique() async throws {
        let sources = (0..<4).map { _ in IDSource() }
        let ids = try await withThrowingTaskGroup(of: [MessageUUID].self) { group in
            for index in 0..<8 { group.addTask { try await onThread { (0..<5_000).map { _ in sources[index % 4].next() } } } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(ids).count == 40_000)
    }
}
