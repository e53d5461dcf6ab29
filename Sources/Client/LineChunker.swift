internal import Core

/// Cuts a stream of newline-delimited JSON into requests of whole lines, and remembers the number of every line.
package struct LineChunker: Sendable {
    /// Lines of one request. Blank lines are left out; a line that is too large to be accepted is not sent.
    package struct Chunk: Sendable, Equatable {
        package internal(set) var bytes: [UInt8] = []
        /// Line numbers in the file, from 1, of the lines in `bytes`.
        package internal(set) var numbers: [Int] = []
        /// Line numbers and sizes of lines above `Limits.messageBytesMax`.
        package internal(set) var oversized: [LineSize] = []
        /// Lines of `bytes` that were given an id here.
        package internal(set) var named = 0
        /// Bytes of the file that this chunk stands for.
        package internal(set) var bytesRead = 0

        var isEmpty: Bool { numbers.isEmpty && oversized.isEmpty }
    }

    package struct LineSize: Sendable, Equatable {
        package let line: Int
        package let bytes: Int

        package init(line: Int, bytes: Int) {
            self.line = line
            self.bytes = bytes
        }
    }

    private let naming: LineNaming
    private var chunk = Chunk()
    private var line = 0
    /// The beginning of a line whose end has not come yet, at most one byte more than a message may have.
    private var rest: [UInt8] = []
    private var restSize = 0

    package init(naming: LineNaming) { self.naming = naming }

    /// Takes the next bytes of the file; returns the requests that are full.
    package mutating func take(_ block: [UInt8]) -> [Chunk] {
        var full: [Chunk] = []
        var start = 0
        while let end = block[start...].firstIndex(of: 0x0A) {
            hold(block[start..<end])
            endLine(terminator: 1)
            if chunk.numbers.count >= ClientLimits.chunkLinesMax || chunk.bytes.count >= ClientLimits.chunkBytesMax { full.append(cut()) }
            start = end + 1
        }
        hold(block[start...])
        return full
    }

    /// The whole lines so far as a request that is not full; nil when there are none. A line whose end has not come yet stays.
    package mutating func takeWhole() -> Chunk? { chunk.isEmpty ? nil : cut() }

    /// The last request; nil when nothing is left.
    package mutating func finish() -> Chunk? {
        if restSize > 0 { endLine(terminator: 0) }
        return takeWhole()
    }

    private mutating func hold(_ part: ArraySlice<UInt8>) {
        restSize += part.count
        // What is too long is only counted.
        rest.append(contentsOf: part.prefix(max(0, Limits.messageBytesMax + 2 - rest.count)))
    }

    private mutating func endLine(terminator: Int) {
        line += 1
        chunk.bytesRead += restSize + terminator
        defer {
            rest.removeAll(keepingCapacity: true)
            restSize = 0
        }
        if rest.count == restSize, rest.last == 0x0D { rest.removeLast() }
        // A line may begin a file with the byte order mark that some programs write.
        if line == 1, rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest.removeFirst(3) }
        guard rest.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return }
        if rest.count > Limits.messageBytesMax {
            chunk.oversized.append(LineSize(line: line, bytes: restSize))
            return
        }
        if let named = naming.named(rest, line: line) {
            chunk.bytes.append(contentsOf: named)
            chunk.named += 1
        } else {
            chunk.bytes.append(contentsOf: rest)
        }
        chunk.bytes.append(0x0A)
        chunk.numbers.append(line)
    }

    private mutating func cut() -> Chunk {
        defer { chunk = Chunk() }
        return chunk
    }
}
