/// The keys a message's envelope may have.
enum EnvelopeKey: Int, CaseIterable {
    case messageUUID, topic, source, destinations, type, originTS, metadata, data, messageData, dataBase64, contentType, correlationID, causation

    var name: StaticString {
        switch self {
        case .messageUUID: "message_uuid"
        case .topic: "topic"
        case .source: "source_subject_id"
        case .destinations: "destination_subject_ids"
        case .type: "message_type"
        case .originTS: "origin_ts"
        case .metadata: "message_metadata"
        case .data: "data"
        case .messageData: "message_data"
        case .dataBase64: "data_base64"
        case .contentType: "content_type"
        case .correlationID: "correlation_id"
        case .causation: "causation"
        }
    }

    /// The length tells most keys apart, so one comparison decides.
    static func named(_ text: Span<UInt8>, _ range: Range<Int>) -> EnvelopeKey? {
        let candidate: EnvelopeKey? =
            switch range.count {
            case 4: .data
            case 5: .topic
            case 9: text[range.lowerBound] == UInt8(ascii: "o") ? .originTS : .causation
            case 11: .dataBase64
            case 12:
                switch text[range.lowerBound + 8] {
                case UInt8(ascii: "u"): .messageUUID
                case UInt8(ascii: "t"): text[range.lowerBound] == UInt8(ascii: "c") ? .contentType : .type
                default: .messageData
                }
            case 14: .correlationID
            case 16: .metadata
            case 17: .source
            case 23: .destinations
            default: nil
            }
        guard let candidate else { return nil }
        let same = candidate.name.withUTF8Buffer { name in
            guard name.count == range.count else { return false }
            for index in 0..<name.count where name[index] != text[range.lowerBound + index] { return false }
            return true
        }
        return same ? candidate : nil
    }

    /// The known key nearest to a mistyped one, when it is near.
    static func suggestion(for text: String) -> String? {
        let wanted = Array(text.lowercased().utf8)
        let best = allCases.map { (key: $0.name.description, distance: editDistance(wanted, Array($0.name.description.utf8))) }
            .min { $0.distance < $1.distance }
        guard let best, best.distance <= max(2, text.utf8.count / 3) else { return nil }
        return best.key
    }

    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for i in 0..<min(a.count, 64) {
            var diagonal = row[0]
            row[0] = i + 1
            for j in 0..<b.count {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}
