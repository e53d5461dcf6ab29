internal import Core
internal import HTTPTypes
internal import Web

/// What somebody is told who has waited for the verdict about a message. The message is in the log in any case, and the answer says where.
struct VerdictAnswer {
    let status: Int
    /// The acknowledgement with the verdict, or a problem document.
    let json: [UInt8]
    let isProblem: Bool
    /// `RateLimit-Policy`, `RateLimit`, `Retry-After`.
    let headers: HTTPFields

    /// - Parameters:
    ///   - verdict: nil when there was none within the time.
    ///   - refusal: of a verdict that blocks.
    init(_ uuid: MessageUUID, _ position: Position, duplicate: Bool, _ verdict: VerdictEntry?, _ refusal: PolicyRefusal?) {
        let limits = verdict.flatMap { LimitTouch.list($0.detail.limits) } ?? []
        var headers = VerdictAnswer.headers(limits)
        if let problem = VerdictAnswer.problem(uuid, position, duplicate: duplicate, verdict, refusal) {
            if refusal?.kind == .limited {
                let own = RateLimitHeaders.retryAfter(limits) ?? refusal?.retryAfterMs.map { ($0 + 999) / 1_000 }
                if let own { headers[.retryAfter] = String(max(1, own)) }
            }
            status = problem.statusCode
            json = problem.json
            isProblem = true
        } else {
            status = VerdictAnswer.status(verdict?.outcome, duplicate: duplicate)
            json = VerdictAnswer.acknowledgement(uuid, position, duplicate: duplicate, verdict)
            isProblem = false
        }
        self.headers = headers
    }

    private static func status(_ outcome: Outcome?, duplicate: Bool) -> Int {
        switch outcome {
        case .deliver, .reroute: duplicate ? 200 : 201
        // Taken in, and not yet on its way.
        case .hold, nil: 202
        case .block, .expire: preconditionFailure("a problem document says it")
        }
    }

    private static func acknowledgement(_ uuid: MessageUUID, _ position: Position, duplicate: Bool, _ verdict: VerdictEntry?) -> [UInt8] {
        var out = Answers.acknowledgement(uuid, position, duplicate: duplicate)
        out.removeLast()
        Answers.append(",\"verdict\":", to: &out)
        if let verdict { out.append(contentsOf: verdict.json) } else { Answers.append("null", to: &out) }
        out.append(UInt8(ascii: "}"))
        return out
    }

    /// - Source: draft-ietf-httpapi-ratelimit-headers-11.
    private static func headers(_ limits: [LimitTouch]) -> HTTPFields {
        var headers = HTTPFields()
        let policy = RateLimitHeaders.policy(limits)
        if !policy.isEmpty {
            headers[.rateLimitPolicy] = policy
            headers[.rateLimit] = RateLimitHeaders.remaining(limits)
        }
        return headers
    }

    // MARK: Problems

    /// Nil when the message goes on, or waits.
    private static func problem(
        _ uuid: MessageUUID, _ position: Position, duplicate: Bool, _ verdict: VerdictEntry?, _ refusal: PolicyRefusal?
    ) -> ProblemDocument? {
        guard let verdict, verdict.outcome == .block || verdict.outcome == .expire else { return nil }
        let place = "The message is in the log at \(position) and is not delivered"
        let instance = "/v1/messages/\(uuid)"
        var members: [(name: String, value: ProblemDocument.Member)] = [
            ("message_uuid", .string(uuid.description)), ("position", .string(position.description)), ("duplicate", .boolean(duplicate)),
            ("rule", .string(verdict.rule)), ("policy_revision", .string(verdict.policyRevision)),
        ]
        guard let refusal else {
            return ProblemDocument(
                "message-expired", status: 410, title: "The message's time was up before it was let through",
                detail: text(verdict.reason, "\(place)."), instance: instance, members: members)
        }
        if let wouldPass = refusal.wouldPass { members.append(("would_pass", .string(wouldPass))) }
        if let retryAfterMs = refusal.retryAfterMs { members.append(("retry_after_ms", .integer(Int(retryAfterMs)))) }
        let (slug, title, advice) = words(refusal.kind)
        return ProblemDocument(
            slug, status: refusal.status, title: title, detail: text(verdict.reason, "\(place); \(advice)"), instance: instance, members: members)
    }

    /// A repeat under the same id is answered with the same verdict, so each of them says how it goes on.
    private static func words(_ kind: PolicyRefusal.Kind) -> (slug: String, title: String, advice: String) {
        switch kind {
        case .forbidden: ("message-forbidden", "A rule of the policy forbids the message", "a corrected one needs a new message_uuid.")
        case .limited: ("message-limited", "A limit of the policy is exceeded", "after retry_after_ms send it again as a new message, with a new message_uuid.")
        case .error:
            (
                "policy-error", "A rule of the policy could not be evaluated",
                "whoever keeps the rule has to mend it; then send it again with a new message_uuid."
            )
        }
    }

    private static func text(_ reason: String, _ rest: String) -> String { reason.isEmpty ? rest : "\(reason). \(rest)" }
}

extension HTTPField.Name {
    static let rateLimit = HTTPField.Name("RateLimit")!
    static let rateLimitPolicy = HTTPField.Name("RateLimit-Policy")!
    static let prefer = HTTPField.Name("Prefer")!
    static let preferenceApplied = HTTPField.Name("Preference-Applied")!
}
