/// The bounds of republishing, each with its reason.
package enum BackboneLimits {
    /// Messages of one batch. All of a batch may be in doubt after a crash, so the tail that is read then must hold it.
    package static let batchMax = 2_000

    /// Sequences of a stream's end that are compared after a crash: no batch is larger.
    package static let tailMax = batchMax

    /// First tokens of topics that the stream takes in. Each is two subjects of one configuration that the server keeps and checks as a whole.
    package static let rootsMax = 2_000

    /// Bytes of those subjects together: the configuration travels as one message, and servers take 1 MiB of it by default.
    package static let rootsBytesMax = 384 << 10

    /// Subjects whose covering stream is remembered one by one; beyond it the memory starts anew.
    package static let subjectsMax = 10_000
}
