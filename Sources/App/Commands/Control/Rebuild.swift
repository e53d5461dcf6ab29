internal import ArgumentParser
internal import Client
internal import Core
internal import Foundation
internal import Log
internal import NIOHTTP1
internal import PostgreSQLDriver
internal import Projections
internal import RedisDriver

struct Rebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fold a projection anew beside the rows that serve, or check these against the log.",
        discussion: """
            meshlog rebuild subjects                                  the old rows serve until the new ones have caught up
            meshlog rebuild subjects --cancel
            meshlog rebuild --all                                     every projection
            meshlog rebuild subjects --verify                         folds the log and names what differs; writes nothing

            --verify reads Redis and PostgreSQL itself: those of the embedded stack that runs in .meshlog, else those the flags name.
            Exit codes: 1 something differs, 2 there is no such projection.
            """)
    @Argument(help: "name of the projection") var name: String?
    @Flag(help: "every projection") var all = false
    @Flag(help: "compare the rows and the checkpoint with the log instead") var verify = false
    @Flag(help: "give the running rebuild up") var cancel = false
    @Flag(help: "return at once; `meshlog projections` shows how far it is") var noWait = false
    @Flag(help: "print results as JSON, one a line") var json = false
    @OptionGroup var client: ClientFlags
    @OptionGroup var flags: ServeFlags

    func validate() throws {
        if (name == nil) == !all { throw ValidationError("name a projection, or give --all") }
        if [verify, cancel, noWait].filter(\.self).count > 1 { throw ValidationError("--verify, --cancel and --no-wait exclude each other") }
    }

    func run() async throws {
        if verify { return try verifyRows() }
        let url = try client.resolve()
        try await MeshlogServer.use(url) { server in
            var names = name.map { [$0] } ?? []
            if all { names = try await server.json("/v1/projections")["projections"]?.elements.compactMap { $0["name"]?.string } ?? [] }
            for name in names {
                let path = "/v1/projections/\(MeshlogServer.escaped(name))/rebuild"
                let answer = try await server.change(cancel ? .DELETE : .POST, path)
                if json { Output.jsonLine(answer.body) } else if cancel { Output.line("\(name): cancelled") }
            }
            if cancel || noWait { return }
            for name in names { try await follow(name, server) }
        }
    }

    /// Shows the rebuild's progress until it has ended.
    private func follow(_ name: String, _ server: MeshlogServer) async throws {
        let path = "/v1/projections/\(MeshlogServer.escaped(name))"
        while true {
            let status = try await server.json(path)
            guard let row = status["rebuild"], !row.isNull else {
                if Output.isErrorTerminal { Output.progress("") }
                // The newest generation that ended tells how.
                if let last = status["earlier"]?.elements.first, let generation = last["generation"]?.int, generation > status["generation"]?.int ?? 0 {
                    throw CommandFailure(
                        .failed, "\(name): the rebuild \(last["status"]?.plain ?? "ended"): \(last["failure"]?.plain ?? "no reason was given")")
                }
                if json {
                    Output.jsonLine(status.bytes)
                } else {
                    Output.line(
                        "\(name): generation \(status["generation"]?.plain ?? "?") serves, \(status["rows"]?.plain ?? "?") rows at \(status["position"]?.plain ?? "?")"
                    )
                }
                return
            }
            if Output.isErrorTerminal { Output.progress(DisplayText.cut("\(name): \(ProjectionList.rebuild(row))", to: Output.errorWidth - 1)) }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private func verifyRows() throws {
        let settings = try EmbeddedSettings.resolve(flags)
        let conninfo = settings.postgresqlURL
        let place = ProjectionPlace(keys: settings.keys, endpoint: settings.redis, instance: settings.instance, metrics: Metrics()) {
            (name: String) throws(PostgreSQLError) in
            try PostgreSQLSession(conninfo: conninfo, applicationName: name)
        }
        let catalog = ProjectionCatalog.standard
        var isEqual = true
        for name in name.map({ [$0] }) ?? catalog.names {
            let start = ContinuousClock.now
            do {
                let found = try catalog.runtime(name).verify(place) { progress in
                    guard Output.isErrorTerminal, progress.entriesTotal > 0 else { return }
                    let rate = Amounts.rate(Int(progress.entries), in: ContinuousClock.now - start)
                    Output.progress(
                        "\(name): \(progress.entries * 100 / progress.entriesTotal) %, \(Amounts.count(Int(progress.entries))) entries, \(Amounts.count(rate))/s"
                    )
                }
                if Output.isErrorTerminal { Output.progress("") }
                if json { Output.jsonLine(found.json) } else { Output.line(found.text) }
                isEqual = isEqual && found.isEqual
            } catch {
                throw Rebuild.failure(error)
            }
        }
        if !isEqual { throw ExitCode(CommandExit.failed.rawValue) }
    }

    private static func failure(_ error: ProjectionError) -> CommandFailure {
        switch error {
        case .unknown, .invalid: CommandFailure(.refused, error.description)
        case .log(let inner) where inner.isRetryable: Failures.failure(of: inner)
        case .database(let inner) where inner.isRetryable: Failures.failure(of: inner)
        default: CommandFailure(.failed, error.description)
        }
    }
}
