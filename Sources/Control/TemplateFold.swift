package import Core
internal import RE2Driver

/// The validation templates in force, kept up with the control plane: each is compiled once, when it was changed.
package struct TemplateFold: Sendable {
    package private(set) var set: TemplateSet
    /// By key, of the document that is compiled.
    private var revisions: [String: Position] = [:]
    private var position = Position.zero

    package init() {
        do throws(SchemaFault) {
            set = TemplateSet(try SchemaCompiler(patterns: RE2Compiler()))
        } catch {
            preconditionFailure("the meta-schema is a constant that compiles: \(error.detail)")
        }
    }

    /// Takes in what has changed since the last time.
    ///
    /// - Cost: nothing while no template has changed; else a look at each, and the compilation of those that have.
    package mutating func follow(_ state: ControlState) {
        let stand = state.position(of: .template)
        guard stand > position else { return }
        position = stand
        let rows = state.rows(.template)
        for (key, row) in rows where revisions[key] != row.revision {
            set.put(key: key, row.document)
            revisions[key] = row.revision
        }
        for key in Array(revisions.keys) where rows[key] == nil {
            set.put(key: key, nil)
            revisions[key] = nil
        }
    }
}
