/// The parts of timestamps and durations.
enum CELTimes {
    /// Looking a zone up by a name that is no constant may read a file.
    private static let zoneLookupCost = 500

    /// A part of a time as the clocks of a zone show it.
    static func part(_ function: CELFunction, _ time: CELTimestamp, _ zone: CELZone) -> Int64 {
        if function == .getMilliseconds { return Int64(time.nanoseconds) / 1_000_000 }
        let civil = CivilTime(seconds: time.seconds + zone.offset(at: time.seconds))
        return switch function {
        case .getFullYear: civil.year
        case .getMonth: civil.month - 1
        case .getDate: civil.day
        case .getDayOfMonth: civil.day - 1
        case .getDayOfWeek: civil.weekday
        case .getDayOfYear: civil.yearday
        case .getHours: civil.hour
        case .getMinutes: civil.minute
        default: civil.second
        }
    }

    static func part(_ function: CELFunction, _ operand: CELValue) throws(CELReason) -> CELValue {
        switch operand {
        case .timestamp(let time): return .int(part(function, time, .fixed(0)))
        case .duration(let duration):
            switch function {
            case .getHours: return .int(duration.wholeSeconds / 3_600)
            case .getMinutes: return .int(duration.wholeSeconds / 60)
            case .getSeconds: return .int(duration.wholeSeconds)
            case .getMilliseconds: return .int(duration.milliseconds)
            default: throw .noOverload(function, operand)
            }
        default: throw .noOverload(function, operand)
        }
    }

    static func part(
        _ function: CELFunction, _ operand: CELValue, in zone: CELValue, _ meter: inout CELMeter, _ services: CELServices
    ) throws(CELReason) -> CELValue {
        guard case .timestamp(let time) = operand, case .string(let name) = zone else { throw .noOverload(function, operand, zone) }
        try meter.charge(zoneLookupCost)
        guard let found = CELZone.named(name, services.zones) else { throw .zone(CELReason.shown(name)) }
        return .int(part(function, time, found))
    }
}
