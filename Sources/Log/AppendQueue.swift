internal import Core
internal import RedisDriver

/// What waits to be appended, cut into the pipelines it will go out as: pure, under the appender's lock.
struct AppendQueue {
    /// One submission's entries within one pipeline.
    struct Part {
        let sink: any AppendSink
        let ticket: any AnyObject & Sendable
        let firstTag: Int
        var count: Int
    }

    /// One pipeline: at most `Limits.appendBatchMax` entries and `Limits.appendBatchBytesMax` bytes, or a single larger entry.
    struct Pipeline {
        var commands = RESPWriter()
        var uuids: [MessageUUID?] = []
        var parts: [Part] = []

        var isEmpty: Bool { uuids.isEmpty }

        func hasRoom(for size: Int) -> Bool {
            uuids.count < Limits.appendBatchMax && (isEmpty || commands.bytes.count + size <= Limits.appendBatchBytesMax)
        }

        mutating func removeAll() {
            commands.removeAll()
            uuids.removeAll(keepingCapacity: true)
            parts.removeAll(keepingCapacity: true)
        }
    }

    private var pipelines: [Pipeline] = []
    /// Emptied ones, whose memory is used again.
    private var spare: [Pipeline] = []
    private(set) var count = 0
    private(set) var bytes = 0

    /// False when it would be more than may wait; then nothing was taken in.
    mutating func add(_ batch: AppendBatch, to sink: any AppendSink, ticket: any AnyObject & Sendable, firstTag: Int) -> Bool {
        let size = batch.commands.bytes.count
        guard count + batch.count <= Limits.appendQueueMax, bytes + size <= Limits.appendQueueBytesMax else { return false }
        count += batch.count
        bytes += size
        var next = 0
        while next < batch.count { next = fill(batch, from: next, sink, ticket, firstTag) }
        return true
    }

    /// Copies as many entries as the last pipeline takes; returns the first that is left.
    private mutating func fill(
        _ batch: AppendBatch, from first: Int, _ sink: any AppendSink, _ ticket: any AnyObject & Sendable, _ firstTag: Int
    ) -> Int {
        let begin = first == 0 ? 0 : batch.entries[first - 1].end
        if pipelines.last?.hasRoom(for: batch.entries[first].end - begin) != true { pipelines.append(spare.popLast() ?? Pipeline()) }
        let last = pipelines.count - 1
        let room = Limits.appendBatchMax - pipelines[last].uuids.count
        let bytesEnd = max(batch.entries[first].end, begin + Limits.appendBatchBytesMax - pipelines[last].commands.bytes.count)
        var next = first
        while next < batch.count, next - first < room, batch.entries[next].end <= bytesEnd {
            pipelines[last].uuids.append(batch.entries[next].uuid)
            next += 1
        }
        pipelines[last].commands.append(batch.commands.bytes[begin..<batch.entries[next - 1].end], commands: next - first)
        pipelines[last].parts.append(Part(sink: sink, ticket: ticket, firstTag: firstTag + first, count: next - first))
        return next
    }

    /// The pipeline that has waited longest.
    mutating func take() -> Pipeline? {
        guard !pipelines.isEmpty else { return nil }
        let pipeline = pipelines.removeFirst()
        count -= pipeline.uuids.count
        bytes -= pipeline.commands.bytes.count
        return pipeline
    }

    /// Gives the memory of an emptied pipeline back.
    mutating func recycle(_ pipeline: Pipeline) {
        if spare.count <= Limits.appendPipelinesMax { spare.append(pipeline) }
    }
}
