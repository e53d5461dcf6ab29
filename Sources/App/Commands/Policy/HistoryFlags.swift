internal import ArgumentParser
internal import Client
internal import Core
internal import Foundation
internal import PostgreSQLDriver
internal import Replay
internal import WhatIf

/// Which part of the past a command looks at, and where it lies.
struct HistoryFlags: ParsableArguments {
    @Option(help: "where it begins: a position, a time, or how long ago (30d, 12h, 15m) [the first message there is]") var since: String?
    @Option(help: "where it ends, in the same words [what is decided now]") var until: String?
    @Option(help: "topic, or a pattern: * is one token, > the rest ('tasks.>'); may be repeated") var topic: [String] = []
    @Flag(help: "print the answer as JSON") var json = false
    @OptionGroup var serve: ServeFlags

    func range() throws -> HistoryRange {
        let now = UInt64(Date().timeIntervalSince1970 * 1_000)
        let from = try since.map { try HistoryFlags.bound($0, "--since").first(now: now) } ?? .zero
        let through = try until.map { try HistoryFlags.bound($0, "--until").last(now: now) }
        if let through, through < from { throw CommandFailure(.usage, "--until lies before --since: \(from) to \(through)") }
        for topic in topic where !Subject.isPattern(topic.utf8) {
            throw CommandFailure(.usage, "--topic '\(topic)' is no topic and no pattern such as 'tasks.>'")
        }
        return HistoryRange(from: from, through: through, topics: topic.map { SubjectPattern($0.utf8) })
    }

    private static func bound(_ text: String, _ flag: String) throws -> HistoryBound {
        guard let bound = HistoryBound(text) else { throw CommandFailure(.usage, "\(flag) '\(text)': expected is \(HistoryBound.expectation)") }
        return bound
    }

    /// The servers of the embedded stack that runs in .meshlog, else those that the flags name; and what decisions take from the settings.
    func place() throws -> (place: HistoryPlace, tools: PolicyTools) {
        let settings = try EmbeddedSettings.resolve(serve)
        let url = settings.postgresqlURL
        let place = HistoryPlace(keys: settings.keys, endpoint: settings.redis) { (name: String) throws(PostgreSQLError) in
            try PostgreSQLSession(conninfo: url, applicationName: name)
        }
        return (place, try PolicyTools(defaultTarget: settings.backboneName))
    }

    /// Shows how far it is, on a terminal.
    static func show(_ progress: HistoryProgress) {
        guard Output.isErrorTerminal else { return }
        let rate = Amounts.count(Amounts.rate(progress.messages, in: progress.elapsed))
        let text = "\(Int(progress.share * 100)) %  \(Amounts.count(progress.messages)) messages  \(rate)/s  at \(progress.position)"
        Output.progress(DisplayText.cut(text, to: Output.errorWidth - 1))
    }

    static func endProgress() { if Output.isErrorTerminal { Output.progress("") } }

    /// `4,092 messages from … to …, 31,000/s`
    static func summary(_ coverage: HistoryCoverage) -> String {
        guard let first = coverage.first, let last = coverage.last else { return "nothing was decided from \(coverage.from) to \(coverage.through)" }
        return "\(Amounts.count(coverage.messages)) messages from \(first) to \(last), \(Amounts.count(coverage.rate))/s"
    }

    /// What of the range is gone.
    static func note(_ coverage: HistoryCoverage) {
        if let begins = coverage.begins { Output.note("older messages are neither in the log nor in the archive any more; the first one left is \(begins)") }
    }
}
