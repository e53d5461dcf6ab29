internal import Client
internal import Core
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// Sends files of messages, request after request, so that the log has them in the file's order.
///
/// A request that is not answered, or answered with "later", is repeated whole: every line has an id, so nothing is doubled.
struct Publisher {
    private let server: MeshlogServer
    private let giveUpAfter: Duration
    private let assignsIDs: Bool
    /// Called behind every request.
    private let onProgress: (PublishTally, _ bytesRead: Int) -> Void
    private(set) var tally = PublishTally()
    private var bytesRead = 0
    private var hasReached = false

    init(server: MeshlogServer, giveUpAfter: Duration, assignsIDs: Bool, onProgress: @escaping (PublishTally, Int) -> Void) {
        self.server = server
        self.giveUpAfter = giveUpAfter
        self.assignsIDs = assignsIDs
        self.onProgress = onProgress
    }

    /// Publishes one file to its end.
    ///
    /// - Throws: `CommandFailure`: up to which line the file is in the log, and why it went no further.
    mutating func publish(_ file: InputFile) async throws {
        let naming = LineNaming(assignsIDs ? .derived(file: file.name) : .fresh(Publisher.freshID))
        var chunker = LineChunker(naming: naming)
        while true {
            let block = try await file.read()
            if block.isEmpty { break }
            for chunk in chunker.take(block) { try await publish(chunk, of: file) }
            // A slow producer's lines do not wait until a request is full.
            if !file.hasMore, let chunk = chunker.takeWhole() { try await publish(chunk, of: file) }
        }
        if let chunk = chunker.finish() { try await publish(chunk, of: file) }
    }

    private mutating func publish(_ chunk: LineChunker.Chunk, of file: InputFile) async throws {
        let known = tally.refusals.count
        tally.refuse(chunk.oversized, file: file.name)
        if !chunk.numbers.isEmpty { try await send(chunk, of: file) }
        tally.sortRefusals(from: known)
        bytesRead += chunk.bytesRead
        onProgress(tally, bytesRead)
    }

    private mutating func send(_ chunk: LineChunker.Chunk, of file: InputFile) async throws {
        var repeats = Repeats(giveUpAfter: giveUpAfter)
        var attempts = PublishTally.Attempts()
        while true {
            var retryAfter: String?
            let reason: CommandFailure
            switch await post(chunk) {
            case .success(let answer):
                hasReached = true
                if tally.count(chunk, answer: answer.body, file: file.name, after: attempts) { return }
                reason = CommandFailure(status: answer.status, body: answer.body, asked: "POST /v1/messages")
                guard reason.exit == .missingServer else { throw stopped(chunk, file, reason) }
                retryAfter = answer.headers["retry-after"].first
                if !attempts.note(answer.body) { attempts.isUncertain = true }
            case .failure(let error as ServerError):
                if case .unreachable = error {
                    // Nobody there from the beginning: a wrong address is told at once.
                    if !hasReached { throw error }
                } else {
                    attempts.isUncertain = true
                }
                reason = error.failure
            case .failure(let error): throw error
            }
            guard let wait = repeats.next(retryAfter: retryAfter, jitter: Double.random(in: 0...1)) else { throw stopped(chunk, file, reason) }
            try await Task.sleep(for: wait)
        }
    }

    private func post(_ chunk: LineChunker.Chunk) async -> Result<MeshlogServer.Answer, any Error> {
        do {
            return .success(try await server.post("/v1/messages", chunk.bytes, type: "application/x-ndjson", timeout: .seconds(60)))
        } catch {
            return .failure(error)
        }
    }

    private func stopped(_ chunk: LineChunker.Chunk, _ file: InputFile, _ reason: CommandFailure) -> CommandFailure {
        let first = chunk.numbers.first ?? 1
        let done =
            first > 1
            ? "\(file.name) is published up to line \(first - 1), line \(first) and what follows is not known to be"
            : "nothing of \(file.name) is known to be published"
        return CommandFailure(reason.exit, "\(reason.description). \(done). Run the same command again: lines with an id are not doubled")
    }

    /// A UUIDv7 of now.
    @Sendable private static func freshID() -> MessageUUID {
        MessageUUID.v7(ms: UInt64(Date().timeIntervalSince1970 * 1000), random: (UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max)))
    }
}
