internal import ArgumentParser
internal import Client
internal import Core
internal import WhatIf

struct TemplateBacktestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backtest", abstract: "Try a candidate template on messages that were accepted: who would have been refused, and why.",
        discussion: """
            meshlog templates backtest candidate.json --topic 'orders.>' --since 30d

            Without --topic: the topics that the template is bound to. Reads Redis and PostgreSQL itself: those of the embedded stack that runs in
            .meshlog, else those the flags name. Exit codes: 0 also where messages fail; 2 the file cannot be used.
            """)
    @Argument(help: "YAML or JSON file with the template's document") var file: String
    @OptionGroup var history: HistoryFlags

    func run() async throws {
        let range = try history.range()
        let (place, tools) = try history.place()
        let document = try await PolicyFile.read(file)
        let template: ValidationTemplate
        do throws(Refusal) {
            template = try ValidationTemplate(document, compiler: tools.schemas)
        } catch {
            throw PolicyFile.refuse(error, in: file, json: history.json)
        }
        if range.topics.isEmpty, template.topics.isEmpty { throw CommandFailure(.usage, "the template is bound to no topic; name one with --topic") }
        let answer = try TemplateTrial(TemplateQuestion(template, range), place: place, tools: tools).run(progress: HistoryFlags.show)
        HistoryFlags.endProgress()
        HistoryFlags.note(answer.coverage)
        if history.json { Output.json(answer.json) } else { tell(answer) }
    }

    private func tell(_ answer: TemplateAnswer) {
        let backtest = answer.backtest
        Output.line(HistoryFlags.summary(answer.coverage))
        if let present = answer.present, let compatibility = answer.compatibility {
            Output.line("\(compatibility.word) with version \(present.version) of '\(present.id)', which is in force")
            for finding in compatibility.findings { Output.line("  \(finding.pointer.isEmpty ? "/" : finding.pointer): \(finding.reason)") }
        }
        Output.line("\(Amounts.count(backtest.failing)) of \(Amounts.count(backtest.messages)) messages would have been refused")
        if backtest.failing == 0 { return }
        for (title, counts) in [("SUBJECT", backtest.bySource), ("WHY", backtest.byMessage)] {
            var table = TextTable([.init("MESSAGES", isNumber: true), .init(title)])
            for (name, count) in counts.sorted(by: { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }).prefix(Self.rowsMax) {
                table.add([Amounts.count(count), name.isEmpty ? "(none)" : name])
            }
            Output.line("")
            for line in table.lines(width: Output.width) { Output.line(line) }
        }
        Output.line("")
        var examples = TextTable([.init("EXAMPLE"), .init("TOPIC", widthMax: 40), .init("SUBJECT", widthMax: 24), .init("WHY")])
        for failure in backtest.failures.prefix(Self.rowsMax) {
            let why = failure.violations.first.map { "\($0.pointer) \($0.message)" } ?? ""
            examples.add([failure.position.description, failure.topic, failure.source, why])
        }
        for line in examples.lines(width: Output.width) { Output.line(line) }
    }

    /// Rows of each table; `--json` has all.
    private static let rowsMax = 12
}
