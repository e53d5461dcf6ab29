internal import ArgumentParser

@main
struct Meshlog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meshlog",
        abstract: "A communication fabric for agents and services, built as one log.",
        discussion: """
            Start everything on this machine:      meshlog up
            Serve existing servers:                meshlog serve --redis-url redis://… --postgresql-url postgresql://… --nats-url nats://…
            Publish a file of messages:            meshlog publish messages.ndjson
            Follow what comes in:                  meshlog tail --topic 'tasks.>'

            Every setting is a flag, an environment variable (MESHLOG_…) or a line in meshlog.yaml; the flag wins, then the variable.
            Exit codes: 0 done, 1 failed, 2 refused (bad input, no such thing, not allowed, a conflict), 64 wrong usage, 69 a server is missing or busy.
            """,
        subcommands: [
            Up.self, Serve.self, Publish.self, Tail.self, Messages.self, Streams.self, Backbones.self, Topics.self, Config.self, Constraints.self,
            Templates.self, WhatIfCommand.self, Sessions.self, Webhooks.self, Projections.self, Rebuild.self, Restore.self, Doctor.self, Bench.self,
            FoldBenchmark.self,
            PingBenchmark.self, DecisionBenchmark.self, RuleBenchmark.self, SchemaBenchmark.self, Migrate.self,
        ]
    )

    /// Runs the command; every way out but success goes through `Failures`.
    static func main() async {
        do {
            var command = try parseAsRoot()
            do {
                if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
            } catch {
                Failures.leave(error)
            }
        } catch {
            exit(withError: error)
        }
    }
}
