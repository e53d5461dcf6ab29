internal import Core
internal import Logging
package import PostgreSQLDriver
internal import Projections

extension ControlState {
    /// The state as the projections have materialized it, so that a start needs not fold the whole stream; nil when there is none, or when it
    /// is not what it was written as. Blocking.
    ///
    /// - Cost: one read of all rows; each is checked against its digest.
    package static func materialized(_ connect: () throws(PostgreSQLError) -> PostgreSQLSession) -> ControlState? {
        let log = Logger(label: "meshlog.control")
        do {
            let session = try connect()
            var loaded: [ControlKind: (position: Position, rows: [String: ControlRow])] = [:]
            for kind in ControlKind.allCases {
                guard let fold = try RowLoader.load(ControlProjection(kind), on: session) else { return nil }
                loaded[kind] = (fold.position, Dictionary(uniqueKeysWithValues: fold.rows.map { ($0.0, $0.1) }))
            }
            return ControlState(loaded: loaded)
        } catch {
            log.notice("the control plane is folded from the log: its rows cannot be used", metadata: ["reason": "\(error)"])
            return nil
        }
    }
}
