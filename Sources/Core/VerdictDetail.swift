/// What the policy noted about a message besides its outcome. Each is compact JSON unless it says otherwise, and empty when there is nothing to tell.
package struct VerdictDetail: Sendable, Equatable {
    /// `[{"rule", "would", "recipient"?, "detail"}]`: what shadow constraints would have done.
    package var shadow: [UInt8] = []
    /// `[LimitTouch]`: limits the message came by, with the state they were left in.
    package var limits: [UInt8] = []
    /// Object: what constraints add for readers of the verdict.
    package var annotations: [UInt8] = []
    /// `[{"recipient", "rule", "reason"}]`.
    package var withheld: [UInt8] = []
    /// `{"on_error": "block" | "deliver", "rules": [{"rule", "detail"}], "open_sessions_max"?}`: rules that could not be evaluated; the last
    /// member stands where a message was blocked since so many others were held.
    package var error: [UInt8] = []
    /// `["name"]`: the recipients, where they are not the message's own.
    package var destinations: [UInt8] = []
    /// `{"timeout_ms"?, "on_expiry", "approvers", "channel"?}`: what a person is asked under.
    package var hold: [UInt8] = []
    /// µs since the epoch: when a delayed message is released; when a message that a limit blocked would pass.
    package var retryAt: [UInt8] = []
    /// SHA-256 over `PolicyInputs.bytes`, in hex: what a person's decision is bound to.
    package var digest: [UInt8] = []

    package init() {}

    /// The names of the fields in the log, in order; they stand behind those of `VerdictEntry.fieldNames`.
    package static let fieldNames: [StaticString] = [
        "shadow", "limits", "annotations", "withheld", "error", "destinations", "hold", "retry_at", "digest",
    ]

    /// Values of the fields, in the order of `fieldNames`.
    package var fieldValues: [[UInt8]] { [shadow, limits, annotations, withheld, error, destinations, hold, retryAt, digest] }

    /// A field that is absent, as in entries written before there was a policy, is empty.
    package init(fields: (StaticString) -> ArraySlice<UInt8>?) {
        func value(_ index: Int) -> [UInt8] { fields(VerdictDetail.fieldNames[index]).map { Array($0) } ?? [] }
        shadow = value(0)
        limits = value(1)
        annotations = value(2)
        withheld = value(3)
        error = value(4)
        destinations = value(5)
        hold = value(6)
        retryAt = value(7)
        digest = value(8)
    }
}
