internal import ArgumentParser
internal import Foundation
internal import PostgreSQLDriver
internal import Replay

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the archive's schema up to date.",
        discussion: "serve and up do this by themselves; use it to migrate ahead of a release, or --plan to see what would be done.")
    @OptionGroup var flags: ServeFlags
    @Flag(help: "only show what would be done") var plan = false

    func run() async throws {
        let settings = try Settings.resolve(flags)
        let session = try PostgreSQLSession(conninfo: settings.postgresqlURL, applicationName: "meshlog-migrate")
        let migrator = try Migrator(folder: settings.home + "/migrations")
        if plan {
            let plan = try migrator.plan(on: session)
            Terminal.say("applied: \(plan.applied.count), pending: \(plan.pending.isEmpty ? "none" : plan.pending.joined(separator: ", "))")
        } else {
            let report = try migrator.apply(on: session)
            for notice in report.notices { Terminal.say("note: \(notice)") }
            Terminal.say(report.applied.isEmpty ? "nothing to do" : "applied \(report.applied.joined(separator: ", "))")
            Terminal.say("the archive keeps its tables as \(report.flavour == .timescale ? "TimescaleDB hypertables" : "native daily partitions")")
        }
    }
}
