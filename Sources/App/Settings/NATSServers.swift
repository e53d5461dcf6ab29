internal import Foundation

/// The servers that an address of NATS names.
enum NATSServers {
    /// Host and port of each of `nats://host:port,…`, in which the scheme and the port may be left out; nil where one is none.
    static func list(_ url: String) -> [(host: String, port: Int)]? {
        var out: [(host: String, port: Int)] = []
        for part in url.split(separator: ",", omittingEmptySubsequences: false) {
            var address = part.trimmingCharacters(in: .whitespaces)
            if let scheme = ["nats://", "tls://"].first(where: { address.hasPrefix($0) }) { address.removeFirst(scheme.count) }
            // A password may hold anything but blanks.
            guard !address.contains(where: \.isWhitespace) else { return nil }
            if let at = address.lastIndex(of: "@") { address = String(address[at...].dropFirst()) }
            guard let parts = URLComponents(string: "nats://" + address), let host = parts.host,
                !host.isEmpty, Settings.isPort(parts.port ?? usualPort)
            else { return nil }
            out.append((host, parts.port ?? usualPort))
        }
        return out
    }

    private static let usualPort = 4222
}
