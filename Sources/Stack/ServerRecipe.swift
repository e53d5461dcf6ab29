/// How one server is prepared, launched and asked whether it is ready. All verbs block; they run on a thread of their own.
protocol ServerRecipe: Sendable {
    var kind: ServerKind { get }
    /// The folder that its processes work in (or below), by which those of a dead run are found.
    var folder: String { get }
    /// The program names that such processes have.
    var programs: Set<String> { get }

    /// Makes folders and configuration files. Called before every start, when no process of an earlier run is left.
    ///
    /// - Returns: what it had to mend, in words.
    func prepare(port: Int) throws(StackError) -> [String]

    func command(port: Int, logPath: String) -> ChildCommand

    /// Whether the process `pid` answers on `port`. Somebody else's server on that port is `.starting`: ours will end and say why.
    func probe(port: Int, pid: Int32) -> Readiness

    /// Those of `processes`, all of a dead run, that take the others with them when they stop. None: the others are orphans.
    func leaders(among processes: [Processes.Entry]) -> [Processes.Entry]

    func url(port: Int) -> String
}

extension ServerRecipe {
    func leaders(among processes: [Processes.Entry]) -> [Processes.Entry] { processes }
}

/// A server's answer to a probe.
enum Readiness: Equatable, Sendable {
    case ready
    /// No answer yet.
    case starting
    /// It says that it reads its data back; `what` in its words.
    case recovering(String)
    /// It will never be ready like this.
    case broken(String)
}
