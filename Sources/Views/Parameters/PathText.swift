internal import Hummingbird
internal import Web

/// Variables of a route's path.
enum PathText {
    /// The text of a variable, without its percent-encoding.
    ///
    /// - Throws: 400 for what is no text.
    static func of(_ name: String, _ parameters: Parameters) throws(ProblemDocument) -> String {
        if let text = PercentText.decode(parameters.get(name) ?? "", plusIsSpace: false) { return text }
        throw ParameterFault.problem([ParameterFault(parameter: name, detail: "it is not percent-encoded UTF-8")])
    }
}
