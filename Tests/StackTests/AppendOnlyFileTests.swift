internal import Foundation
internal import Stack
internal import TestSupport
internal import Testing

@Suite("The end of the append-only file")
struct AppendOnlyFileTests {
    private static func command(_ words: String...) -> String {
        "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    }

    private static let set = command("SET", "a", "MULTI\r\n*1\r\n$5\r\nMULTI\r\n")
    private static let multi = command("MULTI")
    private static let exec = command("EXEC")

    /// The bytes that are whole of `file`.
    private static func whole(_ file: String) -> Int {
        let bytes = Array(file.utf8)
        return AppendOnlyFile.wholeBytes(bytes.span)
    }

    @Test("Cut at any byte, what is kept are the commands and groups that were whole by then")
    func everyCut() {
        let parts = [
            Self.set, "#TS:1700000000\r\n", Self.multi + Self.set + Self.set + Self.exec, Self.set, Self.command("multi") + Self.set + Self.command("exec"),
        ]
        let ends = parts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.utf8.count) }
        let bytes = Array(parts.joined().utf8)
        for cut in 0...bytes.count {
            #expect(AppendOnlyFile.wholeBytes(bytes.span.extracting(first: cut)) == ends.last { $0 <= cut } ?? 0, "cut at \(cut)")
        }
    }

    @Test(
        "Nothing is cut where the file holds what Redis does not write",
        arguments: [
            set + "SET a b\r\n", set + "*2\r\n$x\r\n", set + "*1\r\n:5\r\nMULTI\r\n", set + "\0\0\0\0", set + "*99999999999999999999\r\n",
            set + "*1\r\n$5\rXMULTI",
        ])
    func foreign(file: String) { #expect(Self.whole(file) == file.utf8.count) }

    @Test("Behind a group that an earlier kill has left open nothing is cut, until an EXEC has closed it") func oldGroup() {
        let select = Self.command("SELECT", "0")
        // What was written behind it was acknowledged.
        for file in [Self.multi + Self.set + select + Self.set, Self.multi + Self.set + Self.multi + select + Self.set] {
            #expect(Self.whole(file) == file.utf8.count)
        }
        let closed = Self.multi + Self.set + select + Self.set + Self.multi + Self.set + Self.exec + Self.set
        #expect(Self.whole(closed + Self.multi + select + Self.set) == closed.utf8.count)
    }

    @Test("Killed within a group, neither the next start nor the one after carries out a part of it, and what came in between stays")
    func openGroup() async throws {
        try await withStack([.redis]) { stack in
            #expect(redis(stack, "SET before 1\r\n") == "+OK\r\n")
            let folder = stack.redis.folder + "/appendonlydir"
            let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".incr.aof") })
            let path = folder + "/" + name
            let group = Self.multi + Self.command("INCR", "one") + Self.command("INCR", "two") + Self.exec
            let one = (Self.multi + Self.command("INCR", "one")).utf8.count
            for (round, cut) in [3, Self.multi.utf8.count, one - 4, one, one + 9, group.utf8.count - 1].enumerated() {
                await stack.redis.kill9()
                let handle = try #require(FileHandle(forWritingAtPath: path))
                try handle.seekToEnd()
                try handle.write(contentsOf: Data(group.utf8.prefix(cut)))
                try handle.close()
                try await stack.redis.restart()
                #expect(redis(stack, "INCR between\r\n") == ":\(round + 1)\r\n", "cut at \(cut)")
                await stack.redis.kill9()
                try await stack.redis.restart()
                #expect(redis(stack, "MGET one two between\r\n") == "*3\r\n$-1\r\n$-1\r\n$1\r\n\(round + 1)\r\n", "cut at \(cut)")
            }
        }
    }
}
