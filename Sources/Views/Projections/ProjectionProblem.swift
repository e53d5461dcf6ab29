internal import HTTPTypes
internal import Projections
internal import Web

/// What is said outward when a projection cannot do what is asked.
enum ProjectionProblem {
    static func problem(_ error: ProjectionError) -> ProblemDocument {
        switch error {
        case .unknown(_, let known):
            ProblemDocument(
                "projection-not-found", status: 404, title: "There is no such projection", detail: error.description,
                members: [("projections", .strings(known))])
        case .invalid(let detail): ParameterFault.problem([ParameterFault(parameter: "request", detail: detail)])
        case .status(let detail): ProblemDocument("projection-status", status: 409, title: "The projection is not in a status for that", detail: detail)
        case .notStarted:
            ProblemDocument(
                "projection-not-started", status: 503, title: "The projection has no rows yet",
                detail: "\(error.description): a process with the role for projections must run. Try again in a second.", headers: [.retryAfter: "1"])
        case .fenced, .archiveBehind:
            ProblemDocument("projection-busy", status: 503, title: "The projection cannot be read now", detail: error.description, headers: [.retryAfter: "1"])
        case .gap:
            ProblemDocument("past-gone", status: 410, title: "That part of the log is gone", detail: error.description)
        case .tooMuch(let detail):
            ProblemDocument("past-too-large", status: 422, title: "That is too much for one answer", detail: detail)
        case .damaged, .refused:
            ProblemDocument(
                "projection-damaged", status: 409, title: "The projection is not what the log gives",
                detail: "\(error.description). `meshlog rebuild NAME --verify` says more.")
        case .log, .database, .archive:
            ProblemDocument(
                "projection-unavailable", status: 503, title: "A store behind the projection does not answer", detail: "/readyz says which.",
                headers: [.retryAfter: "1"])
        }
    }
}
