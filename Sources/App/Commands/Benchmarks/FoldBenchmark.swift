internal import ArgumentParser
internal import Client
internal import Core
internal import Log
internal import PostgreSQLDriver
internal import Projections
internal import RedisDriver
internal import Replay

/// What `tools/bench` runs to measure folds. It writes test entries, so it insists on a log of its own.
struct FoldBenchmark: ParsableCommand {
    enum Step: String, CaseIterable, ExpressibleByArgument { case fill, memory, rows, load }
    enum Kind: String, CaseIterable, ExpressibleByArgument { case control, messages }

    static let configuration = CommandConfiguration(
        commandName: "fold-benchmark", abstract: "Measure how fast projections fold; tools/bench uses it.",
        discussion: """
            meshlog fold-benchmark fill control --entries 1000000 --keys 100000 --key-prefix bench
            meshlog fold-benchmark memory control --key-prefix bench

            fill writes test entries into the log under --key-prefix, memory folds them, rows folds them into an empty database, load reads these rows.
            """,
        shouldDisplay: false)
    @Argument(help: "fill, memory, rows or load") var step: Step
    @Argument(help: "control (the projection config) or messages (the projection subjects)") var kind: Kind
    @Option(help: "entries to write") var entries = 1_000_000
    @Option(help: "keys that these concern in turn (control)") var keys = 100_000
    @OptionGroup var flags: ServeFlags

    func validate() throws {
        if flags.keyPrefix == nil { throw ValidationError("--key-prefix names a log for this benchmark alone") }
        if entries < 1 || keys < 1 { throw ValidationError("--entries and --keys are at least 1") }
    }

    func run() throws {
        let settings = try Settings.resolve(flags)
        let conninfo = settings.postgresqlURL
        let place = ProjectionPlace(keys: settings.keys, endpoint: settings.redis, instance: settings.instance, metrics: Metrics()) {
            (name: String) throws(PostgreSQLError) in
            try PostgreSQLSession(conninfo: conninfo, applicationName: name)
        }
        let bench = FoldBench(place)
        let result: FoldBench.Result
        switch (step, kind) {
        case (.fill, _): return try fill(bench, settings)
        case (.memory, .control): result = try bench.inMemory(ControlProjection(.config))
        case (.memory, .messages): result = try bench.inMemory(SubjectsProjection())
        case (.rows, let kind):
            let session = try place.connect("meshlog-migrate")
            _ = try Migrator(folder: settings.home + "/migrations").apply(on: session)
            result = kind == .control ? try bench.materialized(ControlProjection(.config)) : try bench.materialized(SubjectsProjection())
        case (.load, .control): result = try bench.loaded(ControlProjection(.config))
        case (.load, .messages): result = try bench.loaded(SubjectsProjection())
        }
        var object = JSONObject()
        object.add("entries", Int(result.entries))
        object.add("rows", Int(result.rows))
        object.add("milliseconds", Int(result.elapsed / .milliseconds(1)))
        Output.json(object.finish())
    }

    private func fill(_ bench: FoldBench, _ settings: Settings) throws {
        let session = try RedisSession(settings.redis, name: "meshlog-bench", timeout: .seconds(60))
        switch kind {
        case .control: try bench.fillControl(events: entries, keys: keys, session)
        case .messages: try bench.fillMessages(entries, session)
        }
    }
}
