package import Core

/// What policies and templates are compiled with, and what a decision takes from the settings.
package struct PolicyTools: Sendable {
    package let compiler: PolicyCompiler
    package let schemas: SchemaCompiler
    /// Name of the backbone that takes what no rule sends elsewhere. It is a setting of the process and does not stand in the log.
    package let defaultTarget: String

    package init(compiler: PolicyCompiler, schemas: SchemaCompiler, defaultTarget: String) {
        self.compiler = compiler
        self.schemas = schemas
        self.defaultTarget = defaultTarget
    }
}
