internal import Core
internal import Web

/// One thing wrong with a query parameter, a header or a part of the path, and what would pass.
struct ParameterFault: Equatable, Sendable {
    let parameter: String
    let detail: String

    /// All faults of a request as one answer.
    static func problem(_ faults: [ParameterFault]) -> ProblemDocument {
        var json: [UInt8] = [UInt8(ascii: "[")]
        for (index, fault) in faults.prefix(ViewLimits.violationsMax).enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            var object = JSONObject()
            object.add("parameter", fault.parameter)
            object.add("detail", fault.detail)
            json.append(contentsOf: object.finish())
        }
        json.append(UInt8(ascii: "]"))
        return ProblemDocument(
            "parameters-invalid", status: 400, title: "The request's parameters are not all right",
            detail: faults.prefix(ViewLimits.violationsMax).map { "\($0.parameter): \($0.detail)" }.joined(separator: "; "),
            members: [("violations", .json(json))])
    }
}
