internal import Foundation
internal import Glibc
internal import Synchronization

/// TCP ports of 127.0.0.1.
package enum Ports {
    /// Where Meshlog listens unless told otherwise: the servers' usual ports plus 10,000, so that they run beside a system's own.
    package static let standard: [ServerKind: Int] = [.redis: 16_379, .postgresql: 15_432, .nats: 14_222]

    private static let handedOut = Mutex<Set<Int>>([])

    /// A port that nobody listens on, not handed out before by this process.
    ///
    /// It lies below the kernel's range for outgoing connections: a client that dials a dead server's port over and over
    /// would else one day be given that very port as its own end, and hold it.
    package static func free() -> Int {
        for _ in 0..<1_000 {
            let port = Int.random(in: 20_000..<outgoingFirst)
            guard isFree(port) else { continue }
            if handedOut.withLock({ $0.insert(port).inserted }) { return port }
        }
        preconditionFailure("no free port between 20000 and \(outgoingFirst) after 1000 tries")
    }

    /// Whether a server could listen on `port` now.
    package static func isFree(_ port: Int) -> Bool {
        LoopbackSocket.canListen(on: port)
    }

    /// Who else listens on `port` of `host`, in words; nil when nobody does. Looks at IPv4 addresses only.
    package static func holder(of port: Int, on host: String) -> String? {
        LoopbackSocket.isTaken(port, host: host) ? Processes.holder(ofPort: port) : nil
    }

    private static let outgoingFirst: Int = {
        let text = (try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)) ?? ""
        let first = text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? 32_768
        return first > 21_000 ? min(first, 65_536) : 65_536
    }()
}
