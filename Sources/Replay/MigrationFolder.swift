import FoundationEssentials

/// One file of the folder of migrations.
package struct MigrationStep: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// `0001_name.sql`: applied once, in order, never changed.
        case numbered
        /// `functions/name.sql`, `views/name.sql`: one object, replaced whenever its text changes.
        case function, view
    }
    package let kind: Kind
    /// Path below the folder, such as `functions/meshlog_ensure_day.sql`.
    package let name: String
    package let sql: String
}

/// The folder `migrations/`: numbered files, then `functions/`, then `views/`, each in order of name.
package enum MigrationFolder {
    /// Reads all steps in the order in which they are applied.
    package static func load(_ path: String) throws(MigrationError) -> [MigrationStep] {
        let numbered = try steps(.numbered, in: path, prefix: "")
        for (index, step) in numbered.enumerated() {
            let digits = step.name.prefix(4)
            guard digits.count == 4, Int(digits) == index + 1, step.name.dropFirst(4).first == "_" else {
                throw .folder("\(step.name) should be number \(index + 1), as 0001_name.sql")
            }
        }
        if numbered.isEmpty { throw .folder("no migrations in \(path)") }
        return numbered + (try steps(.function, in: path, prefix: "functions/")) + (try steps(.view, in: path, prefix: "views/"))
    }

    private static func steps(_ kind: MigrationStep.Kind, in path: String, prefix: String) throws(MigrationError) -> [MigrationStep] {
        let folder = prefix.isEmpty ? path : "\(path)/\(prefix)"
        if kind != .numbered, !FileManager.default.fileExists(atPath: folder) { return [] }
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".sql") }.sorted()
            return try names.map { name in
                MigrationStep(kind: kind, name: prefix + name, sql: try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8))
            }
        } catch {
            throw .folder("cannot read \(folder)")
        }
    }
}
