internal import ArgumentParser
internal import Client
internal import Core
internal import Foundation
internal import NIOCore

struct Publish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Publish messages from files, standard input or the command line.",
        discussion: """
            meshlog publish messages.ndjson                      one JSON message a line
            meshlog publish monday.ndjson tuesday.ndjson
            zcat old.ndjson.gz | meshlog publish -
            meshlog publish --topic internal.updates --data '{"hello": 1}'
            meshlog publish --assign-ids lines-without-ids.ndjson

            A line is a message such as {"topic": "tasks.1", "source_subject_id": "planner", "data": {"n": 1}}.
            Lines are sent in their order, those of standard input or a pipe as they come. When Meshlog is busy or the connection breaks they are \
            sent again, and nothing is doubled: a line's message_uuid is recognised for the server's dedupe window (24 h by default). So a run that \
            was interrupted is resumed by the same command.

            A line without message_uuid gets a new one for this run; publishing the file once more would append it once more. With --assign-ids its \
            id is made from the file: a UUIDv8 of SHA-256 over the file's name (without folder; '-' for standard input), the line's number and the \
            line's bytes, so that every run gives the same ids as long as the file keeps its name and its lines their places.

            Lines that are refused are listed with their numbers and all reasons; the others are published.
            Exit codes: 0 all lines are in the log, 2 some were refused, or a file cannot be read, 69 Meshlog is not there or stays busy, 1 anything else.
            """)
    @Argument(
        help: ArgumentHelp("files of newline-delimited JSON; - is standard input", valueName: "file"), completion: .file(extensions: ["ndjson", "jsonl"]))
    var files: [String] = []
    @OptionGroup var client: ClientFlags
    @Flag(name: .customLong("assign-ids"), help: "make ids for lines without message_uuid from the file, the same in every run") var assignIDs = false
    @Option(help: "seconds to go on trying while Meshlog is away or busy") var retryFor = 60
    @Option(help: ArgumentHelp("publish one message on this topic", valueName: "topic")) var topic: String?
    @Option(help: ArgumentHelp("its content", valueName: "json")) var data: String?
    @Option(help: "its sender") var source: String?
    @Option(help: "its recipient; may be repeated") var destination: [String] = []
    @Option(help: "its type") var type: String?
    @Option(help: "its message_uuid") var id: String?
    @Flag(help: "print the result as JSON") var json = false

    func validate() throws {
        let single = topic != nil || data != nil || source != nil || !destination.isEmpty || type != nil || id != nil
        if single, !files.isEmpty { throw ValidationError("--topic, --data and their like make one message; files hold their own. Use one of the two.") }
        if single, topic == nil { throw ValidationError("a message needs --topic, such as --topic internal.updates") }
        if !single, files.isEmpty { throw ValidationError("name a file, - for standard input, or --topic and --data for a single message") }
        if files.filter({ $0 == "-" }).count > 1 { throw ValidationError("standard input can be read once") }
        if retryFor < 0 { throw ValidationError("--retry-for is a number of seconds") }
    }

    func run() async throws {
        let url = try client.resolve()
        try await MeshlogServer.use(url) { server in
            if topic == nil { try await publishFiles(server) } else { try await publishOne(server) }
        }
    }

    // MARK: One message

    private func publishOne(_ server: MeshlogServer) async throws {
        let answer = try await server.post("/v1/messages", try message(), type: "application/json", timeout: .seconds(30))
        guard answer.status == 200 || answer.status == 201, let result = JSONSlice(answer.body) else {
            if json { Output.json(answer.body) }
            throw CommandFailure(status: answer.status, body: answer.body, asked: "POST /v1/messages")
        }
        if json { return Output.json(answer.body) }
        let place = "\(result["message_uuid"]?.plain ?? "") at \(result["position"]?.plain ?? "")"
        Output.line(result["duplicate"]?.bool == true ? "was published before: \(place)" : "published \(place)")
    }

    private func message() throws -> [UInt8] {
        var object = JSONObject()
        if let id { object.add("message_uuid", id) }
        object.add("topic", topic ?? "")
        if let source { object.add("source_subject_id", source) }
        if !destination.isEmpty {
            var list: [UInt8] = [UInt8(ascii: "[")]
            for (index, name) in destination.enumerated() {
                if index > 0 { list.append(UInt8(ascii: ",")) }
                JSONText.append(name, to: &list)
            }
            object.add("destination_subject_ids", raw: list + [UInt8(ascii: "]")])
        }
        if let type { object.add("message_type", type) }
        if let data {
            let bytes = Array(data.utf8)
            do throws(JSONFault) {
                try JSONScanner.validate(bytes.span)
            } catch {
                throw CommandFailure(.refused, "--data is no JSON: \(error.detail). Text is written in double quotes: --data '\"hello\"'")
            }
            object.add("data", raw: bytes)
        }
        return object.finish()
    }

    // MARK: Files

    private func publishFiles(_ server: MeshlogServer) async throws {
        let inputs = try files.map { try InputFile($0) }
        let start = ContinuousClock.now
        let total = inputs.reduce(Int?.some(0)) { sum, file in sum.flatMap { sum in file.bytesTotal.map { sum + $0 } } }
        let meter = PublishMeter(bytesTotal: total)
        var publisher = Publisher(server: server, giveUpAfter: .seconds(retryFor), assignsIDs: assignIDs) { tally, bytes in meter.show(tally, bytes) }
        do {
            for input in inputs { try await publisher.publish(input) }
        } catch {
            meter.end()
            if publisher.tally.lines > 0 { report(publisher.tally, ContinuousClock.now - start) }
            throw error
        }
        meter.end()
        report(publisher.tally, ContinuousClock.now - start)
        if publisher.tally.refused > 0 {
            throw CommandFailure(.refused, "\(Amounts.count(publisher.tally.refused)) of \(Amounts.count(publisher.tally.lines)) lines were refused")
        }
    }

    private func report(_ tally: PublishTally, _ elapsed: Duration) {
        if json { return Output.json(tally.json(elapsed: elapsed)) }
        for refusal in tally.refusals.prefix(ClientLimits.refusalsListedMax) {
            Output.note("refused \(refusal.file):\(refusal.line): \(DisplayText.cut(DisplayText.line(refusal.reason), to: 400))")
        }
        let more = tally.refused - min(tally.refusals.count, ClientLimits.refusalsListedMax)
        if more > 0 { Output.note("refused: \(Amounts.count(more)) more; --json lists them") }
        var counts = ["accepted \(Amounts.count(tally.accepted))", "duplicates \(Amounts.count(tally.duplicates))", "refused \(Amounts.count(tally.refused))"]
        if tally.recovered > 0 { counts.append("recovered \(Amounts.count(tally.recovered)) (in the log when they were repeated behind a lost answer)") }
        Output.line("\(Amounts.count(tally.lines)) lines in \(Amounts.time(elapsed)): \(counts.joined(separator: ", "))")
        if let first = tally.first, let last = tally.last { Output.line("positions \(first) to \(last)") }
        if tally.named > 0, !assignIDs {
            Output.note("\(Amounts.count(tally.named)) lines had no message_uuid: publishing them again appends them again, unless you use --assign-ids")
        }
    }
}

/// Shows how far the publishing is: a bar on a terminal, a line now and then elsewhere.
private final class PublishMeter {
    private var line: ProgressLine
    private let isTerminal = Output.isErrorTerminal
    private let start = ContinuousClock.now
    private var shown = ContinuousClock.now
    private var isShowing = false

    init(bytesTotal: Int?) { line = ProgressLine(bytesTotal: bytesTotal) }

    func show(_ tally: PublishTally, _ bytes: Int) {
        line.lines = tally.lines
        line.bytes = bytes
        let now = ContinuousClock.now
        guard now - shown >= (isTerminal ? .milliseconds(100) : .seconds(5)) else { return }
        shown = now
        isShowing = isTerminal
        if isTerminal {
            Output.progress(line.text(elapsed: now - start, width: Output.errorWidth - 1))
        } else {
            Output.note(line.text(elapsed: now - start, width: 120))
        }
    }

    func end() { if isShowing { Output.progress("") } }
}
