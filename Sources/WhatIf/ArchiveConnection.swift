internal import PostgreSQLDriver
internal import Replay

/// The one connection to the archive of a run, made when it is first needed.
final class ArchiveConnection {
    private let place: HistoryPlace
    private let name: String
    private var session: PostgreSQLSession?

    init(_ place: HistoryPlace, name: String) {
        self.place = place
        self.name = name
    }

    func open() throws(PostgreSQLError) -> PostgreSQLSession {
        if let session, !session.isBroken { return session }
        let made = try place.connect(name)
        session = made
        return made
    }
}
