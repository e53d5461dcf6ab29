/// The bounds of the embedded stack, each with its reason.
package enum StackLimits {
    /// A server that shows no sign of work for this long is taken for hung. A cold initdb takes 1 s here, a slow disk 20 s.
    package static let readyWithin: Duration = .seconds(60)
    /// A server that says it is loading or recovering may do so for this long: an AOF of 10 GB loads in about 3 minutes.
    package static let recoverWithin: Duration = .seconds(900)
    /// Between two looks at a server that is not ready yet. A warm Redis is ready in 10 ms.
    static let readyPoll: Duration = .milliseconds(5)
    /// A server asked to stop gets this long before SIGKILL: PostgreSQL writes its last checkpoint meanwhile.
    package static let stopWithin: Duration = .seconds(30)
    /// Processes of a dead run get this long to leave by themselves.
    static let leftoverWithin: Duration = .seconds(15)
    /// Orphaned PostgreSQL backends (their postmaster was killed) leave within milliseconds, unless busy computing.
    static let orphanWithin: Duration = .seconds(2)
    /// A process that got SIGKILL is gone within milliseconds, unless the disk hangs.
    static let killWithin: Duration = .seconds(10)
    /// Tries to find a free port that is still free when the server binds it.
    static let portAttemptsMax = 8
    /// A probe waits this long for the answer to one request.
    static let answerWithin: Duration = .seconds(2)
    /// A statement of the set-up (CREATE DATABASE copies 7 MB) waits this long.
    package static let statementWithin: Duration = .seconds(60)
    /// An answer above this is not what a probe asked for.
    static let answerBytesMax = 4 << 20
    /// Whoever looks whether a folder's lock is held has it himself for some microseconds; a busy machine makes them more.
    static let lockWithin: Duration = .milliseconds(200)
    /// A log above this is set aside (one generation) at the next start.
    static let logBytesMax = 16 << 20
    /// The end of a log that goes into an error message.
    static let logTailLines = 12
    /// Waits between restarts of a server that keeps dying.
    static let restartBackoffMax: Duration = .seconds(5)
    /// A unix socket's path must fit into `sockaddr_un`: 107 bytes on Linux.
    static let socketPathBytesMax = 107
}
