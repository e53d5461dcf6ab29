/// Which variables a constraint's expressions read, so that a message pays only for those.
package struct PolicyNeeds: Sendable, Equatable {
    package struct Variables: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        static let message = Variables(rawValue: 1)
        static let config = Variables(rawValue: 2)
        static let registry = Variables(rawValue: 4)
        static let principal = Variables(rawValue: 8)
        static let now = Variables(rawValue: 16)
        static let recipient = Variables(rawValue: 32)
        /// The payload, or the metadata, or the message as a whole: its text has to be parsed.
        static let data = Variables(rawValue: 64)
        static let metadata = Variables(rawValue: 128)
    }

    package private(set) var variables: Variables = []
    /// Names of the configuration's values, sorted; nil when only the evaluation tells which.
    package private(set) var configNames: [String]? = []

    mutating func add(_ program: CELProgram) {
        for path in program.reads {
            switch path[0] {
            case "message":
                variables.insert(.message)
                if path.count == 1 || path[1] == "data" { variables.insert(.data) }
                if path.count == 1 || path[1] == "metadata" { variables.insert(.metadata) }
            case "config":
                variables.insert(.config)
                guard path.count > 1 else {
                    configNames = nil
                    continue
                }
                if let names = configNames, !names.contains(path[1]) { configNames = (names + [path[1]]).sorted() }
            case "registry": variables.insert(.registry)
            case "principal": variables.insert(.principal)
            case "now": variables.insert(.now)
            case "recipient": variables.insert(.recipient)
            default: break
            }
        }
    }
}
