/// What is known about one message on its way through the constraints.
struct PolicyPass {
    let message: MessageEntry
    let position: Position
    let context: PolicyContext
    /// The budget is used up and errors do not block: nothing further can be evaluated.
    var isExhausted = false
    /// The latest time up to which a limit delays the message, µs, and which one.
    var delayedUntil: Int64?
    var delayedBy = ""
    var delayReason = ""
    /// The earliest time at which a limit that withholds a recipient would let a message pass.
    var receptionRetryAt: Int64?
    /// Limits that the message has come by: in force, and shadows, which so take no place from the others.
    private var limits = (enforced: 0, shadow: 0)
    /// Constraints that let the message go before: it was held, and stands in the log again.
    let passed: Set<String>
    private var onErrorRead: PolicyOnError?

    init(message: MessageEntry, position: Position, context: PolicyContext) {
        self.message = message
        self.position = position
        self.context = context
        passed = message.isReleased ? Set(Release(message.slice(.release))?.passed ?? []) : []
    }

    var now: Int64 { position.microseconds }

    /// The message comes by one more limit, whose state will stand in the verdict.
    mutating func countLimit(isShadow: Bool) throws(PolicyFault) {
        let count = isShadow ? limits.shadow : limits.enforced
        guard count < Limits.verdictLimitsMax else { throw PolicyFault("the message has come by \(count) limits, more are not possible") }
        if isShadow { limits.shadow += 1 } else { limits.enforced += 1 }
    }

    /// Looked up when there is an error, and only then.
    var onError: PolicyOnError {
        mutating get {
            if let onErrorRead { return onErrorRead }
            let read = context.onError(topic: message.string(.topic), source: message.string(.source))
            onErrorRead = read
            return read
        }
    }
}

/// Why a constraint could not be evaluated.
struct PolicyFault: Error {
    let detail: String
    var isExhausted = false

    init(_ detail: String) { self.detail = detail }

    init(_ error: CELError, in source: String) {
        if case .costExceeded = error.reason {
            detail = "the rules cost more than \(Limits.policyCostMax) units for this message"
            isExhausted = true
            return
        }
        let fault = CELFault(source, [CELFinding(offset: error.offset, message: error.detail, suggestion: nil)])
        let place = fault.place(of: fault.findings[0])
        detail = "\(place.line):\(place.column): \(error.detail)"
    }
}
