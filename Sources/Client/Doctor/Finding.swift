internal import Core

/// One check of `meshlog doctor`: what was looked at, how it stands, and what that means in words.
package struct Finding: Sendable, Equatable {
    package enum State: String, Sendable, Comparable {
        case ok, warn, fail

        package static func < (a: State, b: State) -> Bool { a.rank < b.rank }
        private var rank: Int { self == .ok ? 0 : self == .warn ? 1 : 2 }
    }
    /// `Redis`, `PostgreSQL`, `NATS`, `Meshlog`, `clock`, `disk`.
    package let area: String
    package let check: String
    package let state: State
    /// What is, and for anything but `ok` what it costs and what to do.
    package let sentence: String

    package init(_ area: String, _ check: String, _ state: State, _ sentence: String) {
        self.area = area
        self.check = check
        self.state = state
        self.sentence = sentence
    }

    /// All findings as one JSON object, with the worst state.
    package static func json(_ findings: [Finding]) -> [UInt8] {
        var object = JSONObject()
        object.add("state", (findings.map(\.state).max() ?? .ok).rawValue)
        let list = findings.map { finding in
            var one = JSONObject()
            one.add("area", finding.area)
            one.add("check", finding.check)
            one.add("state", finding.state.rawValue)
            one.add("sentence", finding.sentence)
            return one.finish()
        }
        object.add("checks", raw: Array("[".utf8) + Array(list.joined(separator: Array(",".utf8))) + Array("]".utf8))
        return object.finish()
    }
}
