#include "document.h"

#include <array>
#include <cstdlib>

#include "call.h"

namespace vss_simulator {

namespace {

constexpr std::array<std::pair<char, std::string_view>, 5> kEntities{
    {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"}}};

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        std::string_view written(&c, 1);
        for (const auto& [plain, entity] : kEntities) {
            if (c == plain) written = entity;
        }
        result += written;
    }
    return result;
}

void print(const Element& element, std::string& out) {
    out += '<' + element.name;
    for (const auto& [name, value] : element.attributes) out += ' ' + name + "=\"" + escaped(value) + '"';
    if (element.children.empty()) {
        out += "/>";
        return;
    }
    out += '>';
    for (const Element& child : element.children) print(child, out);
    out += "</" + element.name + '>';
}

class Parser {
public:
    explicit Parser(std::string_view text) : rest_(text) {}

    Element document() {
        static_cast<void>(take("\xef\xbb\xbf"));
        skipMisc();
        Element root = element();
        skipMisc();
        if (!rest_.empty()) fail();
        return root;
    }

private:
    [[noreturn]] static void fail() { throw Failure(VSS_E_INVALID_XML_DOCUMENT); }

    bool take(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }

    std::string_view until(std::string_view end) {
        const std::size_t at = rest_.find(end);
        if (at == std::string_view::npos) fail();
        const std::string_view taken = rest_.substr(0, at);
        rest_.remove_prefix(at + end.size());
        return taken;
    }

    void skipBlanks() {
        while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos) {
            rest_.remove_prefix(1);
        }
    }

    void skipMisc() {
        while (true) {
            skipBlanks();
            if (take("<?")) {
                until("?>");
            } else if (take("<!--")) {
                until("-->");
            } else {
                return;
            }
        }
    }

    std::string name() {
        const std::size_t end = rest_.find_first_of(" \t\r\n=/><\"'&");
        if (end == 0 || end == std::string_view::npos) fail();
        const std::string taken(rest_.substr(0, end));
        rest_.remove_prefix(end);
        return taken;
    }

    std::string value() {
        skipBlanks();
        if (!take("=")) fail();
        skipBlanks();
        const bool isDouble = take("\"");
        if (!isDouble && !take("'")) fail();
        std::string_view raw = until(isDouble ? "\"" : "'");
        std::string result;
        while (!raw.empty()) {
            std::size_t used = 0;
            if (raw.front() == '<') fail();
            for (const auto& [plain, entity] : kEntities) {
                if (raw.starts_with(entity)) {
                    result += plain;
                    used = entity.size();
                }
            }
            if (used == 0) {
                if (raw.front() == '&') fail();
                result += raw.front();
                used = 1;
            }
            raw.remove_prefix(used);
        }
        return result;
    }

    Element element() {
        if (!take("<")) fail();
        Element element;
        element.name = name();
        while (true) {
            skipBlanks();
            if (take("/>")) return element;
            if (take(">")) break;
            std::string attribute = name();
            element.attributes.emplace_back(std::move(attribute), value());
        }
        while (true) {
            skipMisc();
            if (take("</")) break;
            element.children.push_back(this->element());
        }
        if (name() != element.name) fail();
        skipBlanks();
        if (!take(">")) fail();
        return element;
    }

    std::string_view rest_;
};

}  // namespace

std::string Element::operator[](std::string_view attribute) const {
    for (const auto& [key, value] : attributes) {
        if (key == attribute) return value;
    }
    return {};
}

long Element::number(std::string_view attribute) const {
    return std::strtol((*this)[attribute].c_str(), nullptr, 0);
}

Element& Element::set(std::string_view attribute, std::string_view value) {
    attributes.emplace_back(attribute, value);
    return *this;
}

Element& Element::add(std::string_view child) {
    children.push_back({std::string(child), {}, {}});
    return children.back();
}

std::vector<const Element*> Element::all(std::string_view child) const {
    std::vector<const Element*> found;
    for (const Element& element : children) {
        if (element.name == child) found.push_back(&element);
    }
    return found;
}

std::string printXml(const Element& root) {
    std::string text;
    print(root, text);
    return text;
}

Element parseXml(std::string_view text) {
    return Parser(text).document();
}

}  // namespace vss_simulator
