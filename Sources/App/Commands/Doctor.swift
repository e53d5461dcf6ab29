internal import ArgumentParser
internal import Client
internal import Foundation

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check every server's version, settings and schema, and say what a weak setting would cost.",
        discussion: """
            meshlog doctor                                           the stack that `meshlog up` runs
            meshlog doctor --redis-url redis://log:6379 --postgresql-url postgresql://meshlog@archive/meshlog --nats-url nats://hub:4222
            meshlog doctor --json | jq '.checks[] | select(.state != "ok")'

            Each line is one check: OK, WARN (it works, at a price that is named) or FAIL (it loses messages or does not work).
            Exit codes: 0 nothing fails, 1 something does.
            """)
    @Option(help: "the log [MESHLOG_REDIS_URL]") var redisURL: String?
    @Option(help: "the archive [MESHLOG_POSTGRESQL_URL]") var postgresqlURL: String?
    @Option(help: "the default backbone [MESHLOG_NATS_URL]") var natsURL: String?
    @Option(help: "file with NATS credentials (.creds) [MESHLOG_NATS_CREDENTIALS]") var natsCredentials: String?
    @Option(help: "prefix of all Redis keys [meshlog; MESHLOG_KEY_PREFIX]") var keyPrefix: String?
    @Option(help: "folder with streams/ and migrations/; found from the program's place by default [MESHLOG_HOME]") var home: String?
    @Option(help: "YAML file with settings (default: meshlog.yaml when it is there)") var config: String?
    @Option(help: "data folder of the embedded stack [.meshlog; MESHLOG_DATA]") var data: String?
    @Flag(help: "print the checks as JSON") var json = false

    func run() async throws {
        let given = [
            ("--redis-url", redisURL), ("--postgresql-url", postgresqlURL), ("--nats-url", natsURL), ("--nats-credentials", natsCredentials),
            ("--key-prefix", keyPrefix), ("--home", home), ("--config", config),
        ]
        let folder = data ?? EmbeddedReport.usualFolder
        let settings = try EmbeddedSettings.resolve(try ServeFlags.parse(given.flatMap { name, value in value.map { [name, $0] } ?? [] }), folder: folder)
        var findings = RedisExamination(settings).findings()
        findings += PostgreSQLExamination(settings).findings()
        findings += NATSExamination(settings).findings()
        if let report = EmbeddedReport.read(folder), let disk = DiskExamination.finding(folder) {
            findings.append(disk)
            if !json { Output.note("the embedded stack in \(report.folder) is running") }
        }
        if json { Output.json(Finding.json(findings)) } else { show(findings) }
        let failures = findings.filter { $0.state == .fail }.count
        if failures > 0 { throw CommandFailure(.failed, "\(failures) of \(findings.count) checks fail") }
    }

    private func show(_ findings: [Finding]) {
        let ink = Output.ink
        let width = findings.reduce(0) { max($0, DisplayText.width("\($1.area) \($1.check)")) }
        for finding in findings {
            let mark =
                switch finding.state {
                case .ok: ink.paint("OK  ", .green)
                case .warn: ink.paint("WARN", .yellow)
                case .fail: ink.paint("FAIL", .red)
                }
            Output.line("\(mark)  \(DisplayText.padded("\(finding.area) \(finding.check)", to: width))  \(DisplayText.line(finding.sentence))")
        }
        let warnings = findings.filter { $0.state == .warn }.count
        Output.line("\(findings.count) checks, \(warnings) warnings, \(findings.filter { $0.state == .fail }.count) failures")
    }
}
