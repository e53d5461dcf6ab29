package import Core

/// A payload that breaks validation templates: the same document wherever it comes in, at a door or as a person's edit.
package enum TemplateProblem {
    package static func document(_ refusal: Refusal) -> ProblemDocument {
        ProblemDocument(
            "template-violation", status: 422, title: "The payload breaks a validation template of its topic", detail: refusal.summary,
            members: [("violations", .json(refusal.json))])
    }
}
