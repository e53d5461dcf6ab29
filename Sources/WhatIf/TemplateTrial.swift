internal import Control
package import Core
package import Log
internal import RedisDriver
package import Replay

/// What is asked about a template: which of the messages that were accepted would it refuse?
package struct TemplateQuestion: Sendable {
    package let template: ValidationTemplate
    /// With the topics that are tried: those of the question, else those that the template is bound to.
    package let range: HistoryRange

    /// Reads `{"template": document, "topics"?: [patterns], "since"?, "until"?}`.
    ///
    /// - Parameter now: milliseconds since the epoch.
    /// - Throws: everything that is wrong, with JSON Pointers.
    package init(_ root: JSONNode, schemas: SchemaCompiler, now: UInt64) throws(Refusal) {
        var reader = QuestionReader(root, ["template", "topics", "since", "until"])
        let range = reader.range(now: now)
        var read: ValidationTemplate?
        if let document = root["template"] {
            do throws(Refusal) {
                read = try ValidationTemplate(document, at: "/template", compiler: schemas)
            } catch {
                for violation in error.violations { reader.refusal.add(violation.code, violation.pointer, violation.detail) }
            }
        } else {
            reader.refusal.add(.missing, "/template", "the candidate's document is needed, as PUT /v1/templates/{template_id} takes it")
        }
        if let read, read.topics.isEmpty, range.topics.isEmpty {
            reader.refusal.add(.missing, "/topics", "topics are needed: the template is bound to none")
        }
        guard reader.refusal.isEmpty, let read else { throw reader.refusal }
        self.init(read, range)
    }

    /// - Parameter range: without topics: those that the template is bound to.
    package init(_ template: ValidationTemplate, _ range: HistoryRange) {
        self.template = template
        self.range = HistoryRange(from: range.from, through: range.through, topics: range.topics.isEmpty ? template.topics : range.topics)
    }
}

/// The result of a trial.
package struct TemplateAnswer: Sendable {
    package let coverage: HistoryCoverage
    package let backtest: TemplateBacktest
    /// The template of the same id that is in force.
    package let present: ValidationTemplate?

    /// Whether all that the present template lets pass would pass; nil without one.
    package var compatibility: Compatibility? { present.map { backtest.template.compatibility(with: $0) } }

    /// Members of `HistoryCoverage`, `compatibility` (with the template in force; null without one) and `backtest`.
    package var json: [UInt8] {
        var object = JSONObject()
        coverage.add(to: &object)
        if let present, let compatibility {
            object.add("compatibility", raw: Self.json(compatibility, present.version))
        } else {
            object.addNull("compatibility")
        }
        object.add("backtest", raw: backtest.json)
        return object.finish()
    }

    private static func json(_ compatibility: Compatibility, _ version: Int64) -> [UInt8] {
        var object = JSONObject()
        object.add("with_version", Int(version))
        object.add("result", compatibility.word)
        var list: [UInt8] = [UInt8(ascii: "[")]
        for finding in compatibility.findings {
            if list.count > 1 { list.append(UInt8(ascii: ",")) }
            var inner = JSONObject()
            inner.add("pointer", finding.pointer)
            inner.add("reason", finding.reason)
            list.append(contentsOf: inner.finish())
        }
        object.add("findings", raw: list + [UInt8(ascii: "]")])
        return object.finish()
    }
}

extension Compatibility {
    package var word: String {
        switch self {
        case .compatible: "compatible"
        case .incompatible: "incompatible"
        case .undecided: "undecided"
        }
    }

    package var findings: [Finding] {
        switch self {
        case .compatible: []
        case .incompatible(let findings), .undecided(let findings): findings
        }
    }
}

/// Tries a template on the messages of a range. Blocking.
///
/// - Bounds: `HistoryLimits`; memory for one chunk of messages.
package struct TemplateTrial: Sendable {
    private let question: TemplateQuestion
    private let place: HistoryPlace
    private let tools: PolicyTools
    private let limits: HistoryLimits

    package init(_ question: TemplateQuestion, place: HistoryPlace, tools: PolicyTools, limits: HistoryLimits = .none) {
        self.question = question
        self.place = place
        self.tools = tools
        self.limits = limits
    }

    package func run(stop: StopSignal = StopSignal(), progress: @escaping (HistoryProgress) -> Void = { _ in }) throws(HistoryError) -> TemplateAnswer {
        let session = try place.session("backtest")
        let present = try present(session)
        var backtest = TemplateBacktest(question.template, topics: question.range.topics)
        let coverage = try HistoryWalk(place: place, session: session, limits: limits, stop: stop, progress: progress)
            .go(over: question.range, reading: question.range.topics, archive: ArchiveConnection(place, name: "meshlog-backtest")) {
                (one) throws(HistoryError) in
                // A released message came in long before; it passes no door again.
                if !one.message.isReleased { backtest.step(one.message, at: one.position) }
            }
        return TemplateAnswer(coverage: coverage, backtest: backtest, present: present)
    }

    /// The template in force.
    private func present(_ session: RedisSession) throws(HistoryError) -> ValidationTemplate? {
        var state = ControlState()
        do throws(RedisError) { try ControlReader(keys: place.keys).fold(into: &state, session) } catch { throw .log(error) }
        guard let row = state.row(.template, question.template.id), let root = try? JSONDocument(row.document).root else { return nil }
        return try? ValidationTemplate(root, compiler: tools.schemas)
    }
}
