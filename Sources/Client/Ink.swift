/// Colours, where they are wanted.
package struct Ink: Sendable {
    package enum Colour: String, Sendable {
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case magenta = "35"
        case cyan = "36"
        case bold = "1"
    }
    package let isOn: Bool

    package init(isOn: Bool) { self.isOn = isOn }

    package func paint(_ text: String, _ colour: Colour) -> String { isOn && !text.isEmpty ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text }
}
