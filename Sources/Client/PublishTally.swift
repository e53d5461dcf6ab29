package import Core

/// One line that was not taken, and why.
package struct RefusedLine: Sendable, Equatable {
    package let file: String
    package let line: Int
    /// What is wrong, in one line.
    package let reason: String
    /// The server's problem document as JSON.
    package let problem: String

    package init(file: String, line: Int, reason: String, problem: String) {
        self.file = file
        self.line = line
        self.reason = reason
        self.problem = problem
    }
}

/// Exact counts of what became of the lines.
package struct PublishTally: Sendable, Equatable {
    package private(set) var lines = 0
    package private(set) var accepted = 0
    package private(set) var duplicates = 0
    package private(set) var refused = 0
    /// Lines found in the log when they were repeated because an answer had been lost: appended by this run's lost request, or before.
    package private(set) var recovered = 0
    /// Lines that were given an id on the way.
    package private(set) var named = 0
    package private(set) var first: Position?
    package private(set) var last: Position?
    package private(set) var refusals: [RefusedLine] = []

    package init() {}

    /// What earlier attempts at a chunk have done.
    package struct Attempts: Sendable, Equatable {
        /// Lines that an answered but incomplete attempt says it appended; the repeat sees them as duplicates.
        package var accepted = 0
        /// An attempt's answer was lost.
        package var isUncertain = false

        package init() {}

        /// Takes in an incomplete answer (503 with counts); false when it has no counts.
        package mutating func note(_ answer: [UInt8]) -> Bool {
            guard let summary = JSONSlice(answer), let accepted = summary["accepted"]?.int else { return false }
            self.accepted += accepted
            return true
        }
    }

    /// Counts a chunk by the server's answer to it.
    ///
    /// - Returns: false when the answer is no summary, or does not account for every line that was sent.
    package mutating func count(_ chunk: LineChunker.Chunk, answer: [UInt8], file: String, after attempts: Attempts = Attempts()) -> Bool {
        guard let summary = JSONSlice(answer), let accepted = summary["accepted"]?.int, let duplicates = summary["duplicates"]?.int,
            let refused = summary["refused"]?.int, accepted + duplicates + refused == chunk.numbers.count
        else { return false }
        let ours = min(attempts.accepted, duplicates)
        self.accepted += accepted + ours
        if attempts.isUncertain { recovered += duplicates - ours } else { self.duplicates += duplicates - ours }
        self.refused += refused
        lines += chunk.numbers.count
        named += chunk.named
        // A repeat of an earlier message has its first position, which may lie far back.
        if let first = summary["first_position"]?.string.flatMap({ Position($0) }) { self.first = min(self.first ?? first, first) }
        if let last = summary["last_position"]?.string.flatMap({ Position($0) }) { self.last = max(self.last ?? last, last) }
        for refusal in summary["refusals"]?.elements ?? [] {
            guard let index = refusal["line"]?.int, chunk.numbers.indices.contains(index - 1), let problem = refusal["problem"] else { continue }
            keep(RefusedLine(file: file, line: chunk.numbers[index - 1], reason: PublishTally.reason(problem), problem: problem.text))
        }
        return true
    }

    /// Counts lines that are too large to be sent.
    package mutating func refuse(_ oversized: [LineChunker.LineSize], file: String) {
        for line in oversized {
            let detail = "the message has \(line.bytes) bytes, at most \(Limits.messageBytesMax) are allowed"
            var problem = JSONObject()
            problem.add("type", "urn:meshlog:problem:message-too-large")
            problem.add("title", "The message is too large")
            problem.add("status", 413)
            problem.add("detail", detail)
            keep(RefusedLine(file: file, line: line.line, reason: detail, problem: String(decoding: problem.finish(), as: UTF8.self)))
        }
        lines += oversized.count
        refused += oversized.count
    }

    /// Puts the refusals of one chunk, those behind the first `known`, into the order of their lines.
    package mutating func sortRefusals(from known: Int) {
        refusals[known...].sort { $0.line < $1.line }
    }

    private mutating func keep(_ refusal: RefusedLine) {
        if refusals.count < ClientLimits.refusalsKeptMax { refusals.append(refusal) }
    }

    /// Every violation of a problem document, else its detail or title.
    private static func reason(_ problem: JSONSlice) -> String {
        let violations = (problem["violations"]?.elements ?? []).map { violation -> String in
            let pointer = violation["pointer"]?.string ?? ""
            let detail = violation["detail"]?.string ?? ""
            return pointer.isEmpty ? detail : "\(pointer): \(detail)"
        }
        if !violations.isEmpty { return violations.joined(separator: "; ") }
        return problem["detail"]?.string ?? problem["title"]?.string ?? "refused"
    }

    /// The counts as one JSON object.
    package func json(elapsed: Duration) -> [UInt8] {
        var object = JSONObject()
        object.add("lines", lines)
        object.add("accepted", accepted)
        object.add("duplicates", duplicates)
        object.add("recovered", recovered)
        object.add("refused", refused)
        object.add("ids_assigned", named)
        if let first { object.add("first_position", first.description) }
        if let last { object.add("last_position", last.description) }
        object.add("milliseconds", Int(elapsed / .milliseconds(1)))
        let list = refusals.map { refusal in
            var one = JSONObject()
            one.add("file", refusal.file)
            one.add("line", refusal.line)
            one.add("problem", raw: refusal.problem.utf8)
            return one.finish()
        }
        object.add("refusals", raw: Array("[".utf8) + Array(list.joined(separator: Array(",".utf8))) + Array("]".utf8))
        return object.finish()
    }
}
