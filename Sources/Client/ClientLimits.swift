/// Every bound of the command line as a client, with its reason.
package enum ClientLimits {
    /// Lines of one publish request: the server names at most this many refused lines in one answer, so none goes unnamed.
    package static let chunkLinesMax = 1_000
    /// Bytes of one publish request: about what a group commit takes at once, so that a repeat costs little.
    package static let chunkBytesMax = 4 << 20
    /// Bytes read from a file at once.
    package static let readBytes = 256 << 10
    /// What comes through a pipe within this time is sent together: nobody notices the delay, and a fast producer fills its requests.
    package static let gatherTime = Duration.milliseconds(10)
    /// An event of the live feed: the largest message, base64 or escaped, and its envelope.
    package static let eventBytesMax = 8 << 20
    /// An answer that is held whole: a page of the largest size.
    package static let answerBytesMax = 256 << 20
    /// Refused lines that are listed to a person; `--json` has them all.
    package static let refusalsListedMax = 20
    /// Refused lines that are remembered: a file that is wrong on every line must not fill the memory.
    package static let refusalsKeptMax = 100_000
}
