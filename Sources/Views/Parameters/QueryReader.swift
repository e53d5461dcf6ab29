internal import Core
internal import Web

/// Reads the parameters of a query string and gathers everything that is wrong with them.
///
/// Ask for each known parameter, then `finish`: what was not asked for is unknown.
struct QueryReader {
    private var values: [(name: String, value: String)] = []
    private var asked: [String] = []
    private(set) var faults: [ParameterFault] = []

    /// - Parameter query: what stands behind the `?`, as it came.
    init(_ query: String) {
        for part in query.split(separator: "&", omittingEmptySubsequences: true) {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentText.decode(halves[0], plusIsSpace: true) else {
                faults.append(ParameterFault(parameter: "?", detail: "a name is not percent-encoded UTF-8"))
                continue
            }
            guard let value = PercentText.decode(halves.count > 1 ? halves[1] : "", plusIsSpace: true) else {
                faults.append(ParameterFault(parameter: name, detail: "the value is not percent-encoded UTF-8"))
                asked.append(name)
                continue
            }
            if values.contains(where: { $0.name == name }) {
                faults.append(ParameterFault(parameter: name, detail: "it stands twice; give one value"))
            } else {
                values.append((name, value))
            }
        }
    }

    /// The value as it is; nil when the parameter is not there.
    mutating func text(_ name: String) -> String? {
        asked.append(name)
        return values.first { $0.name == name }?.value
    }

    /// The parameters that nobody has asked for yet, with the names that were; `finish` then knows no others.
    mutating func rest() -> (values: [(name: String, value: String)], known: [String]) {
        let known = Set(asked).sorted()
        let rest = values.filter { !asked.contains($0.name) }
        asked += rest.map(\.name)
        return (rest, known)
    }

    mutating func fault(_ name: String, _ detail: String) { faults.append(ParameterFault(parameter: name, detail: detail)) }

    /// - Throws: 400 that names all faults.
    consuming func finish() throws(ProblemDocument) {
        let known = Set(asked).sorted().joined(separator: ", ")
        for (name, _) in values where !asked.contains(name) {
            fault(name, known.isEmpty ? "this route takes no parameters" : "no such parameter; known are \(known)")
        }
        guard faults.isEmpty else { throw ParameterFault.problem(faults) }
    }

    // MARK: Kinds

    /// A name of a subject or a type.
    mutating func name(_ parameter: String) -> String? {
        guard let text = text(parameter) else { return nil }
        if let detail = QueryReader.nameFault(text) {
            fault(parameter, detail)
            return nil
        }
        return text
    }

    /// Why a text names nothing that can be in the log; nil when it does.
    static func nameFault(_ text: String) -> String? {
        if text.isEmpty { return "it is empty; leave it out instead" }
        if text.unicodeScalars.count > ViewLimits.nameCharactersMax { return "it has more than \(ViewLimits.nameCharactersMax) characters" }
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "it holds a control character" }
        return nil
    }

    /// A NATS subject pattern.
    mutating func topic(_ parameter: String) -> String? {
        guard let text = text(parameter) else { return nil }
        guard text.unicodeScalars.count <= Limits.topicBytesMax, Subject.isPattern(text.utf8) else {
            fault(parameter, "not a topic or a pattern such as orders.*.created or orders.>, of at most \(Limits.topicBytesMax) characters")
            return nil
        }
        return text
    }

    mutating func integer(_ parameter: String, in range: ClosedRange<Int>, default: Int) -> Int {
        guard let text = text(parameter) else { return `default` }
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = Int(text), range.contains(value) else {
            fault(parameter, "not a whole number from \(range.lowerBound) to \(range.upperBound)")
            return `default`
        }
        return value
    }

    /// One of the raw values of `T`.
    mutating func choice<T: RawRepresentable & CaseIterable>(_ parameter: String, of type: T.Type) -> T? where T.RawValue == String {
        guard let text = text(parameter) else { return nil }
        guard let value = T(rawValue: text) else {
            fault(parameter, "none of \(T.allCases.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return value
    }

    mutating func flag(_ parameter: String) -> Bool {
        switch text(parameter) {
        case nil, "false": return false
        case "true": return true
        default:
            fault(parameter, "neither true nor false")
            return false
        }
    }

    /// A time as µs since the epoch: RFC 3339, or an epoch number in s, ms, µs or ns.
    mutating func time(_ parameter: String) -> Int64? {
        guard let text = text(parameter) else { return nil }
        guard let value = QueryReader.time(text) else {
            fault(parameter, "not an RFC 3339 time such as 2026-01-31T12:00:00Z, nor an epoch number in s, ms, µs or ns from 1971 on")
            return nil
        }
        return value
    }

    static func time(_ text: String) -> Int64? {
        if let epoch = Timestamp.fromEpoch(Array(text.utf8).span) { return epoch }
        var bytes = Array(text.utf8)
        // An offset's plus that came unencoded has become a space.
        if let space = bytes.lastIndex(of: 0x20), space >= 19 { bytes[space] = UInt8(ascii: "+") }
        return Timestamp.parse(bytes.span)
    }

    mutating func position(_ parameter: String) -> Position? {
        guard let text = text(parameter) else { return nil }
        guard let position = PositionText.parse(text) else {
            fault(parameter, PositionText.expectation)
            return nil
        }
        return position
    }

    mutating func cursor(_ parameter: String) -> PageCursor? {
        guard let text = text(parameter) else { return nil }
        guard let cursor = PageCursor(text) else {
            fault(parameter, "not a cursor of this service; take next_cursor of the page before")
            return nil
        }
        return cursor
    }

    mutating func keyCursor(_ parameter: String) -> KeyCursor? {
        guard let text = text(parameter) else { return nil }
        guard let cursor = KeyCursor(text) else {
            fault(parameter, "not a cursor of this service; take next_cursor of the page before")
            return nil
        }
        return cursor
    }

    /// A position or a time, as people ask for the past.
    mutating func moment(_ parameter: String) -> Moment? {
        guard let text = text(parameter) else { return nil }
        do throws(Moment.Fault) {
            return try Moment(text)
        } catch {
            fault(parameter, error.detail)
            return nil
        }
    }

    /// As `moment`; missing is a fault.
    mutating func requiredMoment(_ parameter: String) -> Moment {
        if let moment = moment(parameter) { return moment }
        if !values.contains(where: { $0.name == parameter }) { fault(parameter, "it is missing: \(Moment.expectation)") }
        return .position(.zero)
    }
}
