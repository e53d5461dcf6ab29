internal import Control
package import Core
internal import RE2Driver

/// What policies and templates are compiled with, and what a decision takes from the settings.
package struct PolicyTools: Sendable {
    package let compiler: PolicyCompiler
    package let schemas: SchemaCompiler
    /// Name of the backbone that takes what no rule sends elsewhere. It is a setting of the process and does not stand in the log.
    package let defaultTarget: String

    /// - Cost: compiles the meta-schema, some milliseconds.
    package init(defaultTarget: String) throws(SchemaFault) {
        compiler = PolicyFold.compiler
        schemas = try SchemaCompiler(patterns: RE2Compiler())
        self.defaultTarget = defaultTarget
    }
}
