internal import Client
internal import Core
internal import WhatIf

/// A what-if's answer for people: what flips from what to what, for whom, on which topics, with examples.
struct WhatIfTables {
    private let answer: WhatIfAnswer

    init(_ answer: WhatIfAnswer) { self.answer = answer }

    /// Rows of each table; `--json` has all.
    private static let rowsMax = 12

    func show() {
        let report = answer.report
        Output.line(HistoryFlags.summary(answer.coverage))
        Output.line(
            "\(Amounts.count(report.flips)) of \(Amounts.count(report.messages)) verdicts would change\(report.differences > report.flips ? ", \(Amounts.count(report.differences - report.flips)) more in details only" : "")"
        )
        if report.flips == 0 { return }
        Output.line("")
        var groups = TextTable([.init("FROM", widthMax: 48), .init("TO", widthMax: 48), .init("COUNT", isNumber: true)])
        for (change, group) in report.sorted.prefix(Self.rowsMax) { groups.add([side(change.from), side(change.to), Amounts.count(group.count)]) }
        show(groups)
        show(counts("SUBJECT", report.bySubject))
        show(counts("TOPIC", report.byTopic))
        var examples = TextTable([.init("EXAMPLE"), .init("TO", widthMax: 32), .init("TOPIC", widthMax: 40), .init("SUBJECT", widthMax: 24), .init("REASON")])
        for (change, group) in report.sorted.prefix(Self.rowsMax) {
            for example in group.examples.prefix(2) {
                examples.add([example.position.description, change.to.outcome.rawValue, example.topic, example.source, example.reason])
            }
        }
        for line in examples.lines(width: Output.width) { Output.line(line) }
        if report.beyond > 0 { Output.note("\(Amounts.count(report.beyond)) flips found no room in the tables; narrow the range or the topics") }
    }

    /// `block by no-secrets`
    private func side(_ side: WhatIfReport.Side) -> String {
        side.rule == PolicyDecision.noRule ? side.outcome.rawValue : "\(side.outcome.rawValue) by \(side.rule)"
    }

    private func counts(_ title: String, _ counts: [String: Int]) -> TextTable {
        var table = TextTable([.init(title, widthMax: 60), .init("FLIPS", isNumber: true)])
        let sorted = counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
        for (name, count) in sorted.prefix(Self.rowsMax) { table.add([name.isEmpty ? "(none)" : name, Amounts.count(count)]) }
        if sorted.count > Self.rowsMax { table.add(["and \(Amounts.count(sorted.count - Self.rowsMax)) more", ""]) }
        return table
    }

    private func show(_ table: TextTable) {
        for line in table.lines(width: Output.width) { Output.line(line) }
        Output.line("")
    }
}
