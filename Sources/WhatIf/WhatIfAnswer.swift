package import Core

/// What another policy, or the one that was in force, says about a range of the log.
package struct WhatIfAnswer: Sendable {
    /// `logged`, `merge` or `replace`.
    package let word: String
    package let coverage: HistoryCoverage
    /// Revisions of `control` that the messages were decided with.
    package let revisions: ClosedRange<Position>?
    /// From where on verdicts were read to know how the limits stood at the beginning; nil when none had to.
    package let limitsFrom: Position?
    /// Constraints that should have been taken away, and were in force at no revision of the range.
    package let unknown: [String]
    package let report: WhatIfReport

    /// The report's members with those of `HistoryCoverage` and `policy`, `first_revision`, `last_revision`, `limits_from` before them.
    package var json: [UInt8] {
        var object = JSONObject()
        object.add("policy", word)
        coverage.add(to: &object)
        if let revisions {
            object.add("first_revision", revisions.lowerBound.description)
            object.add("last_revision", revisions.upperBound.description)
        } else {
            object.addNull("first_revision")
            object.addNull("last_revision")
        }
        if let limitsFrom { object.add("limits_from", limitsFrom.description) } else { object.addNull("limits_from") }
        object.add("report", raw: report.json)
        return object.finish()
    }
}
