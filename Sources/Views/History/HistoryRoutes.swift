internal import Core
internal import Foundation
internal import Hummingbird
internal import Log
internal import Projections
internal import Replay
internal import ServiceLifecycle
internal import Web
internal import WhatIf

/// Questions about what would have been: another policy, or another template, over the messages of the log.
///
/// - Bounds: `HistoryLimits.request`; what is left is told with `next`. A request runs on a thread for questions about the past, and ends soon
///   after its client has gone or the process is told to stop.
struct HistoryRoutes: Sendable {
    let folds: BlockingPool<ProjectionPlace>
    let tools: PolicyTools

    func add(to router: Router<some RequestContext>) {
        router.post("/v1/what-if") { request, _ in try await whatIf(request) }
        router.post("/v1/templates/backtest") { request, _ in try await backtest(request) }
    }

    private func whatIf(_ request: Request) async throws -> Response {
        let question: WhatIfQuestion = try await read(request, "what-if") { root throws(Refusal) in
            try WhatIfQuestion(root, compiler: tools.compiler, now: HistoryRoutes.now)
        }
        let answer = try await answer { [tools] place, stop throws(HistoryError) in
            try WhatIfRun(question, place: place, tools: tools, limits: .request).run(stop: stop)
        }
        return ViewAnswer.json(answer.json, position: answer.coverage.last)
    }

    private func backtest(_ request: Request) async throws -> Response {
        let question: TemplateQuestion = try await read(request, "backtest") { root throws(Refusal) in
            try TemplateQuestion(root, schemas: tools.schemas, now: HistoryRoutes.now)
        }
        let answer = try await answer { [tools] place, stop throws(HistoryError) in
            try TemplateTrial(question, place: place, tools: tools, limits: .request).run(stop: stop)
        }
        return ViewAnswer.json(answer.json, position: answer.coverage.last)
    }

    private static var now: UInt64 { UInt64(Date().timeIntervalSince1970 * 1_000) }

    /// - Throws: what is wrong with the body, all of it.
    private func read<Question>(_ request: Request, _ noun: String, _ make: (JSONNode) throws(Refusal) -> Question) async throws -> Question {
        try QueryReader(request.uri.query ?? "").finish()
        let body = try await DocumentBody.read(request, .document, bytesMax: Limits.historyBodyBytesMax)
        let root = try DocumentBody.object(body, noun)
        do throws(Refusal) { return try make(root) } catch { throw ControlProblem.refused(error, noun) }
    }

    private func answer<Answer: Sendable>(_ body: @escaping @Sendable (HistoryPlace, StopSignal) throws(HistoryError) -> Answer) async throws -> Answer {
        let stop = StopSignal()
        let result: Result<Answer, HistoryError>
        do {
            result = try await withTaskCancellationOrGracefulShutdownHandler {
                try await folds.run { place in
                    do throws(HistoryError) {
                        return .success(try body(HistoryPlace(keys: place.keys, endpoint: place.endpoint, connect: place.connect), stop))
                    } catch {
                        return .failure(error)
                    }
                }
            } onCancelOrGracefulShutdown: {
                stop.request()
            }
        } catch LogError.overloaded {
            throw ProblemDocument(
                "overloaded", status: 503, title: "Too many questions about the past are waiting", detail: "Nothing was read. Try again in a second.",
                headers: [.retryAfter: "1"])
        }
        switch result {
        case .success(let answer): return answer
        case .failure(let error): throw HistoryRoutes.problem(error)
        }
    }

    /// - Returns: what is said outward; what is a fault of ours stays the error it is.
    private static func problem(_ error: HistoryError) -> any Error {
        switch error {
        case .gap: return ProblemDocument("past-gone", status: 410, title: "That part of the log is gone", detail: error.description)
        case .tooMuch(let detail): return ProblemDocument("past-too-large", status: 422, title: "That is too much for one answer", detail: detail)
        case .archiveBehind:
            return ProblemDocument(
                "archive-behind", status: 503, title: "The archive has not caught up", detail: error.description, headers: [.retryAfter: "1"])
        case .log, .archive:
            guard error.isRetryable else { return error }
            return ProblemDocument(
                "past-unavailable", status: 503, title: "The log or the archive does not answer", detail: "/readyz says which.", headers: [.retryAfter: "1"])
        case .undecided: return error
        }
    }
}
