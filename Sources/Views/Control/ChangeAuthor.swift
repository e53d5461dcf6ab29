internal import Core
internal import HTTPTypes
internal import Web

/// Who makes a change and why, as the request says.
enum ChangeAuthor {
    /// - Parameter via: the door.
    /// - Throws: 400 for a name or a comment that is too long or no text.
    static func read(_ headers: HTTPFields, via: String, comment: String? = nil) throws(ProblemDocument) -> ControlAuthor {
        var faults: [ParameterFault] = []
        let principal = headers[.meshlogPrincipal] ?? ""
        if !principal.isEmpty, let detail = QueryReader.nameFault(principal) { faults.append(ParameterFault(parameter: "Meshlog-Principal", detail: detail)) }
        let said = comment ?? headers[.meshlogComment] ?? ""
        if said.utf8.count > ViewLimits.commentBytesMax {
            faults.append(
                ParameterFault(parameter: comment == nil ? "Meshlog-Comment" : "comment", detail: "it has more than \(ViewLimits.commentBytesMax) bytes"))
        }
        guard faults.isEmpty else { throw ParameterFault.problem(faults) }
        return ControlAuthor(principal: principal, via: via, comment: said)
    }
}

extension HTTPField.Name {
    /// Who asks.
    static let meshlogPrincipal = HTTPField.Name("Meshlog-Principal")!
    /// Why.
    static let meshlogComment = HTTPField.Name("Meshlog-Comment")!
}
