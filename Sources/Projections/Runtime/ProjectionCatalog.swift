internal import Core

/// The projections of this program. To add one, write its type and name it here.
package struct ProjectionCatalog: Sendable {
    package let runtimes: [any ProjectionRuntime]

    package static let standard = ProjectionCatalog([
        ProjectionHost(ControlProjection(.backbone)),
        ProjectionHost(ControlProjection(.topics)),
        ProjectionHost(ControlProjection(.config)),
        ProjectionHost(ControlProjection(.constraint)),
        ProjectionHost(ControlProjection(.template)),
        ProjectionHost(SubjectsProjection()),
        ProjectionHost(TopicsProjection()),
        ProjectionHost(TrafficProjection()),
        ProjectionHost(SessionsProjection()),
    ])

    package init(_ runtimes: [any ProjectionRuntime]) {
        for runtime in runtimes { if let fault = runtime.definition.fault { preconditionFailure("the projection \(runtime.definition.name): \(fault)") } }
        precondition(Set(runtimes.map(\.definition.name)).count == runtimes.count, "each projection has a name of its own")
        self.runtimes = runtimes
    }

    package subscript(name: String) -> (any ProjectionRuntime)? { runtimes.first { $0.definition.name == name } }

    package var names: [String] { runtimes.map(\.definition.name) }

    /// - Throws: `.unknown` with the names there are.
    package func runtime(_ name: String) throws(ProjectionError) -> any ProjectionRuntime {
        guard let found = self[name] else { throw .unknown(name, known: names) }
        return found
    }
}
